// Call attempts: what settles a promise (law 1) and with which verdict (law 2).
//
// An attempt counts by called_time, when the call was made, not when it was logged. A conversation settles at any time;
// any other outcome only from the moment on when somebody had to act, and it starts a follow-up. A verdict once given
// is never changed, also not by an attempt that is logged later. A call from before the current wait began (the customer
// rang again after the talk) stays on the record and settles nothing: what it was for is over.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"

namespace ringback::domain {

using record::AttemptRecord;
using record::CallbackRecord;
using record::PromiseRecord;

namespace {

std::string OutcomeWord(AttemptRecord::Outcome outcome) {
  switch (outcome) {
    case AttemptRecord::OUTCOME_REACHED: return "reached";
    case AttemptRecord::OUTCOME_NO_ANSWER: return "no_answer";
    case AttemptRecord::OUTCOME_BUSY: return "busy";
    case AttemptRecord::OUTCOME_VOICEMAIL: return "voicemail";
    case AttemptRecord::OUTCOME_WRONG_NUMBER: return "wrong_number";
    default: return "";
  }
}

void SettleByCall(Draft& draft, PromiseRecord& promise, absl::Time called_time) {
  const absl::Time promised = FromProto(promise.promised_time());
  const bool kept = called_time <= promised + FromProto(draft.rules.policy.tolerance());
  Settle(draft, promise, kept ? record::VERDICT_KEPT : record::VERDICT_LATE, called_time - promised);
}

void Reached(Draft& draft, absl::Time called_time) {
  CallbackRecord& callback = draft.callback;
  // A promise made after that conversation is a new one, and the conversation cannot have kept it.
  if (PromiseRecord* pending = Pending(callback);
      pending != nullptr && FromProto(pending->create_time()) <= called_time) {
    WithdrawPending(draft);
  }
  if (PromiseRecord* armed = Armed(callback)) {
    if (called_time < FromProto(armed->create_time())) {
      draft.Warn("that conversation was before the promise was made: the promise stands");
      return;
    }
    SettleByCall(draft, *armed, called_time);
  }
  callback.set_phase(CallbackRecord::PHASE_TALKED);
  callback.clear_follow_up_time();
  callback.clear_escalation();
  callback.clear_proposal();  // spoken about, or it would have been
  *callback.mutable_wrap_up_time() =
      ToProto(draft.rules.NextOpen(draft.now + FromProto(draft.rules.policy.wrap_up())));
  ClearDeliveryAlarm(draft);
}

// The follow-up begins now after a first attempt. Another one counts from its call, so that logging old dials cannot
// push the next alarm away.
void StartFollowUp(Draft& draft, absl::Time follow_up_time) {
  draft.callback.set_phase(CallbackRecord::PHASE_FOLLOW_UP);
  *draft.callback.mutable_follow_up_time() = ToProto(follow_up_time);
  draft.callback.clear_escalation();
  draft.Event("follow_up_started", {{"follow_up_time", Text(follow_up_time)}});
}

void NotReached(Draft& draft, absl::Time called_time) {
  CallbackRecord& callback = draft.callback;
  const absl::Duration follow_up = FromProto(draft.rules.policy.follow_up());
  switch (callback.phase()) {
    case CallbackRecord::PHASE_PROMISED: {
      PromiseRecord& armed = *Armed(callback);
      if (called_time < FromProto(armed.promised_time())) {
        draft.Warn("the customer was not reached before the promised time: the promise stands");
        return;
      }
      SettleByCall(draft, armed, called_time);
      return StartFollowUp(draft, draft.now + follow_up);
    }
    case CallbackRecord::PHASE_WAITING:
      if (called_time < FromProto(callback.response_due_time())) return;
      return StartFollowUp(draft, draft.now + follow_up);
    case CallbackRecord::PHASE_FOLLOW_UP:
      if (called_time + follow_up <= FromProto(callback.follow_up_time())) return;
      return StartFollowUp(draft, called_time + follow_up);
    default: return;  // talked already
  }
}

}  // namespace

absl::Time CallsCountFrom(const CallbackRecord& callback) {
  const absl::Time waiting = FromProto(callback.wait_begin_time());
  const PromiseRecord* armed = ArmedPromise(callback);
  return armed == nullptr ? waiting : std::max(waiting, FromProto(armed->create_time()));
}

// Whether it comes to a conversation is not known yet, so no timer and no verdict moves; the attempt is logged afterwards.
absl::Status DoStartCall(Draft& draft) {
  draft.Event("calling");
  return absl::OkStatus();
}

absl::Status DoLogAttempt(Draft& draft, const LogAttempt& command) {
  if (command.outcome < AttemptRecord::OUTCOME_REACHED || command.outcome > AttemptRecord::OUTCOME_WRONG_NUMBER) {
    return InvalidField("outcome", "MISSING", "reached, no-answer, busy, voicemail or wrong-number");
  }
  const absl::Time called_time = FromProto(ToProto(command.called_time));
  if (called_time > draft.now) {
    return InvalidField("called_time", "CALLED_TIME_AHEAD",
                        absl::StrCat("a call is logged once it was made; ", Text(called_time), " is still to come"));
  }
  if (called_time < FromProto(draft.callback.create_time())) {
    return InvalidField("called_time", "CALLED_TIME_BEFORE_REQUEST",
                        absl::StrCat("the customer asked at ", Text(FromProto(draft.callback.create_time())),
                                     "; a call before that does not belong to this callback"));
  }
  AttemptRecord& attempt = *draft.callback.add_attempts();
  *attempt.mutable_called_time() = ToProto(called_time);
  *attempt.mutable_create_time() = ToProto(draft.now);
  attempt.set_outcome(command.outcome);
  attempt.set_author(command.member_id.empty() ? draft.author : command.member_id);
  attempt.set_note(command.note);

  const bool reached = command.outcome == AttemptRecord::OUTCOME_REACHED;
  draft.Event("attempted", {{"outcome", OutcomeWord(command.outcome)},
                            {"called_time", Text(called_time)},
                            {"member_id", command.member_id}});
  const bool by_member = FindMember(draft.rules.team, attempt.author()) != nullptr;
  const std::string who = by_member ? attempt.author() : draft.callback.assignee_id();
  draft.Count("attempted", who);
  if (reached) draft.Count("reached", who);

  if (called_time < FromProto(draft.callback.wait_begin_time())) {
    draft.Warn("that call was before the customer asked again: the callback stays as it is");
    return absl::OkStatus();
  }
  reached ? Reached(draft, called_time) : NotReached(draft, called_time);
  return absl::OkStatus();
}

}  // namespace ringback::domain
