// What a policy would send: a made-up callback whose promise nobody keeps, stepped through time by the rules themselves
// (OnTimer), so that a preview and the alarms cannot differ. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

struct PreviewLine {
  absl::Time fire_time;
  int step = 0;   // 1-based; 0: a reminder
  int round = 0;  // 1 the first time, 2 and on for repeats; 0: a reminder
  std::vector<std::string> member_ids;
  bool daily = false;
};

inline constexpr int kPreviewLinesMax = 60;

// `team` with the policy in question. In the order in which they fire, until the first daily notice: after it nothing new
// comes. INVALID_ARGUMENT for a promised time that is not ahead or more than 90 days off, or an assignee the team does not
// have; `promised_time` nullopt: the next full hour at which the team is at work. The promise counts as made before its
// first reminder was due.
absl::StatusOr<std::vector<PreviewLine>> Preview(const store::v1::TeamRecord& team, std::optional<absl::Time> promised_time,
                                                 const std::string& assignee_id, absl::Time now);

}  // namespace ringback::domain
