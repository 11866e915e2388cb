#include "ingest/callback_commands.h"

#include "absl/strings/str_cat.h"
#include "core/domain/deliveries.h"
#include "core/domain/team.h"
#include "core/rpc/update_mask.h"
#include "ingest/contacts.h"

namespace ringback::ingest {
namespace {

constexpr size_t kNoteMax = 4000;
constexpr size_t kWordsMax = 1000;  // dispositions and reasons

using DecisionOr = absl::StatusOr<domain::Decision>;

DecisionOr Apply(const Scene& scene, const domain::Command& command) {
  return domain::Apply(scene.callback.message, command, scene.team, scene.actor, scene.now);
}

// The same, with what the actor should know in the answer.
template <typename Response>
DecisionOr ApplyAndWarn(const Scene& scene, const domain::Command& command, Response* answer) {
  RB_ASSIGN_OR_RETURN(domain::Decision decision, Apply(scene, command));
  answer->mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
  return decision;
}

// What is corrected of the caller is learned by the contact too, as long as number or address is left to find it by.
absl::Status CorrectContact(runtime::Host& host, const Scene& scene, const rpc::UpdateMask& mask,
                            const record::Caller& given, store::Commit* commit) {
  const auto key = store::ContactKey(scene.callback.message.contact_id());
  if (!key.ok()) return absl::OkStatus();
  const auto contact = store::Load<record::ContactRecord>(host.store(), *key);
  if (absl::IsNotFound(contact.status())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(contact.status());
  record::ContactRecord after = contact->message;
  mask.Copy(given, after.mutable_caller());
  if (store::SubjectKeys(after.caller()).empty()) return absl::OkStatus();
  *after.mutable_update_time() = rpc::ToProto(scene.now);
  AddContact(&contact->message, contact->version, after, commit);
  return absl::OkStatus();
}

// A rep who stands in for an absent colleague sees the colleague's callbacks, and still does not dispose of them.
absl::Status CheckOwn(const rpc::Call& call, const Scene& scene, std::string_view what) {
  const std::string& owner = scene.callback.message.assignee_id();
  if (call.principal.role != rpc::Role::kRep || owner.empty() || owner == call.principal.member_id) return absl::OkStatus();
  return domain::FieldError(absl::StatusCode::kPermissionDenied, "callback_id", "NOT_YOUR_CALLBACK",
                            absl::StrCat("a rep ", std::string(what), "; ask a manager for others'"));
}

// Whether the pending promise's message has left or may have. One that has not is withdrawn in this very commit and under
// its version: this decision and a worker that begins to send at this moment exclude each other.
absl::StatusOr<bool> StopPending(runtime::Host& host, const record::CallbackRecord& callback, store::Commit* commit) {
  const record::PromiseRecord* pending = domain::PendingPromise(callback);
  if (pending == nullptr || pending->delivery_id().empty()) return false;
  RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(pending->delivery_id()));
  auto delivery = store::Load<record::DeliveryRecord>(host.store(), key);
  if (absl::IsNotFound(delivery.status())) return false;
  RB_RETURN_IF_ERROR(delivery.status());
  if (domain::MayHaveLeft(delivery->message)) return true;
  delivery->message.set_state(record::DeliveryRecord::STATE_WITHDRAWN);
  store::AddDelivery(delivery->message, delivery->version, commit);
  commit->due.push_back(store::DueChange{store::DeliveryDue(delivery->message), std::nullopt});
  return false;
}

}  // namespace

absl::Status StartCall(runtime::Host& host, const rpc::Call& call, const api::StartCallRequest& request,
                       api::StartCallResponse* response) {
  return Carry<api::StartCallRequest, api::StartCallResponse>(
      host, call, request, response, [](const Scene& scene, store::Commit*, api::StartCallResponse*) -> DecisionOr {
        return Apply(scene, domain::StartCall{});
      });
}

absl::Status LogAttempt(runtime::Host& host, const rpc::Call& call, const api::LogAttemptRequest& request,
                        api::LogAttemptResponse* response) {
  domain::LogAttempt command;
  if (!api::AttemptOutcome_IsValid(request.outcome()) || request.outcome() == api::ATTEMPT_OUTCOME_UNSPECIFIED) {
    return domain::InvalidField("outcome", "OUTCOME_MISSING",
                                "say what came of it: reached, no answer, busy, voicemail or wrong number");
  }
  command.outcome = static_cast<record::AttemptRecord::Outcome>(request.outcome());
  RB_ASSIGN_OR_RETURN(command.note, domain::SeveralLines(request.note(), kNoteMax, "note"));
  return Carry<api::LogAttemptRequest, api::LogAttemptResponse>(
      host, call, request, response, [&](const Scene& scene, store::Commit*, api::LogAttemptResponse* answer) -> DecisionOr {
        command.called_time = request.has_called_time() ? rpc::FromProto(request.called_time()) : scene.now;
        return ApplyAndWarn(scene, command, answer);
      });
}

absl::Status CompleteCallback(runtime::Host& host, const rpc::Call& call, const api::CompleteCallbackRequest& request,
                              api::CompleteCallbackResponse* response) {
  domain::Complete command;
  RB_ASSIGN_OR_RETURN(command.disposition, domain::SeveralLines(request.disposition(), kWordsMax, "disposition"));
  return Carry<api::CompleteCallbackRequest, api::CompleteCallbackResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit* commit, api::CompleteCallbackResponse* answer) -> DecisionOr {
        RB_ASSIGN_OR_RETURN(command.pending_left, StopPending(host, scene.callback.message, commit));
        return ApplyAndWarn(scene, command, answer);
      });
}

