// Law 4: delivery guards the promise. What the customer's channel said of a message (accepted, refused, came back, late),
// what it means for the promise that it carries, and the alarm to the rep when the customer may not have heard.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/domain/deliveries.h"
#include "core/domain/draft.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::Channel;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

constexpr size_t kReasonBytes = 500;

// The rep's channels with the kind that just failed at the end (law 4: not only by the channel that failed).
void MoveToEnd(DeliveryRecord& delivery, Channel::Kind failed) {
  std::stable_partition(delivery.mutable_channels()->begin(), delivery.mutable_channels()->end(),
                        [failed](const Channel& channel) { return channel.kind() != failed; });
}

Channel::Kind KindToCustomer(const CallbackRecord& callback, const PromiseRecord& promise) {
  if (promise.channel() == PromiseRecord::CHANNEL_SMS || callback.caller().email().empty()) return Channel::KIND_SMS;
  return Channel::KIND_MAIL;
}

void NotDelivered(Draft& draft, PromiseRecord& promise, std::string_view why) {
  promise.set_state(PromiseRecord::STATE_NOT_DELIVERED);
  draft.Event("not_delivered", {{"revision", absl::StrCat(promise.revision())}, {"why", std::string(why)}});
}

// Its acceptance tells the customer of the promise, and arms it.
bool CarriesPromise(const DeliveryRecord& delivery) {
  return delivery.kind() == DeliveryRecord::KIND_VOICE_MESSAGE || IsOffer(delivery);
}

// Whether an acceptance still makes this the promise that counts: the customer knows of nothing newer. A message that
// was given up or replaced can still arrive; what the customer then holds in hand is what the team owes.
bool AcceptanceCounts(const CallbackRecord& callback, const PromiseRecord& promise) {
  if (callback.phase() == CallbackRecord::PHASE_CLOSED) return false;
  if (promise.state() == PromiseRecord::STATE_PENDING) return true;
  if (promise.state() != PromiseRecord::STATE_NOT_DELIVERED && promise.state() != PromiseRecord::STATE_WITHDRAWN) {
    return false;
  }
  if (callback.phase() == CallbackRecord::PHASE_TALKED) return false;  // the talk was after it
  for (const PromiseRecord& other : callback.promises()) {
    const bool known = other.state() == PromiseRecord::STATE_ARMED || other.state() == PromiseRecord::STATE_SETTLED;
    if (other.revision() > promise.revision() && known) return false;
  }
  // Replaced by nothing newer means that a conversation replaced it.
  return promise.state() == PromiseRecord::STATE_NOT_DELIVERED ||
         promise.revision() < callback.promises(callback.promises_size() - 1).revision();
}

Channel::Kind KindInUse(const DeliveryRecord& delivery) {
  return delivery.channel() >= 0 && delivery.channel() < delivery.channels_size()
             ? delivery.channels(delivery.channel()).kind()
             : Channel::KIND_UNSPECIFIED;
}

}  // namespace

void DeliveryAlarm(Draft& draft, int revision, std::string_view what, const std::string& reason,
                   Channel::Kind failed, const std::vector<Told>& recipients) {
  const std::string brief_reason = reason.substr(0, kReasonBytes);
  if (draft.callback.phase() != CallbackRecord::PHASE_CLOSED) {
    draft.callback.set_delivery_alarm(brief_reason.empty() ? std::string(what)
                                                           : absl::StrCat(std::string(what), ": ", brief_reason));
  }
  draft.Event("delivery_alarm", {{"revision", absl::StrCat(revision)}, {"what", std::string(what)}});
  const auto fill = [&](DeliveryRecord& delivery) {
    delivery.set_promise_revision(revision);
    delivery.set_what(std::string(what));
    delivery.set_reason(brief_reason);
  };
  for (const Told& told : recipients) {
    DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_DELIVERY_ALARM, told);
    fill(delivery);
    MoveToEnd(delivery, failed);
    // Somebody whose only other channel is the desk may not be sitting at it: the failed kind is tried beside it.
    if (delivery.channels(0).kind() != Channel::KIND_DESK || delivery.channels_size() == 1) continue;
    delivery.mutable_channels()->DeleteSubrange(1, delivery.channels_size() - 1);
    DeliveryRecord& beside = draft.ToMember(DeliveryRecord::KIND_DELIVERY_ALARM, told);
    fill(beside);
  }
}

void ClearDeliveryAlarm(Draft& draft) {
  if (draft.callback.delivery_alarm().empty()) return;
  draft.callback.clear_delivery_alarm();
  draft.Event("delivery_alarm_cleared");
}

