// Members of a team: coming, changing, being away, leaving.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status AddMember(runtime::Host& host, const rpc::Call& call, const api::AddMemberRequest& request,
                       api::AddMemberResponse* response);
absl::Status UpdateMember(runtime::Host& host, const rpc::Call& call, const api::UpdateMemberRequest& request,
                          api::UpdateMemberResponse* response);
// Open callbacks go to the substitute, else to whoever stands in by the team's chain: none stays with somebody who left.
absl::Status RemoveMember(runtime::Host& host, const rpc::Call& call, const api::RemoveMemberRequest& request,
                          api::RemoveMemberResponse* response);
absl::Status SetAbsence(runtime::Host& host, const rpc::Call& call, const api::SetAbsenceRequest& request,
                        api::SetAbsenceResponse* response);

// The team of a member that a request names: the principal's own, for operators whichever it is. INVALID_ARGUMENT for what
// is no member's id, NOT_FOUND for a member of no such team.
absl::StatusOr<store::Loaded<record::TeamRecord>> TeamOfMember(runtime::Host& host, const rpc::Call& call,
                                                               const std::string& member_id, std::string_view field);

// A member as typed, normalised; a channel without a secret keeps the one `known` has for the same address.
absl::StatusOr<record::Member> NormaliseMember(const api::Member& member, const record::Member* known,
                                               const std::string& region, std::string_view field);

}  // namespace ringback::ingest