absl::Status CancelCallback(runtime::Host& host, const rpc::Call& call, const api::CancelCallbackRequest& request,
                            api::CancelCallbackResponse* response) {
  domain::Cancel command;
  RB_ASSIGN_OR_RETURN(command.reason, domain::SeveralLines(request.reason(), kWordsMax, "reason"));
  return Carry<api::CancelCallbackRequest, api::CancelCallbackResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit* commit, api::CancelCallbackResponse* answer) -> DecisionOr {
        RB_RETURN_IF_ERROR(CheckOwn(call, scene, "cancels the own callbacks"));
        RB_ASSIGN_OR_RETURN(command.pending_left, StopPending(host, scene.callback.message, commit));
        return ApplyAndWarn(scene, command, answer);
      });
}

absl::Status AssignCallback(runtime::Host& host, const rpc::Call& call, const api::AssignCallbackRequest& request,
                            api::AssignCallbackResponse* response) {
  if (request.member_id().empty() && !request.nobody()) {
    return domain::InvalidField("member_id", "MEMBER_MISSING", "say who owes the call from now on: a member, or nobody");
  }
  if (!request.member_id().empty() && request.nobody()) {
    return domain::InvalidField("member_id", "MEMBER_AND_NOBODY", "a member or nobody owes the call from now on, not both");
  }
  return Carry<api::AssignCallbackRequest, api::AssignCallbackResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit*, api::AssignCallbackResponse* answer) -> DecisionOr {
        RB_RETURN_IF_ERROR(CheckOwn(call, scene, "gives away the own callbacks and takes unassigned ones"));
        const record::Member* member = domain::FindMember(scene.team, request.member_id());
        if (!request.nobody() && (member == nullptr || member->inactive())) {
          return domain::InvalidField("member_id", "MEMBER_UNKNOWN", "this is no active member of the team");
        }
        return ApplyAndWarn(scene, domain::Assign{request.member_id()}, answer);
      });
}

absl::Status UpdateCaller(runtime::Host& host, const rpc::Call& call, const api::UpdateCallerRequest& request,
                          api::UpdateCallerResponse* response) {
  RB_ASSIGN_OR_RETURN(const record::Caller given,
                      domain::NormaliseCaller(rpc::FromApi(request.caller()), host.config().region, "caller"));
  RB_ASSIGN_OR_RETURN(const rpc::UpdateMask mask, rpc::UpdateMask::Of(request.update_mask(), given));
  return Carry<api::UpdateCallerRequest, api::UpdateCallerResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit* commit, api::UpdateCallerResponse*) -> DecisionOr {
        domain::UpdateCaller command{scene.callback.message.caller()};
        mask.Copy(given, &command.caller);
        if (command.caller.name().empty() && store::SubjectKeys(command.caller).empty()) {
          return domain::InvalidField("caller", "CALLER_EMPTY", "leave a name, a phone number or a mail address");
        }
        RB_RETURN_IF_ERROR(CorrectContact(host, scene, mask, given, commit));
        return Apply(scene, command);
      });
}

}  // namespace ringback::ingest
