// Who takes over what a member owes: the substitute or the next in the chain, or several by what they have planned. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// By the chain of substitutes as if the member were away now, else by the leaders present; "" when there is nobody.
std::string Heir(const store::v1::TeamRecord& team, const std::string& member_id, absl::Time now);

// Somebody who could take over, with what is planned already.
struct Successor {
  std::string member_id;
  std::vector<absl::Time> planned;  // due times of the own open callbacks
};

// Who of them takes each call that is due at `due` (nullopt: to be closed, at no time), in that order: whoever is not away at
// that time, has the least planned within an hour of it, then the fewest in all, then stands first. What was handed out
// before counts as planned. There must be one successor at least.
std::vector<std::string> Spread(const std::vector<std::optional<absl::Time>>& due, std::vector<Successor> successors,
                                const store::v1::TeamRecord& team);

}  // namespace ringback::domain
