// The escalation policy as arithmetic: which alarm comes when, and to whom. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// The n-th alarm (0-based) after the anchor, for every n >= 0: the steps, then the repeats, then one a day for ever.
struct Alarm {
  absl::Duration offset;   // from the anchor; never falls as n grows
  int step = 1;            // 1-based; repeats name the step they fire again, daily notices the last
  int repeat = 0;          // 0 first round, 1 … repeat_count
  bool daily = false;
  bool any_time = false;   // fires outside the team's hours
};
Alarm AlarmAt(const store::v1::Policy& policy, int n);
// Which n is the first daily notice: the steps and all repeats come before it.
int FirstDaily(const store::v1::Policy& policy);

// Members that a step alarms: inactive ones skipped, absent ones replaced by the substitute, the substitute's
// substitute and so on; where that chain ends without anybody present, the managers present, then the admins present,
// then the absent member anyway (silence is never the outcome). Each member once, in the step's order.
struct Told {
  std::string member_id;
  std::string stands_in_for_id;  // "" when the member is meant in person
};
std::vector<Told> Recipients(const store::v1::TeamRecord& team, const store::v1::Policy::Step& step,
                             const std::string& assignee_id, absl::Time now);

// Who gets the assignee's reminders now, by the same chain.
Told Present(const store::v1::TeamRecord& team, const std::string& member_id, absl::Time now);

// +5 min assignee and managers, +15 min managers, +30 min managers and admins, hourly repeats, then daily.
store::v1::Policy DefaultPolicy();
// The team's policy with the default for everything it leaves unset. What domain computes with.
store::v1::Policy PolicyOf(const store::v1::TeamRecord& team);
// INVALID_ARGUMENT naming the field ("steps[3].delay") and what would be right.
absl::Status CheckPolicy(const store::v1::Policy& policy);

}  // namespace ringback::domain
