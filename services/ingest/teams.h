// Teams as records: making and changing them, the policy. Members are team_members, tokens team_tokens, figures
// report; what a valid team is says domain.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status CreateTeam(runtime::Host& host, const rpc::Call& call, const api::CreateTeamRequest& request,
                        api::CreateTeamResponse* response);
absl::Status GetTeam(runtime::Host& host, const rpc::Call& call, const api::GetTeamRequest& request,
                     api::GetTeamResponse* response);
absl::Status ListTeams(runtime::Host& host, const rpc::Call& call, const api::ListTeamsRequest& request,
                       api::ListTeamsResponse* response);
absl::Status UpdateTeam(runtime::Host& host, const rpc::Call& call, const api::UpdateTeamRequest& request,
                        api::UpdateTeamResponse* response);
absl::Status GetPolicy(runtime::Host& host, const rpc::Call& call, const api::GetPolicyRequest& request,
                       api::GetPolicyResponse* response);
absl::Status SetPolicy(runtime::Host& host, const rpc::Call& call, const api::SetPolicyRequest& request,
                       api::SetPolicyResponse* response);

// Writes the team; a new one (version 0) appears in the list of teams.
void AddTeam(const record::TeamRecord& team, uint64_t version, store::Commit* commit);
// An error of the team's check as an error of the request, in which the team (or policy, member) stands at `path`.
absl::Status At(std::string_view path, const absl::Status& status);

// Ids of the teams in `shard` (index::kTeams), all of them.
absl::StatusOr<std::vector<std::string>> TeamsOfShard(store::Store& store, int shard);

}  // namespace ringback::ingest
