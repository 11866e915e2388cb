// Live changes to browsers, as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): a
// team's event log is read once for all of its viewers, and each gets of it what its member may see. One stream a browser.
//   ready   {"revision"}: what follows is live
//   change  a WatchCallbacksResponse; the event's id is its revision
//   resync  {"revision"}: something was missed; read everything anew
//   bye     the session has ended
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/domain/sight.h"
#include "core/handoff/signals.h"
#include "core/http/live_body.h"
#include "core/rpc/identity.h"
#include "core/rpc/team_changes.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::web {

struct EventHubParts {
  store::Store* store = nullptr;
  rpc::KnownTokens* known = nullptr;
  handoff::Signals* signals = nullptr;
  Clock* clock = nullptr;
  std::string public_url;
  // Runs work where blocking is allowed; false when it takes none.
  std::function<bool(std::function<void()> work)> submit;
};

// Thread-safe.
class EventHub {
 public:
  explicit EventHub(EventHubParts parts);
  ~EventHub();

  // The live answer of a session: what happened after revision `since` (nullopt: nothing of it) and what happens from now on.
  // UNAUTHENTICATED for a session that is none, INVALID_ARGUMENT for a revision below 0; other errors are the store's.
  // Blocks.
  absl::StatusOr<std::shared_ptr<http::LiveBody>> Attach(std::string_view session, std::optional<int64_t> since);

  // To be called every second: looks at every team that has viewers (a nudge may be lost), and ends what belongs to a
  // session that has ended, each at most kAdmittedFor ago. Blocks.
  void LookAround();
  static constexpr absl::Duration kAdmittedFor = absl::Seconds(5);

  // Ends all streams; their browsers come back to whoever serves them then.
  void Close();

  int viewers();

 private:
  struct Viewer {
    std::shared_ptr<http::LiveBody> body;
    std::string session;
    domain::Sight sight;
    std::optional<int64_t> since;  // always set once it is among a team's
    absl::Time admitted;
    bool left = false;  // the team; told nothing more, until a look at the session ends it
  };
  struct Team {
    explicit Team(std::string id) : id(std::move(id)) {}
    const std::string id;
    Mutex mutex;  // held while the store is read: changes are told in their order
    std::list<Viewer> viewers RB_GUARDED_BY(mutex);
    int64_t since RB_GUARDED_BY(mutex) = 0;  // told to all who are there
    bool looking = false;                    // a look is on its way; guarded by the hub's mutex
  };

  void Nudged(const std::string& team_id);
  void Look(const std::shared_ptr<Team>& team);
  void Tell(Team& team, const rpc::TeamChanges& changes) RB_REQUIRES(team.mutex);
  absl::Status CatchUp(Team& team, Viewer& viewer) RB_REQUIRES(team.mutex);
  void EndWhatEnded(Team& team);
  // What the viewer's member is by now, and sees; whose sight has changed reads everything anew.
  static void Reconsider(Viewer& viewer, const store::v1::TeamRecord& team, absl::Time now);
  absl::StatusOr<store::v1::TeamRecord> LoadTeam(const std::string& team_id);
  std::vector<std::shared_ptr<Team>> Teams();

  const EventHubParts parts_;
  uint64_t subscription_ = 0;
  Mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Team>> teams_ RB_GUARDED_BY(mutex_);
  bool closed_ RB_GUARDED_BY(mutex_) = false;
};

}  // namespace ringback::web
