#include "web/event_hub.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/team.h"
#include "core/rpc/sight.h"
#include "core/store/records.h"

namespace ringback::web {
namespace {

namespace api = ::ringback::v1;
using Block = http::LiveBody::Block;

constexpr char kTopic[] = "changes/";
constexpr int kBatch = 200;
// Whoever is further behind reads everything anew, which is cheaper.
constexpr int kBatchesMax = 5;
// Of a browser that takes nothing any more.
constexpr size_t kWaitingBytesMax = 1 << 20;

Block Event(std::string_view name, std::string_view id, std::string_view data) {
  std::string text = absl::StrCat("event: ", std::string(name), "\n");
  if (!id.empty()) absl::StrAppend(&text, "id: ", std::string(id), "\n");
  absl::StrAppend(&text, "data: ", std::string(data), "\n\n");
  return std::make_shared<const std::string>(std::move(text));
}

Block AtRevision(std::string_view name, int64_t revision) {
  return Event(name, "", absl::StrCat("{\"revision\":\"", revision, "\"}"));
}

Block Change(const api::WatchCallbacksResponse& change) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(change, &json);
  RB_CHECK(status.ok());
  return Event("change", absl::StrCat(change.revision()), json);
}

// The forms of a change; each made when the first one asks for it.
class Forms {
 public:
  explicit Forms(const api::WatchCallbacksResponse& change) : change_(change) {}

  // nullptr: nothing that concerns this viewer.
  Block For(const domain::Viewer& viewer, const rpc::TeamChanges& changes) {
    switch (rpc::ShownTo(viewer, change_, changes.team, changes.now)) {
      case rpc::Shown::kWhole:
        if (whole_ == nullptr) whole_ = Change(change_);
        return whole_;
      case rpc::Shown::kGone:
        if (gone_ == nullptr) gone_ = Change(rpc::GoneBy(change_));
        return gone_;
      case rpc::Shown::kNothing: break;
    }
    return nullptr;
  }

 private:
  const api::WatchCallbacksResponse& change_;
  Block whole_, gone_;
};

}  // namespace

EventHub::EventHub(EventHubParts parts) : parts_(std::move(parts)) {
  subscription_ = parts_.signals->Subscribe(kTopic, [this](const std::string& topic) { Nudged(topic.substr(sizeof kTopic - 1)); });
}

EventHub::~EventHub() {
  parts_.signals->Unsubscribe(subscription_);
  Close();
}

absl::StatusOr<std::shared_ptr<http::LiveBody>> EventHub::Attach(std::string_view session, std::optional<int64_t> since) {
  if (since.value_or(0) < 0) return domain::InvalidField("since", "REVISION_INVALID", "a revision that a list or an event told, from 0");
  RB_ASSIGN_OR_RETURN(const rpc::Authenticated caller, rpc::Authenticate(*parts_.store, *parts_.known, session));
  if (caller.principal.member_id.empty()) return absl::PermissionDeniedError("live changes are for members");
  Viewer viewer;
  viewer.body = std::make_shared<http::LiveBody>(kWaitingBytesMax);
  viewer.session = std::string(session);
  viewer.sight.viewer = rpc::ViewerOf(caller.principal);
  viewer.since = since;
  viewer.admitted = parts_.clock->Now();
  std::shared_ptr<http::LiveBody> body = viewer.body;

  std::shared_ptr<Team> team;
  {
    MutexLock lock(&mutex_);
    if (closed_) return absl::UnavailableError("going down");
    auto& found = teams_[caller.principal.team_id];
    if (found == nullptr) found = std::make_shared<Team>(caller.principal.team_id);
    team = found;
  }
  MutexLock lock(&team->mutex);
  bool saw_others = false;
  if (!viewer.sight.viewer.whole_team) {
    RB_ASSIGN_OR_RETURN(const auto record, LoadTeam(team->id));
    viewer.sight = domain::SightOf(viewer.sight.viewer, record, caller.now);
    if (since.value_or(0) > 0) {
      RB_ASSIGN_OR_RETURN(saw_others, rpc::SawOthers(*parts_.store, record, viewer.sight, *since));
    }
  }
  RB_RETURN_IF_ERROR(CatchUp(*team, viewer));
  if (saw_others) viewer.body->Put(AtRevision("resync", *viewer.since));
  if (team->viewers.empty()) team->since = *viewer.since;
  team->viewers.push_back(std::move(viewer));
  return body;
}

// Says what the viewer has missed, up to now.
absl::Status EventHub::CatchUp(Team& team, Viewer& viewer) {
  const auto newest = [&]() -> absl::StatusOr<int64_t> {
    RB_ASSIGN_OR_RETURN(const int shard, ShardOf(team.id));
    RB_ASSIGN_OR_RETURN(const auto changes, parts_.store->Changes(shard, team.id, 0, 1));
    return changes.newest;
  };
  RB_ASSIGN_OR_RETURN(const int64_t head, newest());
  viewer.body->Put(AtRevision("ready", head));
  if (!viewer.since) viewer.since = head;
  for (int batch = 0; *viewer.since != head; ++batch) {
    rpc::TeamChanges changes;
    if (batch < kBatchesMax) {
      RB_ASSIGN_OR_RETURN(changes, rpc::ReadTeamChanges(*parts_.store, team.id, *viewer.since, kBatch, parts_.public_url));
    }
    if (batch == kBatchesMax || !changes.complete) {
      viewer.since = head;
      viewer.body->Put(AtRevision("resync", head));
      return absl::OkStatus();
    }
    for (const api::WatchCallbacksResponse& change : changes.told) {
      if (const Block block = Forms(change).For(viewer.sight.viewer, changes)) viewer.body->Put(block);
    }
    viewer.since = changes.revision;
    if (!changes.more) break;
  }
  return absl::OkStatus();
}

