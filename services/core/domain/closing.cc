// How a callback ends. Law 2: closing without an attempt or the customer's call-off needs a reason and tells the
// managers, and every promise that counted leaves with a verdict. Law 9: from closing the retention runs.
#include "absl/strings/str_cat.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

constexpr int kDefaultRetentionDays = 30;

void Close(Draft& draft, CallbackRecord::Closing closing) {
  CallbackRecord& callback = draft.callback;
  WithdrawPending(draft);
  ClearDeliveryAlarm(draft);
  callback.set_phase(CallbackRecord::PHASE_CLOSED);
  callback.set_closing(closing);
  *callback.mutable_close_time() = ToProto(draft.now);
  callback.clear_escalation();
  callback.clear_snooze_until();
  callback.clear_follow_up_time();
  callback.clear_wrap_up_time();
  callback.clear_proposal();
  draft.decision.purge_time = PurgeTime(callback, draft.rules.team);
}

void Notice(Draft& draft, const std::vector<Told>& recipients, std::string_view what, const std::string& reason) {
  for (const Told& told : recipients) {
    DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_NOTICE, told);
    delivery.set_what(std::string(what));
    delivery.set_reason(reason);
  }
}

// The customer still expects a call: takes the calendar entry back.
void TellCustomerCancelled(Draft& draft, int revision, std::string_view what) {
  DeliveryRecord* delivery = draft.ToCustomer(DeliveryRecord::KIND_CANCELLATION);
  if (delivery == nullptr) {
    draft.Warn("the customer expects a call and cannot be told: there is neither mail address nor phone number");
    return;
  }
  draft.callback.set_calendar_sequence(draft.callback.calendar_sequence() + 1);
  delivery->set_promise_revision(revision);
  delivery->set_calendar_sequence(draft.callback.calendar_sequence());
  delivery->set_what(std::string(what));
}

// The promise that the customer has in hand or may have; 0: none. Of one whose message never left they know nothing.
int ExpectedRevision(CallbackRecord& callback, bool pending_left) {
  if (const PromiseRecord* pending = Pending(callback); pending != nullptr && pending_left) return pending->revision();
  if (const PromiseRecord* armed = Armed(callback)) return armed->revision();
  return 0;
}

// Whether a call was made for what is owed now.
bool WasAttempted(const CallbackRecord& callback) {
  for (const auto& attempt : callback.attempts()) {
    if (FromProto(attempt.called_time()) >= CallsCountFrom(callback)) return true;
  }
  return false;
}

void SettleByCallOff(Draft& draft) {
  PromiseRecord* armed = Armed(draft.callback);
  if (armed == nullptr) return;
  // The customer who gives up after the promised time was let down (law 2: a missed promise stays on the record).
  const bool due = draft.now >= FromProto(armed->promised_time());
  Settle(draft, *armed, due ? record::VERDICT_MISSED : record::VERDICT_CANCELLED_BY_CUSTOMER);
}

}  // namespace

absl::Status DoComplete(Draft& draft, const Complete& command) {
  CallbackRecord& callback = draft.callback;
  if (command.disposition.empty()) {
    return InvalidField("disposition", "MISSING", "say how it ended, for instance \"ordered\" or \"no interest\"");
  }
  if (callback.phase() != CallbackRecord::PHASE_TALKED && !WasAttempted(callback)) {
    return Refused("NO_ATTEMPT",
                   "no call was made for it since the customer waits: log the call first (`ringback attempt`), or close it with "
                   "`ringback cancel --reason`");
  }
  const int expected = ExpectedRevision(callback, command.pending_left);
  PromiseRecord* armed = Armed(callback);
  if (armed != nullptr) Settle(draft, *armed, record::VERDICT_MISSED);
  callback.set_disposition(command.disposition);
  draft.Event("completed");
  Close(draft, CallbackRecord::CLOSING_COMPLETED);
  if (expected != 0) {
    TellCustomerCancelled(draft, expected, "completed");
    Notice(draft, draft.Managers(), "completed_before_the_promised_call", command.disposition);
  }
  return absl::OkStatus();
}

