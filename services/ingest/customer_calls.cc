#include "ingest/customer_calls.h"

#include <algorithm>
#include <optional>

#include "core/store/free_slots.h"

namespace ringback::ingest {
namespace {

constexpr int kSlotsDefault = 12;
constexpr int kSlotsMost = 100;

using DecisionOr = absl::StatusOr<domain::Decision>;

template <typename Request, typename Response>
absl::Status CarryAndWarn(runtime::Host& host, const rpc::Call& call, const Request& request, Response* response,
                          const domain::Command& command) {
  return Carry<Request, Response>(
      host, call, request, response, [&](const Scene& scene, store::Commit*, Response* answer) -> DecisionOr {
        RB_ASSIGN_OR_RETURN(domain::Decision decision, domain::Apply(scene.callback.message, command, scene.team,
                                                                     scene.actor, scene.now));
        answer->mutable_warnings()->Assign(decision.warnings.begin(), decision.warnings.end());
        return decision;
      });
}

}  // namespace

absl::Status AnswerProposal(runtime::Host& host, const rpc::Call& call, const api::AnswerProposalRequest& request,
                            api::AnswerProposalResponse* response) {
  domain::AnswerProposal command;
  if (request.has_promised_time()) command.promised_time = rpc::FromProto(request.promised_time());
  return CarryAndWarn(host, call, request, response, command);
}

absl::Status DeclineProposal(runtime::Host& host, const rpc::Call& call, const api::DeclineProposalRequest& request,
                             api::DeclineProposalResponse* response) {
  return CarryAndWarn(host, call, request, response, domain::DeclineProposal{});
}

absl::Status ReopenCallback(runtime::Host& host, const rpc::Call& call, const api::ReopenCallbackRequest& request,
                            api::ReopenCallbackResponse* response) {
  return Carry<api::ReopenCallbackRequest, api::ReopenCallbackResponse>(
      host, call, request, response,
      [&](const Scene& scene, store::Commit* commit, api::ReopenCallbackResponse*) -> DecisionOr {
        const record::CallbackRecord& callback = scene.callback.message;
        RB_ASSIGN_OR_RETURN(domain::Decision decision,
                            domain::Apply(callback, domain::Reopen{}, scene.team, scene.actor, scene.now));
        // What is open is not purged: the entry that closing made goes.
        commit->due.push_back(
            store::DueChange{store::RetentionDue(commit->shard, callback.team_id(), callback.id()), std::nullopt});
        return decision;
      });
}

absl::Status ListSlots(runtime::Host& host, const rpc::Call& call, const api::ListSlotsRequest& request,
                       api::ListSlotsResponse* response) {
  if (request.count() < 0) return domain::InvalidField("count", "COUNT_INVALID", "1 to 100; 0: 12");
  RB_ASSIGN_OR_RETURN(auto callback, FindCallback(host, call, request.callback_id(), "callback_id"));
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, callback.message.team_id()));
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  // Whoever promises it a time owes it from then on: what they have promised and are busy with counts.
  if (callback.message.assignee_id().empty()) callback.message.set_assignee_id(call.principal.member_id);
  std::optional<absl::Time> from;
  if (request.has_earliest_time()) from = rpc::FromProto(request.earliest_time());
  const int count = request.count() == 0 ? kSlotsDefault : std::min(request.count(), kSlotsMost);
  RB_ASSIGN_OR_RETURN(const auto slots, store::FreeSlotsOf(host.store(), callback.message, team.message, now, count, from));
  for (const absl::Time slot : slots) *response->add_slots() = rpc::ToProto(slot);
  return absl::OkStatus();
}

}  // namespace ringback::ingest
