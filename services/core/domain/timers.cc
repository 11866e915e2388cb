// The one timer of a callback: when it is next due, and what it does. Law 1: an open callback always has one; neither
// acknowledging nor snoozing moves the promised time or the verdict.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

constexpr absl::Duration kDay = absl::Hours(24);

// When the reminder before the promised time goes out; nullopt when it has, or when the promise came too late for it. A
// snooze that reaches past it stands for it (NextReminder).
std::optional<absl::Time> LeadTime(const PromiseRecord& promise, const record::Policy& policy) {
  const absl::Duration lead = FromProto(policy.reminder_lead());
  const absl::Time at = FromProto(promise.promised_time()) - lead;
  if (lead <= absl::ZeroDuration() || promise.has_lead_reminder_time() || promise.has_due_reminder_time()) {
    return std::nullopt;
  }
  if (FromProto(promise.accept_time()) > at) return std::nullopt;
  return at;
}

// The next reminder before the promised time: the one the policy names or, while it is snoozed, the end of that.
std::optional<absl::Time> NextReminder(const CallbackRecord& callback, const PromiseRecord& promise,
                                       const record::Policy& policy) {
  if (callback.has_snooze_until()) return FromProto(callback.snooze_until());
  return LeadTime(promise, policy);
}

void Remind(Draft& draft, PromiseRecord& promise, bool lead) {
  if (!lead) *promise.mutable_due_reminder_time() = ToProto(draft.now);
  // Stands for one before it that was slept through or snoozed away; a snooze that ended earlier does not.
  const auto lead_time = LeadTime(promise, draft.rules.policy);
  const bool stands_for_it = !lead || (lead_time && draft.now >= *lead_time);
  if (stands_for_it && !promise.has_lead_reminder_time()) *promise.mutable_lead_reminder_time() = ToProto(draft.now);
  draft.callback.clear_snooze_until();
  const auto owner = draft.Owner();
  for (const Told& told : owner) {
    DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_REMINDER, told);
    delivery.set_promise_revision(promise.revision());
    delivery.set_lead_reminder(lead);
  }
  draft.Event("reminded", {{"revision", absl::StrCat(promise.revision())},
                           {"when", lead ? "before" : "due"},
                           {"told", Join(owner)}});
}

void FireReminders(Draft& draft) {
  PromiseRecord* promise = Armed(draft.callback);
  if (promise == nullptr || promise->has_due_reminder_time()) return;
  if (draft.now >= FromProto(promise->promised_time())) return Remind(draft, *promise, false);
  const auto next = NextReminder(draft.callback, *promise, draft.rules.policy);
  if (next && draft.now >= *next) Remind(draft, *promise, true);
}

// The response target or the follow-up time is there: the owner's first word, before any step. Who hears of it by a step
// that is due in this very moment (a delay of zero, an outage) is not told twice. (Of a promise FireReminders speaks.)
void RemindOfDueTime(Draft& draft) {
  const record::EscalationRecord& escalation = draft.callback.escalation();
  if (escalation.kind() == record::ALARM_KIND_PROMISE) return;
  std::vector<Told> owner = draft.Owner();
  if (escalation.next_alarm() > 0) {
    std::erase_if(owner, [&](const Told& told) {
      const auto& alarmed = escalation.told_ids();
      return std::find(alarmed.begin(), alarmed.end(), told.member_id) != alarmed.end();
    });
  }
  if (owner.empty()) return;
  for (const Told& told : owner) {
    DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_REMINDER, told);
    delivery.set_alarm_kind(escalation.kind());
    *delivery.mutable_anchor_time() = escalation.anchor_time();
    for (const Told& one : owner) delivery.add_told_ids(one.member_id);
  }
  draft.Event("reminded", {{"of", escalation.kind() == record::ALARM_KIND_RESPONSE ? "response" : "follow_up"},
                           {"when", "due"},
                           {"told", Join(owner)}});
}

void FireWrapUp(Draft& draft) {
  CallbackRecord& callback = draft.callback;
  if (callback.phase() != CallbackRecord::PHASE_TALKED || draft.now < FromProto(callback.wrap_up_time())) return;
  const auto owner = draft.Owner();
  for (const Told& told : owner) draft.ToMember(DeliveryRecord::KIND_WRAP_UP, told);
  draft.Event("wrap_up_due", {{"told", Join(owner)}});
  *callback.mutable_wrap_up_time() = ToProto(draft.rules.NextOpen(draft.now + kDay));
}

record::AlarmKind DueKind(const CallbackRecord& callback) {
  switch (callback.phase()) {
    case CallbackRecord::PHASE_WAITING: return record::ALARM_KIND_RESPONSE;
    case CallbackRecord::PHASE_PROMISED: return record::ALARM_KIND_PROMISE;
    case CallbackRecord::PHASE_FOLLOW_UP: return record::ALARM_KIND_FOLLOW_UP;
    default: return record::ALARM_KIND_UNSPECIFIED;
  }
}

// Stores keep milliseconds: rounded up, so that a timer never finds itself early.
absl::Time CeilToMillisecond(absl::Time time) {
  return absl::UnixEpoch() + absl::Ceil(time - absl::UnixEpoch(), absl::Milliseconds(1));
}

}  // namespace

