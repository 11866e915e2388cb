// A decision while it is made: the record to be changed, what the rules look up, and helpers that append events,
// counters and deliveries in one way everywhere. Private to domain; which rule applies is decided by its users.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/domain/escalation.h"
#include "core/domain/rules.h"

namespace ringback::domain {

// What every rule looks up in the team, made once per decision.
struct TeamRules {
  explicit TeamRules(const record::TeamRecord& team_record);

  const record::TeamRecord& team;
  const record::Policy policy;  // defaults filled in
  const absl::TimeZone zone;

  absl::Time NextOpen(absl::Time at) const;
};

class Draft {
 public:
  // `team` must outlive the draft. Below a nanosecond `now` is cut, as the record cannot hold it.
  Draft(record::CallbackRecord record, const record::TeamRecord& team, std::string author, absl::Time now);

  record::CallbackRecord callback;
  const TeamRules rules;
  const std::string author;
  const absl::Time now;
  Decision decision;  // callback and next_timer are filled in by Finish

  // Appends to the history. Details are ids and numbers, never content that must leave with the caller (law 9).
  void Event(std::string_view what, std::initializer_list<std::pair<std::string_view, std::string>> details = {});
  // Counts in this week, for the team and for `member_id` (the assignee unless given).
  void Count(std::string_view name, std::string_view member_id = {});
  void Warn(std::string text) { decision.warnings.push_back(std::move(text)); }

  // New deliveries, with ids of their own. The reference is good until the next one is made.
  record::DeliveryRecord& ToMember(record::DeliveryRecord::Kind kind, const Told& told);
  // To the caller by the address that `CustomerChannels` finds; nullptr (and no delivery) when there is none.
  record::DeliveryRecord* ToCustomer(record::DeliveryRecord::Kind kind);
  // The assignee or whoever stands in; the managers while nobody is assigned.
  std::vector<Told> Owner() const;
  std::vector<Told> Managers() const;
  // Both, each once.
  std::vector<Told> OwnerAndManagers() const;
  // The same message once more, with an id of its own, by the channels behind the one that failed; nullptr without any.
  record::DeliveryRecord* ByNextChannel(const record::DeliveryRecord& failed);
  void Withdraw(const std::string& delivery_id);

  Decision Finish() &&;