// A short promise cannot leave a quarter of an hour for its message: then half of its span.
absl::Time StakeTime(const PromiseRecord& promise, const record::Policy& policy) {
  const absl::Time promised = FromProto(promise.promised_time());
  const absl::Duration half = (promised - FromProto(promise.create_time())) / 2;
  return promised - std::min(FromProto(policy.delivery_guard()), half);
}

void FirePending(Draft& draft) {
  PromiseRecord* promise = Pending(draft.callback);
  if (promise == nullptr || draft.now < StakeTime(*promise, draft.rules.policy)) return;
  if (!promise->guard_alarmed()) {
    promise->set_guard_alarmed(true);
    DeliveryAlarm(draft, promise->revision(), "not_accepted_in_time", "", KindToCustomer(draft.callback, *promise),
                  draft.Owner());
  }
  if (draft.now >= FromProto(promise->promised_time())) NotDelivered(draft, *promise, "not_accepted_in_time");
}

std::optional<absl::Time> DelayGuardTime(const PromiseRecord& promise, const record::Policy& policy) {
  const bool guarded = promise.state() == PromiseRecord::STATE_ARMED && promise.has_delay_time();
  if (!guarded || promise.guard_alarmed()) return std::nullopt;
  return StakeTime(promise, policy);
}

void FireDelayed(Draft& draft) {
  PromiseRecord* promise = Armed(draft.callback);
  if (promise == nullptr) return;
  const auto guard = DelayGuardTime(*promise, draft.rules.policy);
  if (!guard || draft.now < *guard) return;
  promise->set_guard_alarmed(true);
  DeliveryAlarm(draft, promise->revision(), "delayed", "", KindToCustomer(draft.callback, *promise), draft.Owner());
}

Decision OnDeliveryOutcome(const CallbackRecord& callback, const DeliveryRecord& delivery,
                           const DeliveryOutcome& outcome, const record::TeamRecord& team, absl::Time now) {
  using Result = DeliveryOutcome::Result;
  Draft draft(callback, team, "system", now);
  const Channel::Kind kind = KindInUse(delivery);
  const std::string id = delivery.id();

  if (!CarriesPromise(delivery)) {
    if (outcome.result != Result::kFailed) return std::move(draft).Finish();
    draft.Event("delivery_failed", {{"delivery", id}});
    // The customer does not know what is true now: another time, another caller, or no call at all.
    if (delivery.kind() == DeliveryRecord::KIND_PROMISE_UPDATE && callback.phase() != CallbackRecord::PHASE_CLOSED) {
      DeliveryAlarm(draft, delivery.promise_revision(), "update_failed", outcome.reason, kind, draft.Owner());
    } else if (delivery.kind() == DeliveryRecord::KIND_CANCELLATION && !callback.erased()) {
      DeliveryAlarm(draft, delivery.promise_revision(), "cancellation_failed", outcome.reason, kind, draft.Owner());
    }
    return std::move(draft).Finish();
  }

  PromiseRecord* promise = nullptr;
  for (PromiseRecord& one : *draft.callback.mutable_promises()) {
    if (one.revision() == delivery.promise_revision() && !one.delivery_id().empty()) promise = &one;
  }
  // Of a message that was sent anew the first may still arrive, and then the customer knows; its failure says nothing.
  const bool replaced = promise != nullptr && promise->delivery_id() != id;
  if (promise == nullptr || (replaced && outcome.result != Result::kAccepted)) return std::move(draft).Finish();
  const std::string revision = absl::StrCat(promise->revision());
  const bool pending = promise->state() == PromiseRecord::STATE_PENDING;
  // Of what was said on the phone only the written word is missing: the customer heard.
  const bool unconfirmed =
      promise->state() == PromiseRecord::STATE_ARMED && promise->channel() == PromiseRecord::CHANNEL_SPOKEN;
  switch (outcome.result) {
    case Result::kAccepted:
      if (delivery.has_bounce_time()) break;  // it came back before its acceptance was on record
      if (AcceptanceCounts(draft.callback, *promise)) {
        draft.Event("promise_accepted", {{"revision", revision}, {"delivery", id}});
        Arm(draft, *promise, record::VERDICT_MOVED_BY_TEAM);
      } else if (promise->state() != PromiseRecord::STATE_ARMED) {
        draft.Event("accepted_after_replaced", {{"revision", revision}, {"delivery", id}});
      } else {
        ClearDeliveryAlarm(draft);  // it had bounced and was sent again
        promise->clear_delay_time();
      }
      break;
    case Result::kAtStake:
      if ((pending || unconfirmed) && !promise->guard_alarmed()) {
        promise->set_guard_alarmed(true);
        DeliveryAlarm(draft, promise->revision(), unconfirmed ? "confirmation_failed" : "not_accepted_in_time",
                      outcome.reason, kind, draft.Owner());
      }
      break;
    case Result::kFailed:
      draft.Event("delivery_failed", {{"revision", revision}, {"delivery", id}});
      if (pending) {
        // "Refused" is the other side's word; of a server that was away it said none.
        const bool refused = delivery.tries().empty() || delivery.tries().rbegin()->permanent();
        const std::string_view why = refused ? "refused" : "not_accepted";
        NotDelivered(draft, *promise, why);
        DeliveryAlarm(draft, promise->revision(), why, outcome.reason, kind, draft.Owner());
      } else if (promise->state() == PromiseRecord::STATE_ARMED) {
        // Bounced after it was accepted: the clock does not pause for that, but the customer never heard.
        DeliveryAlarm(draft, promise->revision(), unconfirmed ? "confirmation_failed" : "bounced", outcome.reason, kind, draft.Owner());
      }
      break;
  }
  return std::move(draft).Finish();
}

