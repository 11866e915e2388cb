#include "delivery/busy_job.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/team.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/reason_line.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

constexpr absl::Duration kEvery = absl::Minutes(15);
constexpr absl::Duration kAhead = absl::Hours(24 * 90);  // as far as a promise reaches
constexpr size_t kBytesMax = 5 << 20;
constexpr absl::Duration kFetchTimeout = absl::Seconds(20);

class BusyHandler : public runtime::JobHandler {
 public:
  BusyHandler(runtime::Host& host, HttpSender* http, calendars::BusyParser* parser) : host_(host), http_(http), parser_(parser) {}

  absl::Status Handle(const runtime::Job& job) override {
    const store::Lease& lease = job.lease;
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(lease.key.team));
    const auto team = store::Load<record::TeamRecord>(host_.store(), team_key);
    if (absl::IsNotFound(team.status())) return Forget(lease);
    RB_RETURN_IF_ERROR(team.status());
    const record::Member* member = domain::FindMember(team->message, lease.key.id);
    if (member == nullptr || member->inactive() || member->busy_url().empty()) return Forget(lease);
    runtime::JobBegins(job, "");

    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    const auto times = Read(*member, team->message, now);
    record::BusyRecord busy;
    if (times.ok()) {
      *busy.mutable_fetch_time() = rpc::ToProto(now);
      for (const calendars::BusyTimes& one : *times) {
        auto* span = busy.add_spans();
        *span->mutable_start_time() = rpc::ToProto(one.start);
        *span->mutable_end_time() = rpc::ToProto(one.end);
      }
    } else {
      RB_ASSIGN_OR_RETURN(busy, LastKnown(lease));
      busy.set_trouble(ReasonLine(std::string(times.status().message())));
      RB_LOG_INFO("calendar subscription of {}: {}", member->id(), busy.trouble());
    }
    busy.set_member_id(member->id());
    return Commit(lease, busy.SerializeAsString(), now + kEvery);
  }

  // Nothing is lost by it: the next reading is as good.
  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    RB_LOG_ERROR("calendar subscription of {} was not read: {}", lease.key.id, reason);
    return host_.store().Release(lease, lease.due + kEvery, /*uncount=*/true);
  }

 private:
  absl::StatusOr<std::vector<calendars::BusyTimes>> Read(const record::Member& member, const record::TeamRecord& team,
                                              absl::Time now) {
    // What travels in clear is read by anybody on the way: within the own network at most.
    if (!absl::StartsWithIgnoreCase(member.busy_url(), "https://") && !host_.config().webhook_allow_private) {
      return absl::InvalidArgumentError("a calendar is read by https:// only");
    }
    RB_ASSIGN_OR_RETURN(const std::string calendar, http_->Get(member.busy_url(), kBytesMax, kFetchTimeout));
    auto zone = domain::LoadZone(member.time_zone().empty() ? team.time_zone() : member.time_zone());
    return parser_->Parse(calendar, zone.ok() ? *zone : absl::UTCTimeZone(), now, now + kAhead);
  }

  static absl::StatusOr<store::Key> KeyOf(const store::Lease& lease) { return store::BusyKey(lease.key.id); }

  absl::StatusOr<record::BusyRecord> LastKnown(const store::Lease& lease) {
    RB_ASSIGN_OR_RETURN(const store::Key key, KeyOf(lease));
    auto known = store::Load<record::BusyRecord>(host_.store(), key);
    if (absl::IsNotFound(known.status())) return record::BusyRecord();
    RB_RETURN_IF_ERROR(known.status());
    return std::move(known->message);
  }

  absl::Status Forget(const store::Lease& lease) { return Commit(lease, std::nullopt, std::nullopt); }

  // Fenced by the lease alone: a subscription that was changed meanwhile has made the entry anew.
  absl::Status Commit(const store::Lease& lease, std::optional<std::string> value, std::optional<absl::Time> due) {
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat("busy/", lease.lease_id);
    commit.lease = lease;
    store::Put put;
    RB_ASSIGN_OR_RETURN(put.key, KeyOf(lease));
    put.any_version = true;
    put.value = std::move(value);
    commit.puts.push_back(std::move(put));
    commit.due.push_back(store::DueChange{lease.key, due});
    const absl::Status status = host_.store().CommitOnce(commit).status();
    return absl::IsAborted(status) ? absl::OkStatus() : status;
  }

  runtime::Host& host_;
  HttpSender* const http_;
  calendars::BusyParser* const parser_;
};

}  // namespace

std::unique_ptr<runtime::JobHandler> NewBusyHandler(runtime::Host& host, HttpSender* http, calendars::BusyParser* parser) {
  return std::make_unique<BusyHandler>(host, http, parser);
}

}  // namespace ringback::delivery
