#include "delivery/mailbox/mailbox_turn.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "delivery/mail_in/mail_limits.h"

namespace ringback::delivery {
namespace {

using ::ringback::store::v1::MailboxRecord;

constexpr int kMessagesPerTurn = 500;   // then others have their turn
constexpr int kMessagesPerCommit = 20;  // so many can a crash cause to be fetched again
constexpr absl::Duration kTroubleWaitMax = absl::Minutes(10);
constexpr absl::Duration kTroubleWaitNew = absl::Minutes(1);  // never read yet: somebody is setting it up

// The longer it has been away, the less often it is asked: half of that time.
absl::Duration TroubleWait(const MailboxRecord& mailbox, absl::Time now, absl::Duration poll) {
  const absl::Duration longest = std::max(poll, kTroubleWaitMax);
  if (!mailbox.has_read_time()) return std::clamp(kTroubleWaitNew, poll, longest);
  return std::clamp((now - rpc::FromProto(mailbox.read_time())) / 2, poll, longest);
}

// Its words alone: what servers put beside them is different each time.
std::string Words(std::string_view trouble) {
  std::string words(trouble);
  std::erase_if(words, [](char c) { return absl::ascii_isascii(c) && !absl::ascii_isalpha(c); });
  return words;
}

}  // namespace

bool SameTrouble(std::string_view a, std::string_view b) { return Words(a) == Words(b); }

void ShowTrouble(runtime::Metrics& metrics, const MailboxRecord& mailbox) {
  metrics.Gauge("ringback_mailbox_trouble", {{"mailbox", mailbox.name()}}, mailbox.trouble().empty() ? 0 : 1);
}

MailboxTurn::MailboxTurn(runtime::Host& host, const MailboxSettings& settings, const store::Lease& lease,
                         store::Loaded<MailboxRecord> mailbox)
    : host_(host),
      settings_(settings),
      lease_(lease),
      mailbox_(std::move(mailbox)),
      trouble_before_(mailbox_.message.trouble()) {}

absl::Status MailboxTurn::Read(const MailboxOpener& open, const TakeMail& take) {
  auto opened = open(settings_, [this] { return host_.draining(); });
  if (absl::IsCancelled(opened.status())) return End(trouble_before_, absl::ZeroDuration());
  if (!opened.ok()) return End(WithoutUser(opened.status().message(), settings_), std::nullopt);
  Mailbox& folder = **opened;
  MailboxRecord& mailbox = mailbox_.message;
  if (folder.uid_validity() != mailbox.uid_validity()) {
    if (mailbox.uid_validity() != 0) {
      RB_LOG_INFO("the mailbox {}: the server has numbered its messages anew; reading it from its beginning", settings_.name);
    }
    mailbox.set_uid_validity(folder.uid_validity());
    mailbox.set_uid_taken(0);
  }
  const absl::Status read = TakeNew(folder, take);
  if (store_failed_) return read;  // also when somebody else has the lease now
  if (absl::IsCancelled(read)) return End(trouble_before_, absl::ZeroDuration());
  if (!read.ok()) return End(WithoutUser(read.message(), settings_), std::nullopt);
  if (!all_read_) return End(move_trouble_, absl::ZeroDuration());
  RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
  *mailbox.mutable_read_time() = rpc::ToProto(now);
  return End(move_trouble_, host_.config().answers_poll);
}

absl::Status MailboxTurn::End(const std::string& trouble, std::optional<absl::Duration> again) {
  RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
  MailboxRecord& mailbox = mailbox_.message;
  mailbox.set_trouble(trouble);
  RB_RETURN_IF_ERROR(Save(now + again.value_or(TroubleWait(mailbox, now, host_.config().answers_poll))));
  ShowTrouble(host_.metrics(), mailbox);
  if (SameTrouble(trouble, trouble_before_)) return absl::OkStatus();
  if (trouble.empty()) {
    RB_LOG_INFO("the mailbox {} can be read again", settings_.name);
  } else {
    RB_LOG_WARN("the mailbox {}: {}; trying again", settings_.name, trouble);
  }
  return absl::OkStatus();
}

// How far it has got; with `due` also when it is to be read again, which ends the lease.
absl::Status MailboxTurn::Save(std::optional<absl::Time> due) {
  store::Commit commit;
  commit.shard = lease_.key.shard;
  commit.commit_id = absl::StrCat("mailbox/", lease_.lease_id, "/", commits_++);
  commit.lease = lease_;
  store::AddPut({lease_.key.shard, store::Kind::kMailbox, lease_.key.id}, mailbox_.version, mailbox_.message, &commit);
  if (due.has_value()) commit.due.push_back(store::DueChange{lease_.key, due});
  const absl::Status saved = host_.store().CommitOnce(commit).status();
  store_failed_ = !saved.ok();
  RB_RETURN_IF_ERROR(saved);
  ++mailbox_.version;
  uncommitted_ = 0;
  return absl::OkStatus();
}

absl::Status MailboxTurn::TakeNew(Mailbox& folder, const TakeMail& take) {
  RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
  const absl::Time first = settings_.first_days == 0 ? absl::InfinitePast() : now - absl::Hours(24) * settings_.first_days;
  const uint32_t taken_before = mailbox_.message.uid_taken();
  UidRange fresh{.after = taken_before};
  if (taken_before == 0) fresh.since = first;
  RB_ASSIGN_OR_RETURN(const auto uids, folder.Uids(fresh));
  int count = 0;
  for (const uint32_t uid : uids) {
    if (count++ == kMessagesPerTurn || host_.draining()) return absl::OkStatus();
    RB_RETURN_IF_ERROR(TakeOne(folder, uid, take));
  }
  all_read_ = true;
  if (settings_.done_folder.empty()) return absl::OkStatus();
  // Taken before a crash, or while the done folder was not to be had.
  RB_ASSIGN_OR_RETURN(const auto left, folder.Uids({.up_to = taken_before, .since = first, .deleted_too = false}));
  for (const uint32_t uid : left) {
    if (count++ == kMessagesPerTurn || host_.draining() || !move_trouble_.empty()) break;
    RB_RETURN_IF_ERROR(Move(folder, uid));
  }
  return absl::OkStatus();
}

absl::Status MailboxTurn::TakeOne(Mailbox& folder, uint32_t uid, const TakeMail& take) {
  const auto mail = folder.Fetch(uid, static_cast<int64_t>(kMailBytesMax));
  if (!absl::IsNotFound(mail.status())) {
    RB_RETURN_IF_ERROR(mail.status());
    RB_RETURN_IF_ERROR(HandIn(uid, *mail, take));
    RB_RETURN_IF_ERROR(Move(folder, uid));
  }
  mailbox_.message.set_uid_taken(uid);
  return ++uncommitted_ < kMessagesPerCommit ? absl::OkStatus() : Save(std::nullopt);
}

absl::Status MailboxTurn::HandIn(uint32_t uid, const FetchedMail& mail, const TakeMail& take) {
  const bool cut = mail.whole_bytes > 0;
  const absl::Status taken = take(settings_.team, mail.raw, cut);
  const bool no_mail = absl::IsInvalidArgument(taken);
  const char* const outcome = no_mail ? "skipped" : !taken.ok() ? "failed" : cut ? "cut" : "taken";
  host_.metrics().Count("ringback_mailbox_messages_total", {{"mailbox", settings_.name}, {"outcome", outcome}});
  if (no_mail) {
    RB_LOG_WARN("the mailbox {}: message {} is no mail, and was passed over: {}", settings_.name, uid, std::string(taken.message()));
    return absl::OkStatus();
  }
  if (!taken.ok()) return absl::UnavailableError(absl::StrCat("an answer cannot be taken in: ", taken.ToString()));
  if (cut) {
    RB_LOG_WARN("the mailbox {}: message {} has {} bytes; its beginning was taken in", settings_.name, uid, mail.whole_bytes);
  }
  return absl::OkStatus();
}

// A message that cannot be moved has been taken in all the same, and those behind it are to come: one refusal a turn.
absl::Status MailboxTurn::Move(Mailbox& folder, uint32_t uid) {
  if (settings_.done_folder.empty() || !move_trouble_.empty()) return absl::OkStatus();
  const absl::Status moved = folder.MoveToDone(uid);
  if (!absl::IsFailedPrecondition(moved)) return moved;
  move_trouble_ = WithoutUser(moved.message(), settings_);
  return absl::OkStatus();
}

}  // namespace ringback::delivery