 private:
  record::DeliveryRecord& NewDelivery(record::DeliveryRecord::Kind kind);
};

// In the order in which they are tried (law 4): mail where the caller has an address, then SMS where the number may take
// one; empty when ringback cannot reach the caller.
std::vector<record::Channel> CustomerChannels(const record::Caller& caller);

// RFC 3339 in UTC, whole seconds: times in history details.
std::string Text(absl::Time time);
std::string Join(const std::vector<Told>& told);

// FAILED_PRECONDITION about the callback's state.
absl::Status Refused(std::string_view reason, std::string_view description);

// promise.cc -------------------------------------------------------------------------------------------------------
record::PromiseRecord* Armed(record::CallbackRecord& callback);
record::PromiseRecord* Pending(record::CallbackRecord& callback);
absl::Status DoMakePromise(Draft& draft, const MakePromise& command);
absl::Status DoResend(Draft& draft, const Resend& command);
absl::Status CheckPromisedTime(Draft& draft, absl::Time promised_time);  // also adds warnings
// Who promises a call that nobody owes yet owes it: the reminders must have somewhere to go.
void OweUnassigned(Draft& draft);
// Adds a promise, which answers whatever the customer wished; the caller sets channel and arms it or sends its message.
record::PromiseRecord& AddPromise(Draft& draft, absl::Time promised_time, record::PromiseRecord::Channel channel);
// The customer knows: it counts from now, and what was armed before gets its verdict (`replaced`, when not yet due).
void Arm(Draft& draft, record::PromiseRecord& promise, record::Verdict replaced);
// The one verdict of a promise (law 2).
void Settle(Draft& draft, record::PromiseRecord& promise, record::Verdict verdict,
            absl::Duration late_by = absl::ZeroDuration());
void WithdrawPending(Draft& draft);
// When an unaccepted promise becomes an alarm.
absl::Time StakeTime(const record::PromiseRecord& promise, const record::Policy& policy);
// The pending promise's timers: the guard, and its promised time (law 4).
void FirePending(Draft& draft);
// The armed promise's guard over a message that was accepted and then called late (OnBounce): when it alarms, if at all.
std::optional<absl::Time> DelayGuardTime(const record::PromiseRecord& promise, const record::Policy& policy);
void FireDelayed(Draft& draft);
// The customer has not heard, or may not have: the red state, and an alarm to each of `told` at once, by the channel that
// just failed last (law 4: not only by that one).
void DeliveryAlarm(Draft& draft, int revision, std::string_view what, const std::string& reason,
                   record::Channel::Kind failed, const std::vector<Told>& told);
void ClearDeliveryAlarm(Draft& draft);
// Updates the customer's calendar entry and page text where one is out; `what` says why. nullptr when there is no way to
// the customer; else the delivery, to which the caller adds what held before.
record::DeliveryRecord* TellCustomerUpdate(Draft& draft, const record::PromiseRecord& promise, std::string_view what);
// The same after a promise took another's place; `before`: the time of the one that was armed, unset when none was.
void TellCustomerMoved(Draft& draft, const record::PromiseRecord& promise, std::string_view what,
                       const google::protobuf::Timestamp& before);
// Whether the customer may hold a calendar entry, which later changes must update or take back.
bool CustomerHasEntry(const record::CallbackRecord& callback);

// attempt.cc, closing.cc, customer.cc, proposal.cc, assigning.cc ---------------------------------------------------
absl::Status DoStartCall(Draft& draft);
absl::Status DoLogAttempt(Draft& draft, const LogAttempt& command);
absl::Status DoComplete(Draft& draft, const Complete& command);
absl::Status DoCancel(Draft& draft, const Cancel& command);
absl::Status DoCustomerCallOff(Draft& draft);
absl::Status DoReopen(Draft& draft);
absl::Status DoCustomerAgree(Draft& draft, const CustomerAgree& command);
absl::Status DoCustomerMove(Draft& draft, const CustomerMove& command);
absl::Status DoCustomerDecline(Draft& draft);
absl::Status DoCustomerTopic(Draft& draft, const CustomerTopic& command);
absl::Status DoCustomerBrief(Draft& draft, const CustomerBrief& command);
absl::Status DoWrongPerson(Draft& draft);
absl::Status DoHeard(Draft& draft, const Heard& command);
absl::Status DoCustomerPropose(Draft& draft, const CustomerPropose& command);
absl::Status DoAnswerProposal(Draft& draft, const AnswerProposal& command);
absl::Status DoDeclineProposal(Draft& draft);
// The armed promise names this time already, and nothing else is on its way: whoever asks for it agrees.
bool IsPromisedAlready(record::CallbackRecord& callback, absl::Time promised_time);
void TellOwner(Draft& draft, std::string_view what);  // a notice at once
void TellOwnerOfOthers(Draft& draft, std::string_view what);  // the same of what a member did: who did it knows
absl::Status DoRangAgain(Draft& draft, const RangAgain& command);
// When the caller last rang; for the history "" where it is when it was told.
void NoteRing(Draft& draft, std::optional<absl::Time> ring_time);
std::string RingText(std::optional<absl::Time> ring_time);
absl::Time LastTalk(const record::CallbackRecord& callback);
absl::Status DoUpdateCaller(Draft& draft, const UpdateCaller& command);
absl::Status DoAssign(Draft& draft, const Assign& command);
absl::Status CheckAssignee(const record::TeamRecord& team, const std::string& member_id);
void StartWaiting(Draft& draft);  // the response target runs from now
// From when on a call counts for what is owed now: since the caller waits, and since the armed promise was made.
absl::Time CallsCountFrom(const record::CallbackRecord& callback);

// timers.cc, alarms.cc ---------------------------------------------------------------------------------------------
absl::Status DoAcknowledge(Draft& draft, const Acknowledge& command);
absl::Status DoSnooze(Draft& draft, const Snooze& command);
// "overdue" once per anchor; nothing when already marked or not due.
void MarkOverdue(Draft& draft);
bool IsMarkedOverdue(const record::CallbackRecord& callback);
// At most one alarm, however many are due.
void FireAlarm(Draft& draft);
// When the next alarm goes off, given that the callback is marked overdue. In the past when it is due and may go.
absl::Time NextAlarmTime(const record::CallbackRecord& callback, const TeamRules& rules, absl::Time now);

}  // namespace ringback::domain
