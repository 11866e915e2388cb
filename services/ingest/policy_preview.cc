#include "ingest/policy_preview.h"

#include <optional>

#include "core/domain/escalation.h"
#include "core/domain/preview.h"
#include "core/domain/team.h"
#include "ingest/teams.h"

namespace ringback::ingest {

absl::Status PreviewPolicy(runtime::Host& host, const rpc::Call& call, const api::PreviewPolicyRequest& request,
                           api::PreviewPolicyResponse* response) {
  RB_ASSIGN_OR_RETURN(auto team, TeamOf(host, call, request.team_id()));
  if (request.has_policy()) {  // held against what SetPolicy would say of it
    *team.message.mutable_policy() = rpc::FromApi(request.policy());
    RB_RETURN_IF_ERROR(At("policy", domain::CheckPolicy(team.message.policy())));
    RB_RETURN_IF_ERROR(domain::CheckTeam(team.message));
  }
  std::optional<absl::Time> promised_time;
  if (request.has_promised_time()) promised_time = rpc::FromProto(request.promised_time());
  RB_ASSIGN_OR_RETURN(const auto lines,
                      domain::Preview(team.message, promised_time, request.assignee_id(), call.now));
  for (const domain::PreviewLine& line : lines) {
    api::PreviewLine* to = response->add_lines();
    *to->mutable_fire_time() = rpc::ToProto(line.fire_time);
    to->set_step(line.step);
    to->set_round(line.round);
    to->mutable_member_ids()->Assign(line.member_ids.begin(), line.member_ids.end());
    to->set_daily(line.daily);
  }
  return absl::OkStatus();
}

}  // namespace ringback::ingest
