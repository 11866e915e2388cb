#include "core/domain/deliveries.h"

#include "absl/strings/str_format.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

const PromiseRecord* PromiseOf(const CallbackRecord& callback, const DeliveryRecord& delivery) {
  for (const PromiseRecord& promise : callback.promises()) {
    if (promise.revision() == delivery.promise_revision()) return &promise;
  }
  return nullptr;
}

bool IsArmed(const CallbackRecord& callback, const DeliveryRecord& delivery) {
  const PromiseRecord* armed = ArmedPromise(callback);
  return armed != nullptr && armed->revision() == delivery.promise_revision();
}

record::AlarmKind AnchorKind(const CallbackRecord& callback) {
  switch (callback.phase()) {
    case CallbackRecord::PHASE_PROMISED: return record::ALARM_KIND_PROMISE;
    case CallbackRecord::PHASE_WAITING: return record::ALARM_KIND_RESPONSE;
    case CallbackRecord::PHASE_FOLLOW_UP: return record::ALARM_KIND_FOLLOW_UP;
    default: return record::ALARM_KIND_UNSPECIFIED;
  }
}

// What it speaks of is still what is due.
bool OfThisDueTime(const CallbackRecord& callback, const DeliveryRecord& delivery) {
  const auto due = DueTime(callback);
  return due && AnchorKind(callback) == delivery.alarm_kind() && *due == FromProto(delivery.anchor_time());
}

// The message of a promise, and the customer is still to hear of it by this one.
bool IsAwaited(const CallbackRecord& callback, const DeliveryRecord& delivery, absl::Time now) {
  const PromiseRecord* promise = PromiseOf(callback, delivery);
  if (promise == nullptr || promise->delivery_id() != delivery.id()) return false;
  // After the promised time "I shall call you at 13:00" would be untrue; the guard has alarmed by then.
  if (now >= FromProto(promise->promised_time())) return false;
  return promise->state() == PromiseRecord::STATE_PENDING || promise->state() == PromiseRecord::STATE_NOT_DELIVERED ||
         promise->state() == PromiseRecord::STATE_ARMED;  // armed: sent again after a bounce
}

// What the customer said still waits for the member: the wish it speaks of is open, the declined time still counts. What
// was taken back is still so.
bool NoticeIsTrue(const CallbackRecord& callback, const DeliveryRecord& delivery) {
  if (delivery.what() == "time_proposed") {
    return callback.has_proposal() &&
           FromProto(callback.proposal().create_time()) == FromProto(delivery.create_time());
  }
  if (delivery.what() == "time_declined" && delivery.promise_revision() != 0) {
    return IsArmed(callback, delivery) && ArmedPromise(callback)->has_decline_time();
  }
  if (delivery.what() == "time_stands") return IsArmed(callback, delivery) && !ArmedPromise(callback)->has_decline_time();
  if (delivery.what() == "reopened") return callback.phase() != CallbackRecord::PHASE_CLOSED;
  return true;
}

}  // namespace

std::string DeliveryId(const std::string& callback_id, int count) {
  return absl::StrFormat("dl%s%04d", callback_id.size() > 2 ? callback_id.substr(2) : "", count);
}

bool IsOffer(const DeliveryRecord& delivery) {
  return delivery.kind() == DeliveryRecord::KIND_PROMISE_UPDATE &&
         (delivery.what() == "proposal_countered" || delivery.what() == "time_offered");
}

bool MayHaveLeft(const DeliveryRecord& delivery) {
  switch (delivery.state()) {
    case DeliveryRecord::STATE_SENDING:
    case DeliveryRecord::STATE_ACCEPTED: return true;
    default: return delivery.tries_size() > 0;
  }
}

bool StillNeeded(const CallbackRecord& callback, const DeliveryRecord& delivery, const record::TeamRecord& team,
                 absl::Time now) {
  switch (delivery.state()) {
    case DeliveryRecord::STATE_ACCEPTED:
    case DeliveryRecord::STATE_WITHDRAWN: return false;
    default: break;
  }
  if (callback.erased()) return false;
  if (!delivery.member_id().empty()) {
    const auto* member = FindMember(team, delivery.member_id());
    if (member == nullptr || member->inactive()) return false;
  }
  const bool open = callback.phase() != CallbackRecord::PHASE_CLOSED;
  switch (delivery.kind()) {
    case DeliveryRecord::KIND_VOICE_MESSAGE: return open && IsAwaited(callback, delivery, now);
    case DeliveryRecord::KIND_PROMISE_UPDATE:
      if (IsOffer(delivery)) return open && IsAwaited(callback, delivery, now);
      return open && IsArmed(callback, delivery) && delivery.calendar_sequence() == callback.calendar_sequence() &&
             now < FromProto(ArmedPromise(callback)->promised_time());
    case DeliveryRecord::KIND_CANCELLATION: return !open;
    case DeliveryRecord::KIND_REMINDER: {
      if (delivery.alarm_kind() != record::ALARM_KIND_UNSPECIFIED) return open && OfThisDueTime(callback, delivery);
      if (!open || !IsArmed(callback, delivery)) return false;
      return !delivery.lead_reminder() || now < FromProto(ArmedPromise(callback)->promised_time());
    }
    case DeliveryRecord::KIND_ESCALATION: return open && OfThisDueTime(callback, delivery);
    case DeliveryRecord::KIND_DELIVERY_ALARM: return !open || !callback.delivery_alarm().empty();
    case DeliveryRecord::KIND_HANDOVER:
      return open && !callback.assignee_id().empty() &&
             (callback.assignee_id() == delivery.member_id() || callback.assignee_id() == delivery.stands_in_for_id());
    case DeliveryRecord::KIND_WRAP_UP: return callback.phase() == CallbackRecord::PHASE_TALKED;
    case DeliveryRecord::KIND_NOTICE: return NoticeIsTrue(callback, delivery);
    default: return true;
  }
}

}  // namespace ringback::domain