void EventHub::Nudged(const std::string& team_id) {
  std::shared_ptr<Team> team;
  {
    MutexLock lock(&mutex_);
    const auto found = teams_.find(team_id);
    if (closed_ || found == teams_.end() || found->second->looking) return;
    team = found->second;
    team->looking = true;
  }
  if (parts_.submit([this, team] { Look(team); })) return;
  // Busy: the next LookAround finds it.
  MutexLock lock(&mutex_);
  team->looking = false;
}

void EventHub::Look(const std::shared_ptr<Team>& team) {
  {
    // Before the look: what happens while it goes on asks for another one.
    MutexLock lock(&mutex_);
    team->looking = false;
  }
  MutexLock lock(&team->mutex);
  if (team->viewers.empty()) return;
  for (bool more = true; more;) {
    const auto changes = rpc::ReadTeamChanges(*parts_.store, team->id, team->since, kBatch, parts_.public_url);
    if (!changes.ok()) {
      RB_LOG_WARN("web: the changes of {} cannot be read: {}", team->id, changes.status().ToString());
      return;
    }
    Tell(*team, *changes);
    team->since = changes->revision;
    more = changes->more;
  }
}

void EventHub::Tell(Team& team, const rpc::TeamChanges& changes) {
  if (!changes.complete) {
    const Block resync = AtRevision("resync", changes.revision);
    for (Viewer& viewer : team.viewers) {
      viewer.since = changes.revision;
      viewer.body->Put(resync);
    }
    return;
  }
  if (changes.told.empty()) return;
  // What members are by now: nothing is told to somebody who left before it happened.
  for (Viewer& viewer : team.viewers) Reconsider(viewer, changes.team, changes.now);
  for (const api::WatchCallbacksResponse& change : changes.told) {
    Forms forms(change);
    for (Viewer& viewer : team.viewers) {
      if (change.revision() <= *viewer.since || viewer.left) continue;
      if (const Block block = forms.For(viewer.sight.viewer, changes)) viewer.body->Put(block);
    }
  }
  team.viewers.remove_if([](const Viewer& viewer) { return viewer.body->closed(); });
}

void EventHub::Reconsider(Viewer& viewer, const store::v1::TeamRecord& team, absl::Time now) {
  const store::v1::Member* const member = domain::FindMember(team, viewer.sight.viewer.member_id);
  const std::optional<domain::Viewer> who = member == nullptr ? std::nullopt : rpc::ViewerOf(*member);
  viewer.left = !who.has_value();
  if (viewer.left) return;
  domain::Sight sight = domain::SightOf(*who, team, now);
  if (sight == viewer.sight) return;
  viewer.sight = std::move(sight);
  viewer.body->Put(AtRevision("resync", *viewer.since));
}

void EventHub::LookAround() {
  for (const auto& team : Teams()) {
    Look(team);
    EndWhatEnded(*team);
  }
}

void EventHub::EndWhatEnded(Team& team) {
  static const Block kBye = Event("bye", "", "{}");
  const absl::Time now = parts_.clock->Now();
  MutexLock lock(&team.mutex);
  // Roles change, and absences begin and end, without a change of any callback.
  const auto record = team.viewers.empty() ? absl::NotFoundError("nobody asks") : LoadTeam(team.id);
  for (Viewer& viewer : team.viewers) {
    if (record.ok()) Reconsider(viewer, *record, now);
    if (!viewer.left && now - viewer.admitted < kAdmittedFor) continue;
    const auto caller = rpc::Authenticate(*parts_.store, *parts_.known, viewer.session);
    if (caller.ok()) {
      viewer.admitted = now;
    } else if (absl::IsUnauthenticated(caller.status())) {
      viewer.body->Put(kBye);
      viewer.body->Close();
    }
  }
  team.viewers.remove_if([](const Viewer& viewer) { return viewer.body->closed(); });
}

absl::StatusOr<store::v1::TeamRecord> EventHub::LoadTeam(const std::string& team_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
  RB_ASSIGN_OR_RETURN(auto team, store::Load<store::v1::TeamRecord>(*parts_.store, key));
  return std::move(team.message);
}

void EventHub::Close() {
  {
    MutexLock lock(&mutex_);
    closed_ = true;
  }
  for (const auto& team : Teams()) {
    MutexLock lock(&team->mutex);
    for (Viewer& viewer : team->viewers) viewer.body->Close();
    team->viewers.clear();
  }
}

std::vector<std::shared_ptr<EventHub::Team>> EventHub::Teams() {
  MutexLock lock(&mutex_);
  std::vector<std::shared_ptr<Team>> teams;
  for (const auto& [id, team] : teams_) teams.push_back(team);
  return teams;
}

int EventHub::viewers() {
  int count = 0;
  for (const auto& team : Teams()) {
    MutexLock lock(&team->mutex);
    count += static_cast<int>(team->viewers.size());
  }
  return count;
}

}  // namespace ringback::web
