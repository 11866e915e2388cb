// HandOverMember: a member's open callbacks go to others, "sick today" in one action. Who gets which is domain's
// (hand_over.h there); each assignment is the same rule and the same kind of commit as AssignCallback's.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

// Gives a callback to another member, in a commit of its own; false when it is closed or no longer `from`'s.
absl::StatusOr<bool> PassOn(runtime::Host& host, const rpc::Call& call, const record::TeamRecord& team,
                            const store::Key& callback_key, const std::string& from, const std::string& to);

absl::Status HandOverMember(runtime::Host& host, const rpc::Call& call, const api::HandOverMemberRequest& request,
                            api::HandOverMemberResponse* response);

}  // namespace ringback::ingest
