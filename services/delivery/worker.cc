#include "delivery/worker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/deliveries.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/retry.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

constexpr int kCommitTries = 10;
constexpr int kBundleMax = 100;
// A morning's alarms fall due in the same moment: a few seconds gather them into one digest.
constexpr absl::Duration kDigestGather = absl::Seconds(3);

struct Work {
  store::Loaded<DeliveryRecord> delivery;
  store::Loaded<record::CallbackRecord> callback;
  record::TeamRecord team;
};

class DeliveryHandler : public runtime::JobHandler {
 public:
  DeliveryHandler(runtime::Host& host, Wires* wires) : host_(host), wires_(wires) {}

  absl::Status Handle(const runtime::Job& job) override {
    const store::Lease& lease = job.lease;
    auto work = LoadWork(lease.key.id);
    if (absl::IsNotFound(work.status())) return Forget(lease);  // erased in the meantime
    RB_RETURN_IF_ERROR(work.status());
    DeliveryRecord& delivery = work->delivery.message;
    if (delivery.state() != DeliveryRecord::STATE_QUEUED && delivery.state() != DeliveryRecord::STATE_SENDING) {
      return Forget(lease);
    }
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    if (!domain::StillNeeded(work->callback.message, delivery, work->team, now)) return Withdraw(lease, *work);
    if (delivery.channels_size() == 0) return RecordOutcome(lease, delivery.id(), NoChannel());

    RB_ASSIGN_OR_RETURN(std::vector<ComposeInput::Bundled> bundled, LoadBundle(delivery));
    // Found SENDING: a worker died between that commit and the outcome's. The message leaves again as it was.
    if (delivery.state() == DeliveryRecord::STATE_QUEUED) {
      RB_ASSIGN_OR_RETURN(const absl::Time ready, BundleReady(delivery, now));
      if (ready > now) return host_.store().Release(lease, ready, /*uncount=*/true);
      const absl::Duration wait = wires_->Wait(delivery, work->callback.message);
      if (wait > absl::ZeroDuration()) return host_.store().Release(lease, now + wait, /*uncount=*/true);
      RB_RETURN_IF_ERROR(BeginSending(lease, now, &*work, &bundled));
    }

    ComposeInput input;
    input.delivery = &delivery;
    input.callback = &work->callback.message;
    input.team = &work->team;
    input.public_url = host_.config().public_url;
    input.mail_domain = host_.config().mail_domain;
    input.envelope_sender = host_.config().mail_envelope_sender;
    input.now = now;
    input.bundled = std::move(bundled);
    RB_ASSIGN_OR_RETURN(input.mp3, Mp3Of(delivery, work->team, job.payload.get()));

    const SendOutcome outcome = wires_->Send(input, [&] { return host_.store().Extend(lease, kLeaseInData).status(); });
    host_.metrics().Count("ringback_sends_total",
                          {{"channel", rpc::ChannelWord(delivery.channels(delivery.channel()).kind())},
                           {"outcome", std::string(SendResultName(outcome.result))}});
    if (outcome.result == SendResult::kAborted) return absl::AbortedError("the lease was lost before the message left");
    return RecordOutcome(lease, delivery.id(), outcome);
  }

  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    SendOutcome outcome;
    outcome.result = SendResult::kPermanent;
    outcome.reason = reason;
    const absl::Status status = RecordOutcome(lease, lease.key.id, outcome, reason);
    return absl::IsNotFound(status) ? Forget(lease) : status;
  }

 private:
  // Longer than the transports' deadline, so that nobody takes over while the content is on its way.
  static constexpr absl::Duration kLeaseInData = absl::Seconds(60);

  static SendOutcome NoChannel() {
    SendOutcome outcome;
    outcome.result = SendResult::kPermanent;
    outcome.reason = "there is no address to send this to";
    return outcome;
  }

  absl::StatusOr<Work> LoadWork(const std::string& delivery_id) {
    Work work;
    RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(delivery_id));
    RB_ASSIGN_OR_RETURN(work.delivery, store::Load<DeliveryRecord>(host_.store(), key));
    RB_ASSIGN_OR_RETURN(const store::Key callback_key, store::CallbackKey(work.delivery.message.callback_id()));
    RB_ASSIGN_OR_RETURN(work.callback, store::Load<record::CallbackRecord>(host_.store(), callback_key));
    RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(work.delivery.message.team_id()));
    RB_ASSIGN_OR_RETURN(auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    work.team = std::move(team.message);
    return work;
  }

  absl::Status Forget(const store::Lease& lease) {
    store::Commit commit = NewCommit(lease, "forget", 0);
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    return host_.store().CommitOnce(commit).status();
  }

  static store::Commit NewCommit(const store::Lease& lease, std::string_view what, int n) {
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = absl::StrFormat("%s/%s/%d", std::string(what), lease.lease_id, n);
    commit.lease = lease;
    return commit;
  }

  absl::Status Withdraw(const store::Lease& lease, const Work& work) {
    store::Commit commit = NewCommit(lease, "withdraw", 0);
    DeliveryRecord delivery = work.delivery.message;
    delivery.set_state(DeliveryRecord::STATE_WITHDRAWN);
    store::AddDelivery(delivery, work.delivery.version, &commit);
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    return host_.store().CommitOnce(commit).status();
  }

  // An alarm that has not been tried yet: only such ones wait for others and join them.
  static bool IsFreshAlarm(const DeliveryRecord& delivery) {
    return delivery.kind() == DeliveryRecord::KIND_ESCALATION && delivery.tries().empty() &&
           delivery.bundle_ids().empty();
  }

  static store::IndexKey AlarmedIndex(const DeliveryRecord& delivery, int shard) {
    return store::IndexKey{shard, delivery.team_id(), absl::StrCat(std::string(store::index::kAlarmed), delivery.member_id())};
  }

  // Alarms to one member within the window after the last one wait for its end and leave together.
  absl::StatusOr<absl::Time> BundleReady(const DeliveryRecord& delivery, absl::Time now) {
    if (!IsFreshAlarm(delivery)) return now;
    const absl::Time created = rpc::FromProto(delivery.create_time());
    absl::Time ready = delivery.digest() ? created + kDigestGather : now;
    RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(delivery.id()));
    store::Page newest;
    newest.limit = 1;
    newest.descending = true;
    RB_ASSIGN_OR_RETURN(const auto last, host_.store().Scan(AlarmedIndex(delivery, key.shard), "", "", newest));
    if (!last.members.empty()) {
      ready = std::max(ready, store::TimeOfMember(last.members[0]) + host_.config().bundle_window);
    }
    return ready;
  }

  // SENDING, fenced by lease and version, before anything leaves. Alarms that wait for the same member join.
  absl::Status BeginSending(const store::Lease& lease, absl::Time now, Work* work,
                            std::vector<ComposeInput::Bundled>* bundled) {
    DeliveryRecord& delivery = work->delivery.message;
    store::Commit commit = NewCommit(lease, "sending", 0);
    if (IsFreshAlarm(delivery)) {
      RB_RETURN_IF_ERROR(GatherBundle(now, lease.key.shard, &delivery, bundled, &commit));
      const store::IndexKey alarmed = AlarmedIndex(delivery, lease.key.shard);
      RB_ASSIGN_OR_RETURN(const auto before, host_.store().Scan(alarmed, "", "", store::Page{}));
      for (const std::string& member : before.members) commit.indexes.push_back({alarmed, member, true});
      commit.indexes.push_back({alarmed, store::Member(store::SortKey(now), delivery.id()), false});
    }
    delivery.set_state(DeliveryRecord::STATE_SENDING);
    store::AddDelivery(delivery, work->delivery.version, &commit);
    RB_RETURN_IF_ERROR(host_.store().CommitOnce(commit).status());
    ++work->delivery.version;
    return absl::OkStatus();
  }

  absl::Status GatherBundle(absl::Time now, int shard, DeliveryRecord* leader,
                            std::vector<ComposeInput::Bundled>* bundled, store::Commit* commit) {
    const store::IndexKey waiting{shard, leader->team_id(),
                                  absl::StrCat(std::string(store::index::kAlarms), leader->member_id())};
    store::Page page;
    page.limit = kBundleMax;
    RB_ASSIGN_OR_RETURN(const auto scan, host_.store().Scan(waiting, "", "", page));
    for (const std::string& member : scan.members) {
      const std::string id(store::IdOfMember(member));
      if (id == leader->id()) continue;
      auto other = LoadWork(id);
      if (absl::IsNotFound(other.status())) continue;
      RB_RETURN_IF_ERROR(other.status());
      DeliveryRecord& follower = other->delivery.message;
      if (follower.state() != DeliveryRecord::STATE_QUEUED || !IsFreshAlarm(follower) || follower.channel() != leader->channel() ||
          !domain::StillNeeded(other->callback.message, follower, other->team, now)) {
        continue;
      }
      follower.set_state(DeliveryRecord::STATE_SENDING);
      follower.set_bundled_into_id(leader->id());
      leader->add_bundle_ids(follower.id());
      store::AddDelivery(follower, other->delivery.version, commit);
      commit->due.push_back(store::DueChange{store::DeliveryDue(follower), std::nullopt});
      bundled->push_back({follower, other->callback.message});
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ComposeInput::Bundled>> LoadBundle(const DeliveryRecord& leader) {
    std::vector<ComposeInput::Bundled> bundled;
    for (const std::string& id : leader.bundle_ids()) {
      auto other = LoadWork(id);
      if (absl::IsNotFound(other.status())) continue;
      RB_RETURN_IF_ERROR(other.status());
      bundled.push_back({std::move(other->delivery.message), std::move(other->callback.message)});
    }
    return bundled;
  }

  // `handed_off` may be nullptr.
  absl::StatusOr<std::string> Mp3Of(const DeliveryRecord& delivery, const record::TeamRecord& team,
                                    const std::string* handed_off) {
    if (delivery.kind() != DeliveryRecord::KIND_VOICE_MESSAGE || delivery.recording_id().empty()) return std::string();
    if (team.media_mode() == record::TeamRecord::MEDIA_MODE_LINK && !host_.config().public_url.empty()) {
      return std::string();
    }
    RB_ASSIGN_OR_RETURN(const store::Key key, store::RecordingKey(delivery.recording_id()));
    RB_ASSIGN_OR_RETURN(const auto recording, store::Load<record::RecordingRecord>(host_.store(), key));
    if (handed_off != nullptr && static_cast<int64_t>(handed_off->size()) == recording.message.mp3_size_bytes()) {
      return *handed_off;
    }
    return host_.blobs().Get(recording.message.mp3_blob());
  }

  // Applies what became of the message to the records as they are now. Never sends: an ABORTED here only means that
  // something else changed meanwhile, or that another worker took over and will find the outcome recorded.
  absl::Status RecordOutcome(const store::Lease& lease, const std::string& delivery_id, const SendOutcome& outcome,
                             const std::string& dead_reason = "") {
    absl::Status status;
    bool fenced = true;
    for (int i = 0; i < kCommitTries; ++i) {
      RB_ASSIGN_OR_RETURN(Work work, LoadWork(delivery_id));
      DeliveryRecord& delivery = work.delivery.message;
      if (delivery.state() != DeliveryRecord::STATE_SENDING && delivery.state() != DeliveryRecord::STATE_QUEUED) {
        return absl::OkStatus();
      }
      RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
      store::Commit commit = NewCommit(lease, "outcome", i);
      if (!fenced) commit.lease.reset();
      RB_RETURN_IF_ERROR(ApplyOutcome(outcome, dead_reason, now, &work, &commit));
      status = host_.store().CommitOnce(commit).status();
      if (!absl::IsAborted(status)) return status;
      fenced = host_.store().Extend(lease, kLeaseInData).ok();
    }
    return status;
  }

  absl::Status ApplyOutcome(const SendOutcome& outcome, const std::string& dead_reason, absl::Time now, Work* work,
                            store::Commit* commit) {
    DeliveryRecord& delivery = work->delivery.message;
    DeliveryRecord::Try* made = delivery.add_tries();
    *made->mutable_time() = rpc::ToProto(now);
    made->set_channel(delivery.channel());
    made->set_accepted(outcome.result == SendResult::kAccepted);
    made->set_permanent(outcome.result == SendResult::kPermanent);
    made->set_reason(outcome.reason);
    ForgetMiddleTries(&delivery, now);

    NextStep next{NextStep::Kind::kFailed, now};
    if (dead_reason.empty() && delivery.channels_size() > 0) {
      const double jitter = static_cast<double>(host_.random().Next() >> 11) / 9007199254740992.0;  // 2^53
      next = After(delivery, outcome, now, jitter, host_.config().delivery_attempts_max);
    }
    store::DueChange due{store::DeliveryDue(delivery), std::nullopt};
    switch (next.kind) {
      case NextStep::Kind::kDone:
        delivery.set_state(DeliveryRecord::STATE_ACCEPTED);
        *delivery.mutable_accept_time() = rpc::ToProto(now);
        break;
      case NextStep::Kind::kAgain:
        // Without an answer it may have arrived: it stays SENDING, and goes out again with the same Message-ID.
        delivery.set_state(outcome.result == SendResult::kUnknown ? DeliveryRecord::STATE_SENDING
                                                                  : DeliveryRecord::STATE_QUEUED);
        due.due = next.when;
        break;
      case NextStep::Kind::kNextChannel:
        delivery.set_channel(delivery.channel() + 1);
        delivery.set_state(DeliveryRecord::STATE_QUEUED);
        due.due = now;
        break;
      case NextStep::Kind::kFailed:
        delivery.set_state(DeliveryRecord::STATE_FAILED);
        delivery.set_dead_reason(dead_reason.empty() ? outcome.reason : dead_reason);
        break;
    }
    commit->due.push_back(std::move(due));
    store::AddDelivery(delivery, work->delivery.version, commit);
    if (next.kind == NextStep::Kind::kAgain || next.kind == NextStep::Kind::kNextChannel) return absl::OkStatus();

    domain::DeliveryOutcome told;
    told.result = next.kind == NextStep::Kind::kDone ? domain::DeliveryOutcome::Result::kAccepted
                                                     : domain::DeliveryOutcome::Result::kFailed;
    told.reason = delivery.dead_reason();
    AddOutcome(work->callback, delivery, told, work->team, now, commit);
    return EndBundle(delivery, told, now, commit);
  }

  static void AddOutcome(const store::Loaded<record::CallbackRecord>& callback, const DeliveryRecord& delivery,
                         const domain::DeliveryOutcome& told, const record::TeamRecord& team, absl::Time now,
                         store::Commit* commit) {
    const domain::Decision decision = domain::OnDeliveryOutcome(callback.message, delivery, told, team, now);
    if (decision.events.empty() && decision.new_deliveries.empty() && decision.counters.empty()) return;
    store::AddDecision(&callback.message, callback.version, decision, now, commit);
  }

  absl::Status EndBundle(const DeliveryRecord& leader, const domain::DeliveryOutcome& told, absl::Time now,
                         store::Commit* commit) {
    std::vector<std::string> callbacks = {leader.callback_id()};
    for (const std::string& id : leader.bundle_ids()) {
      auto other = LoadWork(id);
      if (absl::IsNotFound(other.status())) continue;
      RB_RETURN_IF_ERROR(other.status());
      DeliveryRecord& follower = other->delivery.message;
      if (follower.bundled_into_id() != leader.id() || follower.state() != DeliveryRecord::STATE_SENDING) continue;
      follower.set_state(leader.state());
      if (leader.has_accept_time()) *follower.mutable_accept_time() = leader.accept_time();
      follower.set_dead_reason(leader.dead_reason());
      store::AddDelivery(follower, other->delivery.version, commit);
      // Two alarms of one callback in one bundle: the first has told it.
      if (std::find(callbacks.begin(), callbacks.end(), follower.callback_id()) != callbacks.end()) continue;
      callbacks.push_back(follower.callback_id());
      AddOutcome(other->callback, follower, told, other->team, now, commit);
    }
    return absl::OkStatus();
  }

  runtime::Host& host_;
  Wires* const wires_;
};

}  // namespace

std::unique_ptr<runtime::JobHandler> NewDeliveryHandler(runtime::Host& host, Wires* wires) {
  return std::make_unique<DeliveryHandler>(host, wires);
}

}  // namespace ringback::delivery
