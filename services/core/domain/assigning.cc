// Who owes the call. A new assignee changes no timer (law 1); whoever takes over is told, and so is the customer while
// the promised time is still to come. Back to nobody goes only what nobody has promised.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"

namespace ringback::domain {

using record::DeliveryRecord;
using record::PromiseRecord;

absl::Status CheckAssignee(const record::TeamRecord& team, const std::string& member_id) {
  const auto* member = FindMember(team, member_id);
  if (member == nullptr || member->inactive()) {
    return InvalidField("assignee_id", "UNKNOWN_MEMBER",
                        absl::StrCat("\"", member_id.substr(0, 40), "\" is no active member of this team"));
  }
  return absl::OkStatus();
}

namespace {

// It waits for whoever takes it, as one that came in without an assignee: nobody is told, and the timers go on.
absl::Status GiveBack(Draft& draft) {
  if (Armed(draft.callback) != nullptr || Pending(draft.callback) != nullptr) {
    return Refused("PROMISE_RUNNING", "the customer has been promised a time, and somebody has to keep it: name who owes "
                                      "the call from now on");
  }
  const std::string from = draft.callback.assignee_id();
  if (from.empty()) return absl::OkStatus();
  draft.callback.clear_assignee_id();
  // "I have it" went with whoever had it: the alarms go on.
  if (draft.callback.has_escalation()) {
    draft.callback.mutable_escalation()->clear_ack_until();
    draft.callback.mutable_escalation()->clear_ack_by();
  }
  draft.Event("assigned", {{"from", from}});
  return absl::OkStatus();
}

}  // namespace

absl::Status DoAssign(Draft& draft, const Assign& command) {
  if (command.member_id.empty()) return GiveBack(draft);
  RB_RETURN_IF_ERROR(CheckAssignee(draft.rules.team, command.member_id));
  const std::string from = draft.callback.assignee_id();
  if (from == command.member_id) return absl::OkStatus();
  draft.callback.set_assignee_id(command.member_id);
  draft.Event("assigned", {{"from", from}, {"to", command.member_id}});

  const PromiseRecord* armed = Armed(draft.callback);
  // Who takes it over for themselves knows.
  if (draft.author != command.member_id) {
    for (const Told& told : draft.Owner()) {
      DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_HANDOVER, told);
      delivery.set_promise_revision(armed == nullptr ? 0 : armed->revision());
    }
  }
  // Past the promised time the customer waits for a call, and a mail that promises what has passed would mock them.
  if (armed != nullptr && draft.now < FromProto(armed->promised_time())) {
    if (DeliveryRecord* update = TellCustomerUpdate(draft, *armed, "other_caller")) {
      update->set_previous_assignee_id(from);
    }
  }

  const auto& member = *FindMember(draft.rules.team, command.member_id);
  if (AbsenceAt(member, draft.now) != nullptr) {
    const auto* present = FindMember(draft.rules.team, Present(draft.rules.team, member.id(), draft.now).member_id);
    draft.Warn(absl::StrCat(member.name(), " is away now",
                            present != nullptr && present != &member ? "; " + present->name() + " stands in" : ""));
  }
  return absl::OkStatus();
}

}  // namespace ringback::domain