Decision OnBounce(const CallbackRecord& callback, const DeliveryRecord& delivery, bool permanent,
                  const std::string& reason, const record::TeamRecord& team, absl::Time now) {
  Draft draft(callback, team, "system", now);
  if (delivery.has_bounce_time()) return std::move(draft).Finish();
  draft.Event(permanent ? "bounced" : "delayed", {{"delivery", delivery.id()}});
  PromiseRecord* promise = nullptr;  // that it carries, while no other message does
  for (PromiseRecord& one : *draft.callback.mutable_promises()) {
    if (CarriesPromise(delivery) && one.delivery_id() == delivery.id()) promise = &one;
  }
  const bool armed = promise != nullptr && promise->state() == PromiseRecord::STATE_ARMED;
  if (!permanent) {
    if (armed && !promise->has_delay_time()) {
      *promise->mutable_delay_time() = ToProto(draft.now);
      promise->set_guard_alarmed(false);
      FireDelayed(draft);
    }
    return std::move(draft).Finish();
  }

  DeliveryRecord again = delivery;
  again.set_state(DeliveryRecord::STATE_QUEUED);
  DeliveryRecord* next = StillNeeded(callback, again, team, draft.now) ? draft.ByNextChannel(delivery) : nullptr;
  if (promise != nullptr && next != nullptr) promise->set_delivery_id(next->id());
  if (!delivery.member_id().empty()) return std::move(draft).Finish();

  const bool open = callback.phase() != CallbackRecord::PHASE_CLOSED;
  std::string_view what;
  if (armed) {
    // The clock does not pause for that, but the customer never heard; of what was said on the phone only the written
    // word is missing.
    what = promise->channel() == PromiseRecord::CHANNEL_SPOKEN ? "confirmation_failed" : "bounced";
  } else if (promise != nullptr && promise->state() == PromiseRecord::STATE_PENDING) {
    what = "bounced";
    if (next == nullptr) NotDelivered(draft, *promise, what);
  } else if (delivery.kind() == DeliveryRecord::KIND_PROMISE_UPDATE && open && !CarriesPromise(delivery)) {
    const PromiseRecord* counts = ArmedPromise(draft.callback);
    if (counts != nullptr && counts->revision() == delivery.promise_revision()) what = "update_failed";
  } else if (delivery.kind() == DeliveryRecord::KIND_CANCELLATION && !open && !callback.erased()) {
    what = "cancellation_failed";
  }
  if (!what.empty()) {
    DeliveryAlarm(draft, delivery.promise_revision(), what, reason, KindInUse(delivery), draft.Owner());
  }
  return std::move(draft).Finish();
}

Decision OnRecordingFailed(const CallbackRecord& callback, const std::string& recording_id, const std::string& reason,
                           const record::TeamRecord& team, absl::Time now) {
  Draft draft(callback, team, "system", now);
  if (recording_id.empty() || callback.phase() == CallbackRecord::PHASE_CLOSED) return std::move(draft).Finish();
  for (PromiseRecord& promise : *draft.callback.mutable_promises()) {
    if (promise.recording_id() != recording_id) continue;
    const bool pending = promise.state() == PromiseRecord::STATE_PENDING;
    const bool shared = promise.state() == PromiseRecord::STATE_ARMED &&
                        promise.channel() == PromiseRecord::CHANNEL_LINK_SHARED;
    if (!pending && !shared) continue;
    if (pending) {
      draft.Withdraw(promise.delivery_id());
      NotDelivered(draft, promise, "recording_failed");
    }
    DeliveryAlarm(draft, promise.revision(), "recording_failed", reason, Channel::KIND_UNSPECIFIED, draft.Owner());
  }
  return std::move(draft).Finish();
}

}  // namespace ringback::domain
