// Who sees which callback, and what hangs on it: history, messages, answers, recordings. Pure; every handler that shows one
// asks here.
//
// Managers and admins see the whole team's. A rep sees the own ones, those of an absent member in whose place the rep stands
// (who gets the reminders must be able to read what they are about), and the unassigned ones, which anybody may take.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

struct Viewer {
  std::string member_id;     // "" for what is no member's
  bool whole_team = false;
  bool operator==(const Viewer&) const = default;
};

bool Sees(const Viewer& viewer, const store::v1::CallbackRecord& callback, const store::v1::TeamRecord& team,
          absl::Time now);
// The same for a callback that this member owed, or nobody ("").
bool SeesThoseOf(const Viewer& viewer, const std::string& assignee_id, const store::v1::TeamRecord& team, absl::Time now);

// Absent members in whose place the member stands now.
std::vector<std::string> StandsInFor(const store::v1::TeamRecord& team, const std::string& member_id, absl::Time now);

// What decides which callbacks a viewer sees, for whoever keeps telling: when it has changed, callbacks have come into sight
// and gone out of it without a change of their own, and all must be read anew.
struct Sight {
  Viewer viewer;
  std::vector<std::string> stands_in_for;  // of a rep
  bool operator==(const Sight&) const = default;
};
Sight SightOf(const Viewer& viewer, const store::v1::TeamRecord& team, absl::Time now);

// A recording without a callback (nullptr) is its author's and the leaders'.
bool SeesTake(const Viewer& viewer, const store::v1::RecordingRecord& take, const store::v1::CallbackRecord* callback,
              const store::v1::TeamRecord& team, absl::Time now);
// A voice may be heard by who spoke, by who owes the call (or stands in for them), and while the team has that switched on
// by everybody who sees it.
bool MayPlay(const Viewer& viewer, const store::v1::RecordingRecord& take, const store::v1::CallbackRecord* callback,
             const store::v1::TeamRecord& team, absl::Time now);

}  // namespace ringback::domain
