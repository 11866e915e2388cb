// The escalation policy as a file: TOML that people edit, or the API's JSON.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::cli {

// Turns a name, mail address or id into a member id.
using MemberId = std::function<absl::StatusOr<std::string>(const std::string& who)>;
// Turns a member id into what a person reads.
using MemberName = std::function<std::string(const std::string& id)>;

// Text that begins with "{" is JSON, everything else TOML. INVALID_ARGUMENT names line or key and what would be right;
// unknown keys are refused. Limits are the server's to check.
absl::StatusOr<v1::Policy> ParsePolicy(std::string_view text, const MemberId& member_id);

// Commented TOML that ParsePolicy reads back.
std::string PolicyToml(const v1::Policy& policy, const MemberName& member_name);

}  // namespace ringback::cli
