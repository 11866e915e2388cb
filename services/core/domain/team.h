// A team as it stands: its members, who is away, how each is reached, and what a valid team is. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// A team without members: default policy, Monday to Friday 8 to 18, retention 30 days.
store::v1::TeamRecord NewTeam(const std::string& id, const std::string& name, const std::string& time_zone,
                              const std::string& language, absl::Time now);

// INVALID_ARGUMENT naming the field ("members[2].substitute_id"). Hold every change of a team against it: among its
// rules are that one active admin stays, that substitutes and the policy's members exist, and that ids are unique.
absl::Status CheckTeam(const store::v1::TeamRecord& team);
// One member within the team (which need not hold the member yet); `field` is the path before the field's name.
absl::Status CheckMember(const store::v1::Member& member, const store::v1::TeamRecord& team, std::string_view field);
// One way to reach somebody.
absl::Status CheckChannel(const store::v1::Channel& channel, std::string_view field);

// nullptr for an id the team does not know.
const store::v1::Member* FindMember(const store::v1::TeamRecord& team, const std::string& member_id);
// The active member who has the extension, written as the telephone system writes it; nullptr when nobody has.
const store::v1::Member* FindByExtension(const store::v1::TeamRecord& team, const std::string& extension);
// The absence that covers `at`, or nullptr.
const store::v1::Absence* AbsenceAt(const store::v1::Member& member, absl::Time at);

// How a member is reached, in order: the configured list, else mail; the desk is always last.
std::vector<store::v1::Channel> MemberChannels(const store::v1::Member& member, const store::v1::TeamRecord& team);

}  // namespace ringback::domain
