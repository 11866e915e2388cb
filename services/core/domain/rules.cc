// Opening a callback, and the way from a command to its rule.
#include "core/domain/rules.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;

namespace {

std::string AuthorOf(const Actor& actor) { return actor.is_customer ? "customer" : actor.id; }

struct Carry {
  Draft& draft;
  absl::Status operator()(const RangAgain& command) const { return DoRangAgain(draft, command); }
  absl::Status operator()(const MakePromise& command) const { return DoMakePromise(draft, command); }
  absl::Status operator()(const StartCall&) const { return DoStartCall(draft); }
  absl::Status operator()(const LogAttempt& command) const { return DoLogAttempt(draft, command); }
  absl::Status operator()(const Complete& command) const { return DoComplete(draft, command); }
  absl::Status operator()(const Cancel& command) const { return DoCancel(draft, command); }
  absl::Status operator()(const Assign& command) const { return DoAssign(draft, command); }
  absl::Status operator()(const Acknowledge& command) const { return DoAcknowledge(draft, command); }
  absl::Status operator()(const Snooze& command) const { return DoSnooze(draft, command); }
  absl::Status operator()(const CustomerAgree& command) const { return DoCustomerAgree(draft, command); }
  absl::Status operator()(const CustomerMove& command) const { return DoCustomerMove(draft, command); }
  absl::Status operator()(const CustomerPropose& command) const { return DoCustomerPropose(draft, command); }
  absl::Status operator()(const CustomerDecline&) const { return DoCustomerDecline(draft); }
  absl::Status operator()(const CustomerCallOff&) const { return DoCustomerCallOff(draft); }
  absl::Status operator()(const CustomerTopic& command) const { return DoCustomerTopic(draft, command); }
  absl::Status operator()(const CustomerBrief& command) const { return DoCustomerBrief(draft, command); }
  absl::Status operator()(const WrongPerson&) const { return DoWrongPerson(draft); }
  absl::Status operator()(const Heard& command) const { return DoHeard(draft, command); }
  absl::Status operator()(const AnswerProposal& command) const { return DoAnswerProposal(draft, command); }
  absl::Status operator()(const DeclineProposal&) const { return DoDeclineProposal(draft); }
  absl::Status operator()(const UpdateCaller& command) const { return DoUpdateCaller(draft, command); }
  absl::Status operator()(const Resend& command) const { return DoResend(draft, command); }
  absl::Status operator()(const Reopen&) const { return DoReopen(draft); }
};

}  // namespace

void StartWaiting(Draft& draft) {
  draft.callback.set_phase(CallbackRecord::PHASE_WAITING);
  draft.callback.clear_wrap_up_time();
  draft.callback.clear_follow_up_time();
  draft.callback.clear_escalation();
  *draft.callback.mutable_wait_begin_time() = ToProto(draft.now);
  *draft.callback.mutable_response_due_time() =
      ToProto(AddTeamHours(draft.rules.team.calendar(), draft.rules.zone, draft.now,
                           FromProto(draft.rules.policy.response_target())));
}

absl::StatusOr<Decision> Open(const Request& request, const record::TeamRecord& team, const Actor& actor,
                              absl::Time now) {
  if (!request.assignee_id.empty()) RB_RETURN_IF_ERROR(CheckAssignee(team, request.assignee_id));
  CallbackRecord callback;
  callback.set_id(request.callback_id);
  callback.set_team_id(team.id());
  callback.set_contact_id(request.contact_id);
  *callback.mutable_caller() = request.caller;
  callback.set_note(request.note);
  callback.set_assignee_id(request.assignee_id);
  callback.set_page_token(request.page_token);
  callback.set_rings(1);
  callback.set_legal_hold(false);
  Draft draft(std::move(callback), team, AuthorOf(actor), now);
  *draft.callback.mutable_create_time() = ToProto(draft.now);
  NoteRing(draft, request.ring_time);
  StartWaiting(draft);
  draft.Event("requested", {{"assignee", request.assignee_id}, {"ring_time", RingText(request.ring_time)}});
  draft.Count("requested");
  return std::move(draft).Finish();
}

absl::StatusOr<Decision> Apply(const CallbackRecord& callback, const Command& command, const record::TeamRecord& team,
                               const Actor& actor, absl::Time now) {
  const bool closed = callback.phase() == CallbackRecord::PHASE_CLOSED;
  // A page in the wrong hands is closed at any time.
  if (closed && !std::holds_alternative<Reopen>(command) && !std::holds_alternative<WrongPerson>(command)) {
    return Refused("CALLBACK_CLOSED", "the callback is closed; take in a new request instead");
  }
  Draft draft(callback, team, AuthorOf(actor), now);
  RB_RETURN_IF_ERROR(std::visit(Carry{draft}, command));
  return std::move(draft).Finish();
}

Decision Note(const CallbackRecord& callback, const std::string& what, const std::string& id,
              const record::TeamRecord& team, const Actor& actor, absl::Time now) {
  Draft draft(callback, team, AuthorOf(actor), now);
  draft.Event(what, {{"id", id}});
  return std::move(draft).Finish();
}

}  // namespace ringback::domain
