#include "delivery/mailbox/mailbox_worker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/mailbox/mailbox_imap.h"
#include "delivery/token_command.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::MailboxRecord;

constexpr int kAtATimeMax = 8;
constexpr absl::Duration kDeadWait = absl::Minutes(10);
// A replica with another file may be right: an entry that nobody has read for so long is nobody's.
constexpr absl::Duration kForgotten = absl::Hours(1);

store::Key KeyOf(const store::DueKey& due) { return {due.shard, store::Kind::kMailbox, due.id}; }

store::DueKey DueOf(const MailboxSettings& settings) {
  return {store::Stage::kMailbox, ShardOf(settings.team).value_or(0), settings.team, MailboxId(settings)};
}

}  // namespace

std::string MailboxId(const MailboxSettings& settings) { return absl::StrCat(settings.team, ".", Sha256Hex(settings.name)); }

MailboxOpener ImapOpener(const std::vector<MailboxSettings>& mailboxes) {
  auto tokens = std::make_shared<std::map<std::string, std::unique_ptr<TokenCommand>>>();
  for (const MailboxSettings& each : mailboxes) {
    if (!each.token_command.empty()) (*tokens)[each.name] = std::make_unique<TokenCommand>(each.token_command);
  }
  return [tokens](const MailboxSettings& settings, std::function<bool()> stop) {
    const auto token = tokens->find(settings.name);
    return OpenImapMailbox(settings, token == tokens->end() ? nullptr : token->second.get(), std::move(stop));
  };
}

class MailboxHandler : public runtime::JobHandler {
 public:
  explicit MailboxHandler(Mailboxes& all) : all_(all), host_(all.host_) {}

  absl::Status Handle(const runtime::Job& job) override {
    runtime::JobBegins(job, "");
    auto mailbox = store::Load<MailboxRecord>(host_.store(), KeyOf(job.lease.key));
    if (absl::IsNotFound(mailbox.status())) return Forget(job.lease, 0);
    RB_RETURN_IF_ERROR(mailbox.status());
    const auto settings = all_.by_id_.find(job.lease.key.id);
    if (settings == all_.by_id_.end()) return Unknown(job.lease, *mailbox);
    return MailboxTurn(host_, settings->second, job.lease, *std::move(mailbox)).Read(all_.open_, all_.take_);
  }

  // Nobody came back from reading it, several times in a row.
  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    auto mailbox = store::Load<MailboxRecord>(host_.store(), KeyOf(lease.key));
    if (absl::IsNotFound(mailbox.status())) return Forget(lease, 0);
    RB_RETURN_IF_ERROR(mailbox.status());
    const MailboxSettings named{.name = mailbox->message.name()};
    return MailboxTurn(host_, named, lease, *std::move(mailbox)).End(absl::StrCat("reading it does not come to an end: ", reason), kDeadWait);
  }

 private:
  // No mailbox of this program's file. The entry ends, unless another program's file may have it.
  absl::Status Unknown(const store::Lease& lease, const store::Loaded<MailboxRecord>& mailbox) {
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    const bool read_lately =
        mailbox.message.has_read_time() && now - rpc::FromProto(mailbox.message.read_time()) < kForgotten;
    if (read_lately) return host_.store().Release(lease, now + host_.config().answers_poll, /*uncount=*/true);
    RB_LOG_INFO("the mailbox {} is no longer configured; it is no longer read", mailbox.message.name());
    return Forget(lease, mailbox.version);
  }

  absl::Status Forget(const store::Lease& lease, uint64_t version) {
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat("mailbox/", lease.lease_id, "/gone");
    commit.lease = lease;
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    if (version > 0) {
      store::Put gone;
      gone.key = KeyOf(lease.key);
      gone.expected_version = version;
      commit.puts.push_back(std::move(gone));
    }
    return host_.store().CommitOnce(commit).status();
  }

  Mailboxes& all_;
  runtime::Host& host_;
};

Mailboxes::Mailboxes(runtime::Host& host, std::vector<MailboxSettings> mailboxes, MailboxOpener open, TakeMail take)
    : host_(host), open_(std::move(open)), take_(std::move(take)) {
  host_.metrics().Describe("ringback_mailbox_trouble",
                           "Of the store (take the max): 1 while a mailbox cannot be read or its messages cannot be moved; the log says why.");
  host_.metrics().Describe("ringback_mailbox_messages_total",
                           "Messages that this process fetched from a mailbox: taken, cut (too large, its beginning was taken), "
                           "skipped (no mail), or failed (comes again).");
  for (MailboxSettings& each : mailboxes) {
    std::string id = MailboxId(each);
    by_id_.emplace(std::move(id), std::move(each));
  }
}

Mailboxes::~Mailboxes() = default;

std::unique_ptr<runtime::JobHandler> Mailboxes::NewHandler() { return std::make_unique<MailboxHandler>(*this); }

absl::Status Mailboxes::Refresh() {
  for (const auto& [id, settings] : by_id_) {
    const store::DueKey due = DueOf(settings);
    auto found = store::Load<MailboxRecord>(host_.store(), KeyOf(due));
    if (found.ok()) {
      ShowTrouble(host_.metrics(), found->message);
      continue;
    }
    if (!absl::IsNotFound(found.status())) return found.status();
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    MailboxRecord mailbox;
    mailbox.set_name(settings.name);
    mailbox.set_team_id(settings.team);
    store::Commit commit;
    commit.shard = due.shard;
    commit.commit_id = NewSecret("mb", due.shard, host_.random());
    store::AddPut(KeyOf(due), 0, mailbox, &commit);
    commit.due.push_back(store::DueChange{due, now});
    const absl::Status made = host_.store().CommitOnce(commit).status();
    if (!absl::IsAborted(made)) RB_RETURN_IF_ERROR(made);  // else another replica was quicker
    ShowTrouble(host_.metrics(), mailbox);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Mailboxes>> AddMailboxes(runtime::Host& host, TakeMail take) {
  std::vector<MailboxSettings> settings;
  if (!host.config().answers_mailboxes_file.empty()) {
    RB_ASSIGN_OR_RETURN(settings, ReadMailboxes(host.config().answers_mailboxes_file));
  }
  MailboxOpener open = ImapOpener(settings);
  auto mailboxes = std::make_unique<Mailboxes>(host, std::move(settings), std::move(open), std::move(take));
  runtime::WorkerOptions options;
  options.name = "mailbox";
  options.stage = store::Stage::kMailbox;
  options.slots = std::clamp(mailboxes->count(), 1, kAtATimeMax);
  options.lease = absl::Minutes(1);
  options.attempts_max = 5;  // deaths: whatever else goes wrong is trouble
  host.AddWorker(options, mailboxes->NewHandler());
  if (mailboxes->count() > 0) {
    host.AddPeriodic("mailboxes", absl::Minutes(1), [all = mailboxes.get()] { return all->Refresh(); });
  }
  return mailboxes;
}

}  // namespace ringback::delivery