std::optional<absl::Time> DueTime(const CallbackRecord& callback) {
  switch (callback.phase()) {
    case CallbackRecord::PHASE_WAITING: return FromProto(callback.response_due_time());
    case CallbackRecord::PHASE_PROMISED: {
      const PromiseRecord* armed = ArmedPromise(callback);
      if (armed == nullptr) return std::nullopt;
      return FromProto(armed->promised_time());
    }
    case CallbackRecord::PHASE_FOLLOW_UP: return FromProto(callback.follow_up_time());
    default: return std::nullopt;
  }
}

bool IsOverdue(const CallbackRecord& callback, absl::Time now) {
  const auto due = DueTime(callback);
  return due && now >= *due;
}

bool IsMarkedOverdue(const CallbackRecord& callback) {
  return callback.escalation().kind() != record::ALARM_KIND_UNSPECIFIED;
}

void MarkOverdue(Draft& draft) {
  if (IsMarkedOverdue(draft.callback) || !IsOverdue(draft.callback, draft.now)) return;
  auto& escalation = *draft.callback.mutable_escalation();
  escalation.set_kind(DueKind(draft.callback));
  *escalation.mutable_anchor_time() = ToProto(*DueTime(draft.callback));
  switch (escalation.kind()) {
    case record::ALARM_KIND_PROMISE:
      draft.Event("overdue", {{"of", "promise"}, {"revision", absl::StrCat(Armed(draft.callback)->revision())}});
      return draft.Count("overdue");
    case record::ALARM_KIND_RESPONSE:
      draft.Event("overdue", {{"of", "response"}});
      return draft.Count("response_overdue");
    default:
      draft.Event("overdue", {{"of", "follow_up"}});
      return draft.Count("follow_up_overdue");
  }
}

std::optional<absl::Time> NextTimer(const CallbackRecord& callback, const record::TeamRecord& team, absl::Time now) {
  if (callback.phase() == CallbackRecord::PHASE_CLOSED) return std::nullopt;
  const TeamRules rules(team);
  absl::Time next = absl::InfiniteFuture();
  const auto consider = [&next](absl::Time at) { next = std::min(next, at); };

  if (const PromiseRecord* pending = PendingPromise(callback)) {
    consider(pending->guard_alarmed() ? FromProto(pending->promised_time()) : StakeTime(*pending, rules.policy));
  }
  const PromiseRecord* armed = ArmedPromise(callback);
  if (armed != nullptr) {
    if (const auto guard = DelayGuardTime(*armed, rules.policy)) consider(*guard);
  }
  if (armed != nullptr && !armed->has_due_reminder_time()) {
    consider(FromProto(armed->promised_time()));
    if (const auto reminder = NextReminder(callback, *armed, rules.policy)) consider(*reminder);
  }
  if (const auto due = DueTime(callback)) {
    consider(IsMarkedOverdue(callback) ? NextAlarmTime(callback, rules, now) : *due);
  }
  if (callback.phase() == CallbackRecord::PHASE_TALKED) consider(FromProto(callback.wrap_up_time()));
  return CeilToMillisecond(next);
}

Decision OnTimer(const CallbackRecord& callback, const record::TeamRecord& team, absl::Time now) {
  Draft draft(callback, team, "system", now);
  if (callback.phase() != CallbackRecord::PHASE_CLOSED) {
    FirePending(draft);
    FireDelayed(draft);
    FireReminders(draft);
    const bool known = IsMarkedOverdue(draft.callback);
    MarkOverdue(draft);
    if (IsMarkedOverdue(draft.callback)) {
      FireAlarm(draft);
      if (!known) RemindOfDueTime(draft);
    }
    FireWrapUp(draft);
  }
  return std::move(draft).Finish();
}

absl::Status DoAcknowledge(Draft& draft, const Acknowledge& command) {
  const absl::Duration timeout = command.timeout.value_or(FromProto(draft.rules.policy.ack_timeout()));
  if (timeout < absl::Minutes(1) || timeout > absl::Hours(7 * 24)) {
    return InvalidField("timeout", "OUT_OF_RANGE", "from 1 minute to 7 days; the alarms come back after it");
  }
  if (!IsOverdue(draft.callback, draft.now)) {
    return Refused("NOT_OVERDUE", "there is no alarm to hold yet; before the promised time use `ringback snooze`");
  }
  MarkOverdue(draft);
  auto& escalation = *draft.callback.mutable_escalation();
  const absl::Time until = draft.now + timeout;
  *escalation.mutable_ack_until() = ToProto(until);
  escalation.set_ack_by(draft.author);
  draft.Event("acknowledged", {{"until", Text(until)}});
  return absl::OkStatus();
}

absl::Status DoSnooze(Draft& draft, const Snooze& command) {
  if (command.duration <= absl::ZeroDuration() || command.duration > absl::Hours(90 * 24)) {
    return InvalidField("duration", "OUT_OF_RANGE", "how long the reminder waits, for instance 10m");
  }
  const PromiseRecord* armed = Armed(draft.callback);
  if (armed == nullptr) return Refused("NO_PROMISE", "there is no promise to be reminded of");
  const absl::Time promised = FromProto(armed->promised_time());
  if (draft.now >= promised) {
    return Refused("ALREADY_DUE", "the call is due, and a snooze never reaches past the promised time; "
                                  "`ringback ack` holds the alarms");
  }
  const absl::Time until = std::min(draft.now + command.duration, promised);
  *draft.callback.mutable_snooze_until() = ToProto(until);
  draft.Event("snoozed", {{"until", Text(until)}});
  return absl::OkStatus();
}

}  // namespace ringback::domain
