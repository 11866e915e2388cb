// A team's changes in the public language: what its event log says since a revision, each with the callback as it is now.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/domain/sight.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::rpc {

struct TeamChanges {
  // Oldest first, of callbacks alone; one that is gone meanwhile has no more than its id.
  std::vector<v1::WatchCallbacksResponse> told;
  store::v1::TeamRecord team;  // as it is now; read only when something is told
  absl::Time now;              // of the store, when it was read; only when something is told
  int64_t revision = 0;        // what is told reaches so far: go on from here
  bool more = false;           // there may be later ones already
  // False: older changes were trimmed away. Nothing is told; whoever listens must read everything anew.
  bool complete = true;
};

// At most `limit` events. NOT_FOUND for a team that is not there; other errors are the store's. Blocks.
absl::StatusOr<TeamChanges> ReadTeamChanges(store::Store& store, const std::string& team_id, int64_t since, int limit,
                                            const std::string& public_url);

// Whether a viewer, who knows of all up to `revision`, saw other callbacks when that was told than with this sight: who comes
// back may have begun or ceased to stand in since. False when the log does not reach back so far. Blocks.
absl::StatusOr<bool> SawOthers(store::Store& store, const store::v1::TeamRecord& team, const domain::Sight& sight,
                               int64_t revision);

// What a viewer is told of a change: all of it, that the callback has gone out of sight with it, or nothing.
enum class Shown { kWhole, kGone, kNothing };
Shown ShownTo(const domain::Viewer& viewer, const v1::WatchCallbacksResponse& change, const store::v1::TeamRecord& team,
              absl::Time now);
// The change as it is told to whom it is kGone.
v1::WatchCallbacksResponse GoneBy(const v1::WatchCallbacksResponse& change);

}  // namespace ringback::rpc