absl::Status DoCancel(Draft& draft, const Cancel& command) {
  CallbackRecord& callback = draft.callback;
  if (command.reason.empty()) return InvalidField("reason", "MISSING", "say why nobody calls any more");
  const bool attempted = callback.phase() == CallbackRecord::PHASE_TALKED || WasAttempted(callback);
  const int expected = ExpectedRevision(callback, command.pending_left);
  PromiseRecord* armed = Armed(callback);
  const bool missed = armed != nullptr;
  if (missed) Settle(draft, *armed, record::VERDICT_MISSED);
  callback.set_close_reason(command.reason);
  draft.Event("cancelled");
  Close(draft, CallbackRecord::CLOSING_CANCELLED);
  if (expected != 0) TellCustomerCancelled(draft, expected, "cancelled");
  if (!attempted || missed) Notice(draft, draft.Managers(), "cancelled_without_attempt", command.reason);
  return absl::OkStatus();
}

absl::Status DoCustomerCallOff(Draft& draft) {
  CallbackRecord& callback = draft.callback;
  const PromiseRecord* armed = Armed(callback);
  const bool entry_is_out = armed != nullptr && CustomerHasEntry(callback);
  const int revision = armed == nullptr ? 0 : armed->revision();
  SettleByCallOff(draft);
  draft.Event("called_off");
  Close(draft, CallbackRecord::CLOSING_CALLED_OFF);
  // Confirms what was pressed and takes the calendar entry back.
  if (entry_is_out) TellCustomerCancelled(draft, revision, "called_off");
  Notice(draft, draft.OwnerAndManagers(), "called_off_by_customer", "");
  return absl::OkStatus();
}

absl::Status DoReopen(Draft& draft) {
  CallbackRecord& callback = draft.callback;
  if (callback.closing() != CallbackRecord::CLOSING_CALLED_OFF || callback.erased()) {
    return Refused("NOT_CALLED_OFF", "only what the customer called off can be reopened; else take in a new request");
  }
  callback.clear_closing();
  callback.clear_close_time();
  draft.Event("reopened");
  StartWaiting(draft);
  TellOwnerOfOthers(draft, "reopened");
  return absl::OkStatus();
}

std::optional<absl::Time> PurgeTime(const CallbackRecord& callback, const record::TeamRecord& team) {
  const bool closed = callback.phase() == CallbackRecord::PHASE_CLOSED;
  if (!closed || callback.legal_hold() || team.legal_hold()) return std::nullopt;
  const int days = team.retention_days() > 0 ? team.retention_days() : kDefaultRetentionDays;
  return FromProto(callback.close_time()) + absl::Hours(24) * days;
}

Decision Erase(const CallbackRecord& callback, const record::TeamRecord& team, const Actor& actor, absl::Time now) {
  Draft draft(callback, team, actor.is_customer ? "customer" : actor.id, now);
  if (callback.phase() != CallbackRecord::PHASE_CLOSED) {
    SettleByCallOff(draft);
    draft.Event("called_off");
    Close(draft, CallbackRecord::CLOSING_CALLED_OFF);
  }
  draft.Event("erased");
  draft.callback = Erased(draft.callback);
  return std::move(draft).Finish();
}

CallbackRecord Erased(const CallbackRecord& callback) {
  CallbackRecord erased = callback;
  erased.clear_caller();
  erased.clear_contact_id();
  erased.clear_note();
  erased.clear_brief();
  erased.clear_proposal();
  erased.clear_topic();
  erased.clear_disposition();  // free text of the team may name the caller
  erased.clear_close_reason();
  erased.clear_delivery_alarm();
  erased.clear_page_token();
  for (auto& promise : *erased.mutable_promises()) {
    promise.clear_spoken_text();
    promise.clear_address();
  }
  for (auto& attempt : *erased.mutable_attempts()) attempt.clear_note();
  erased.set_erased(true);
  return erased;
}

}  // namespace ringback::domain
