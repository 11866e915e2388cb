#include "reminder/app.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/store/records.h"
#include "reminder/reminder_rpc.h"

namespace ringback::reminder {
namespace {

namespace record = ::ringback::store::v1;

class TimerHandler : public runtime::JobHandler {
 public:
  explicit TimerHandler(runtime::Host& host) : host_(host) {}

  // Record, next timer and deliveries in one commit, fenced by the lease: whatever dies before it leaves the entry due,
  // whatever dies after it leaves nothing to do.
  absl::Status Handle(const runtime::Job& job) override {
    const store::Lease& lease = job.lease;
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat("timer/", lease.lease_id);
    commit.lease = lease;

    const store::Key key{lease.key.shard, store::Kind::kCallback, lease.key.id};
    auto callback = store::Load<record::CallbackRecord>(host_.store(), key);
    if (absl::IsNotFound(callback.status())) {
      commit.due.push_back(store::DueChange{lease.key, std::nullopt});
      commit.indexes.push_back(store::DeadTimer(lease.key.shard, lease.key.team, lease.key.id, /*remove=*/true));
      return host_.store().CommitOnce(commit).status();
    }
    RB_RETURN_IF_ERROR(callback.status());
    runtime::JobBegins(job, "");  // a timer's firing begins a trace; what it sends out goes on in it
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(callback->message.team_id()));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    const domain::Decision decision = domain::OnTimer(callback->message, team.message, now);
    store::AddDecision(&callback->message, callback->version, decision, now, &commit);
    commit.indexes.push_back(store::DeadTimer(lease.key.shard, lease.key.team, lease.key.id, /*remove=*/true));  // it fires again
    RB_RETURN_IF_ERROR(host_.store().CommitOnce(commit).status());
    for (const record::DeliveryRecord& delivery : decision.new_deliveries) {
      RB_LOG_INFO("timer of {} fired: delivery {}", lease.key.id, delivery.id());
    }
    return absl::OkStatus();
  }

  // A timer is never given up: it is listed once with the dead letters and tried again in an hour, for ever (law 6).
  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    RB_LOG_ERROR("timer of {} does not fire: {}; next try in an hour", lease.key.id, reason);
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrCat("timer-dead/", lease.lease_id);
    commit.lease = lease;
    commit.due.push_back(store::DueChange{lease.key, now + absl::Hours(1)});
    commit.indexes.push_back(store::DeadTimer(lease.key.shard, lease.key.team, lease.key.id, /*remove=*/false));
    return host_.store().CommitOnce(commit).status();
  }

 private:
  runtime::Host& host_;
};

}  // namespace

absl::Status RunReminder(runtime::Host& host) {
  runtime::WorkerOptions worker;
  worker.name = "promise";
  worker.stage = store::Stage::kPromise;
  worker.slots = 2;
  worker.lease = absl::Seconds(15);
  worker.attempts_max = 20;
  worker.team_in_flight_max = 1000;
  worker.backoff_max = absl::Seconds(5);  // a timer that waits is a promise at stake
  host.AddWorker(worker, std::make_unique<TimerHandler>(host));
  host.AddRpcService(NewReminderRpc(host));
  return absl::OkStatus();
}

}  // namespace ringback::reminder
