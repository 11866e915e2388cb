#include "delivery/worker.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "core/base/laps.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/deliveries.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/bundle.h"
#include "delivery/ended.h"
#include "delivery/retry.h"
#include "delivery/sign_in_job.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

constexpr int kCommitTries = 10;

class DeliveryHandler : public runtime::JobHandler {
 public:
  DeliveryHandler(runtime::Host& host, Wires* wires)
      : host_(host), wires_(wires), lease_(host.config().delivery_lease) {}

  absl::Status Handle(const runtime::Job& job) override {
    Laps laps;
    const store::Lease& lease = job.lease;
    auto work = LoadWork(host_.store(), lease.key.id);
    if (absl::IsNotFound(work.status())) return Forget(lease);  // erased in the meantime
    RB_RETURN_IF_ERROR(work.status());
    DeliveryRecord& delivery = work->delivery.message;
    runtime::JobBegins(job, delivery.trace_id());
    if (delivery.kind() == DeliveryRecord::KIND_SIGN_IN) return SendSignIn(host_, *wires_, lease, lease_, *work);
    if (delivery.state() != DeliveryRecord::STATE_QUEUED && delivery.state() != DeliveryRecord::STATE_SENDING) {
      return Forget(lease);
    }
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    // Asked anew at each try, for the leader of a bundle and for each that follows it.
    const bool own = domain::StillNeeded(work->callback.message, delivery, work->team, now);
    RB_ASSIGN_OR_RETURN(Bundle bundle, LoadBundle(host_.store(), delivery, now));
    if (!own && bundle.lines.empty()) return Withdraw(lease, *work, bundle);
    if (delivery.channels_size() == 0) return RecordOutcome(lease, delivery.id(), NoChannel());

    // Found SENDING: a worker died between that commit and the outcome's. The message leaves again as it was, but for
    // what is no longer true.
    if (delivery.state() == DeliveryRecord::STATE_QUEUED) {
      RB_ASSIGN_OR_RETURN(const absl::Time ready, BundleReady(host_, delivery, now));
      if (ready > now) return host_.store().Release(lease, ready, /*uncount=*/true);
      const absl::Duration wait = wires_->Wait(delivery, work->callback.message);
      if (wait > absl::ZeroDuration()) return host_.store().Release(lease, now + wait, /*uncount=*/true);
    }
    laps.Lap("load");
    RB_RETURN_IF_ERROR(BeginSending(lease, now, &*work, &bundle));
    laps.Lap("begin");

    RB_ASSIGN_OR_RETURN(const auto mp3, Mp3Of(delivery, work->team, job.payload));
    RB_ASSIGN_OR_RETURN(ComposeInput input, InputOf(*work, own, bundle, now));
    if (mp3 != nullptr) input.mp3 = *mp3;
    const SendOutcome outcome = Send(input, lease, rpc::ChannelWord(delivery.channels(delivery.channel()).kind()), &laps);
    if (outcome.result == SendResult::kAborted) return absl::AbortedError("the lease was lost before the message left");
    RB_RETURN_IF_ERROR(RecordOutcome(lease, delivery.id(), outcome, "", own));
    laps.Lap("commit");
    RB_LOG_INFO("delivery: {} {} {}", delivery.id(), std::string(SendResultName(outcome.result)), laps.Text());
    return absl::OkStatus();
  }

  absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) override {
    SendOutcome outcome;
    outcome.result = SendResult::kPermanent;
    outcome.reason = reason;
    const auto work = LoadWork(host_.store(), lease.key.id);
    if (work.ok() && work->delivery.message.kind() == DeliveryRecord::KIND_SIGN_IN) return DropSignIn(host_, lease, *work);
    const absl::Status status = RecordOutcome(lease, lease.key.id, outcome, reason);
    return absl::IsNotFound(status) ? Forget(lease) : status;
  }

 private:
  SendOutcome Send(const ComposeInput& input, const store::Lease& lease, const std::string& channel, Laps* laps) {
    const absl::Time begin = absl::Now();
    const auto still_ours = [&] {
      laps->Lap("greet");
      const absl::Status status = host_.store().Extend(lease, lease_).status();
      laps->Lap("extend");
      return status;
    };
    SendOutcome outcome = wires_->Send(input, still_ours, laps);
    laps->Lap("send");
    host_.metrics().Observe("ringback_send_seconds", {{"channel", channel}}, absl::ToDoubleSeconds(absl::Now() - begin));
    host_.metrics().Count("ringback_sends_total",
                          {{"channel", channel}, {"outcome", std::string(SendResultName(outcome.result))}});
    return outcome;
  }

  static SendOutcome NoChannel() {
    SendOutcome outcome;
    outcome.result = SendResult::kPermanent;
    outcome.reason = "there is no address to send this to";
    return outcome;
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

  // Nobody is left to be told of anything in it.
  absl::Status Withdraw(const store::Lease& lease, const Work& work, const Bundle& bundle) {
    store::Commit commit = NewCommit(lease, "withdraw", 0);
    DeliveryRecord delivery = work.delivery.message;
    DropSettled(bundle, &delivery, &commit);
    delivery.set_state(DeliveryRecord::STATE_WITHDRAWN);
    store::AddDelivery(delivery, work.delivery.version, &commit);
    commit.due.push_back(store::DueChange{lease.key, std::nullopt});
    return Commit(commit);
  }

  absl::Status Commit(const store::Commit& commit, const std::string& dead_letter = "") {
    const absl::Status status = host_.store().CommitOnce(commit).status();
    if (status.ok()) TellEnded(commit, dead_letter, host_.metrics());
    return status;
  }

  // SENDING, fenced by lease and version, before anything leaves. Alarms that wait for the same member join; what is no
  // longer true is taken out.
  absl::Status BeginSending(const store::Lease& lease, absl::Time now, Work* work, Bundle* bundle) {
    DeliveryRecord& delivery = work->delivery.message;
    if (delivery.state() == DeliveryRecord::STATE_SENDING && bundle->settled.empty()) return absl::OkStatus();
    store::Commit commit = NewCommit(lease, "sending", 0);
    DropSettled(*bundle, &delivery, &commit);
    if (delivery.state() == DeliveryRecord::STATE_QUEUED) {
      if (IsFreshAlarm(delivery)) RB_RETURN_IF_ERROR(GatherBundle(host_.store(), now, &delivery, bundle, &commit));
      RB_RETURN_IF_ERROR(NumberEntry(work, &commit));
      delivery.set_state(DeliveryRecord::STATE_SENDING);
    }
    store::AddDelivery(delivery, work->delivery.version, &commit);
    return Commit(commit);
  }

  // Calendar entries are numbered when they leave: a calendar ignores one that has a lower SEQUENCE than it knows, however
  // much later it came.
  static absl::Status NumberEntry(Work* work, store::Commit* commit) {
    DeliveryRecord& delivery = work->delivery.message;
    record::CallbackRecord& callback = work->callback.message;
    if (!delivery.member_id().empty() || delivery.promise_revision() == 0) return absl::OkStatus();
    if (delivery.calendar_entry() > 0 && delivery.calendar_entry() == callback.calendar_entries()) return absl::OkStatus();
    callback.set_calendar_entries(std::max(callback.calendar_entries(), delivery.calendar_sequence()) + 1);
    delivery.set_calendar_entry(callback.calendar_entries());
    RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(callback.id()));
    store::AddPut(key, work->callback.version, callback, commit);
    return absl::OkStatus();
  }

  // The leader speaks for itself and for the lines; without its own (`own`), the first line speaks in the leader's name,
  // so that a repeat keeps its Message-ID. Points into its arguments.
  absl::StatusOr<ComposeInput> InputOf(const Work& work, bool own, Bundle& bundle, absl::Time now) {
    ComposeInput input;
    input.delivery = &work.delivery.message;
    input.callback = &work.callback.message;
    input.team = &work.team;
    input.public_url = host_.config().public_url;
    input.mail_domain = host_.config().mail_domain;
    input.envelope_sender = host_.config().mail_envelope_sender;
    input.now = now;
    auto line = bundle.lines.begin();
    if (!own) {
      DeliveryRecord& first = line->delivery.message;
      first.set_id(work.delivery.message.id());
      *first.mutable_channels() = work.delivery.message.channels();
      first.set_channel(work.delivery.message.channel());
      input.delivery = &first;
      input.callback = &line->callback.message;
      ++line;
    }
    for (; line != bundle.lines.end(); ++line) {
      input.bundled.push_back({line->delivery.message, line->callback.message});
    }
    RB_ASSIGN_OR_RETURN(input.failure, FailureOf(work));
    return input;
  }

  // An alarm that a message was not accepted in time names no reason: its last try has one, if there was a try.
  absl::StatusOr<std::string> FailureOf(const Work& work) {
    const DeliveryRecord& alarm = work.delivery.message;
    if (alarm.kind() != DeliveryRecord::KIND_DELIVERY_ALARM || !alarm.reason().empty()) return std::string();
    for (const record::PromiseRecord& promise : work.callback.message.promises()) {
      if (promise.revision() != alarm.promise_revision() || promise.delivery_id().empty()) continue;
      RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(promise.delivery_id()));
      const auto late = store::Load<DeliveryRecord>(host_.store(), key);
      if (absl::IsNotFound(late.status())) return std::string();
      RB_RETURN_IF_ERROR(late.status());
      return late->message.tries().empty() ? std::string() : late->message.tries().rbegin()->reason();
    }
    return std::string();
  }

  // The rendition that goes along, nullptr for none. `handed_off` may be nullptr.
  absl::StatusOr<std::shared_ptr<const std::string>> Mp3Of(const DeliveryRecord& delivery, const record::TeamRecord& team,
                                                           const std::shared_ptr<const std::string>& handed_off) {
    if (delivery.kind() != DeliveryRecord::KIND_VOICE_MESSAGE || delivery.recording_id().empty()) return nullptr;
    if (team.media_mode() == record::TeamRecord::MEDIA_MODE_LINK && !host_.config().public_url.empty()) return nullptr;
    RB_ASSIGN_OR_RETURN(const store::Key key, store::RecordingKey(delivery.recording_id()));
    RB_ASSIGN_OR_RETURN(const auto recording, store::Load<record::RecordingRecord>(host_.store(), key));
    if (handed_off != nullptr && static_cast<int64_t>(handed_off->size()) == recording.message.mp3_size_bytes()) {
      return handed_off;
    }
    RB_ASSIGN_OR_RETURN(std::string bytes, host_.blobs().Get(recording.message.mp3_blob()));
    return std::make_shared<const std::string>(std::move(bytes));
  }

  // The message has left: without its outcome on record it would leave again. A store that is away for a moment (a
  // failover) is asked again for half a minute with the same commit, which is carried out once; meanwhile nobody else can
  // claim it there either.
  absl::Status CommitOutcome(const store::Commit& commit, const std::string& dead_letter) {
    absl::Status status = Commit(commit, dead_letter);
    const absl::Time give_up = host_.clock().Now() + lease_ / 2;
    absl::Duration pause = absl::Milliseconds(20);
    for (int i = 0; i < kCommitTries && absl::IsUnavailable(status) && host_.clock().Now() < give_up; ++i) {
      absl::SleepFor(pause);
      pause = std::min(2 * pause, absl::Seconds(4));
      status = Commit(commit, dead_letter);
    }
    return status;
  }

  // Applies what became of the message to the records as they are now. Never sends: an ABORTED here only means that
  // something else changed meanwhile, or that another worker took over and will find the outcome recorded.
  // `own`: the message spoke of this delivery itself, not only of those that follow it.
  absl::Status RecordOutcome(const store::Lease& lease, const std::string& delivery_id, const SendOutcome& outcome,
                             const std::string& dead_reason = "", bool own = true) {
    absl::Status status;
    bool fenced = true;
    for (int i = 0; i < kCommitTries; ++i) {
      RB_ASSIGN_OR_RETURN(Work work, LoadWork(host_.store(), delivery_id));
      DeliveryRecord& delivery = work.delivery.message;
      TraceScope::GoOnUnder(delivery.trace_id());
      if (delivery.state() != DeliveryRecord::STATE_SENDING && delivery.state() != DeliveryRecord::STATE_QUEUED) {
        return absl::OkStatus();
      }
      RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
      store::Commit commit = NewCommit(lease, "outcome", i);
      if (!fenced) commit.lease.reset();
      RB_RETURN_IF_ERROR(ApplyOutcome(outcome, dead_reason, own, now, &work, &commit));
      status = CommitOutcome(commit, dead_reason.empty() ? "" : delivery_id);
      if (status.ok() && (delivery.state() == DeliveryRecord::STATE_QUEUED || delivery.state() == DeliveryRecord::STATE_SENDING)) {
        RB_LOG_INFO("delivery {} was not accepted in try {} and is tried again", delivery.id(), delivery.tries_size());
      }
      if (!absl::IsAborted(status)) return status;
      fenced = host_.store().Extend(lease, lease_).ok();
    }
    return status;
  }

  absl::Status ApplyOutcome(const SendOutcome& outcome, const std::string& dead_reason, bool own, absl::Time now,
                            Work* work, store::Commit* commit) {
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
    // Nobody has set up a gateway: the list is as if it were shorter, and the reason stays that of the last real try.
    if (next.kind == NextStep::Kind::kNextChannel && !wires_->Has(delivery.channels(delivery.channel() + 1))) {
      next.kind = NextStep::Kind::kFailed;
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
    const DeliveryRecord ended = delivery;
    const bool ends = next.kind == NextStep::Kind::kDone || next.kind == NextStep::Kind::kFailed;
    if (ends && !own) {  // it only carried the others
      delivery.set_state(DeliveryRecord::STATE_WITHDRAWN);
      delivery.clear_accept_time();
      delivery.clear_dead_reason();
    }
    store::AddDelivery(delivery, work->delivery.version, commit);
    if (!ends) return absl::OkStatus();

    domain::DeliveryOutcome told;
    told.result = next.kind == NextStep::Kind::kDone ? domain::DeliveryOutcome::Result::kAccepted
                                                     : domain::DeliveryOutcome::Result::kFailed;
    told.reason = ended.dead_reason();
    if (own) AddOutcome(work->callback, delivery, told, work->team, now, commit);
    return EndBundle(ended, own, told, now, commit);
  }

  static void AddOutcome(const store::Loaded<record::CallbackRecord>& callback, const DeliveryRecord& delivery,
                         const domain::DeliveryOutcome& told, const record::TeamRecord& team, absl::Time now,
                         store::Commit* commit) {
    const domain::Decision decision = domain::OnDeliveryOutcome(callback.message, delivery, told, team, now);
    if (decision.events.empty() && decision.new_deliveries.empty() && decision.counters.empty()) return;
    store::AddDecision(&callback.message, callback.version, decision, now, commit);
  }

  // Those that followed have the outcome of the message they were in.
  absl::Status EndBundle(const DeliveryRecord& leader, bool own, const domain::DeliveryOutcome& told, absl::Time now,
                         store::Commit* commit) {
    std::vector<std::string> callbacks;
    if (own) callbacks.push_back(leader.callback_id());
    for (const std::string& id : leader.bundle_ids()) {
      auto other = LoadWork(host_.store(), id);
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
  // Longer than the transports' deadline, so that nobody takes over while the content is on its way.
  const absl::Duration lease_;
};

}  // namespace

std::unique_ptr<runtime::JobHandler> NewDeliveryHandler(runtime::Host& host, Wires* wires) {
  return std::make_unique<DeliveryHandler>(host, wires);
}

}  // namespace ringback::delivery
