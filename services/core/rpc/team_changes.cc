#include "core/rpc/team_changes.h"

#include <map>
#include <utility>

#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"

namespace ringback::rpc {
namespace {

// No more than the id: not there any more.
absl::StatusOr<api::Callback> CallbackNow(store::Store& store, const store::Key& key,
                                                         const record::TeamRecord& team, absl::Time now,
                                                         const std::string& public_url) {
  const auto callback = store::Load<record::CallbackRecord>(store, key);
  if (absl::IsNotFound(callback.status())) {
    api::Callback gone;
    gone.set_id(key.id);
    return gone;
  }
  RB_RETURN_IF_ERROR(callback.status());
  return ToApi(callback->message, team, callback->version, now, public_url);
}

}  // namespace

absl::StatusOr<TeamChanges> ReadTeamChanges(store::Store& store, const std::string& team_id, int64_t since, int limit,
                                            const std::string& public_url) {
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team_id));
  RB_ASSIGN_OR_RETURN(const store::ChangesResult changes, store.Changes(team_key.shard, team_id, since, limit));
  TeamChanges result;
  result.complete = changes.complete;
  result.revision = changes.complete ? since : changes.newest;
  if (!changes.complete || changes.events.empty()) return result;

  RB_ASSIGN_OR_RETURN(auto team, store::Load<record::TeamRecord>(store, team_key));
  result.team = std::move(team.message);
  RB_ASSIGN_OR_RETURN(result.now, store.Now());
  std::map<std::string, api::Callback> callbacks;
  for (const store::StoredEvent& event : changes.events) {
    result.revision = event.revision;
    // A change of something else (a recording) only moves the revision on.
    const auto key = store::CallbackKey(event.event.subject);
    if (!key.ok()) continue;
    const auto [found, is_new] = callbacks.try_emplace(event.event.subject);
    if (is_new) {
      RB_ASSIGN_OR_RETURN(found->second, CallbackNow(store, *key, result.team, result.now, public_url));
    }
    api::WatchCallbacksResponse& told = result.told.emplace_back();
    told.set_revision(event.revision);
    *told.mutable_event_time() = ToProto(event.time);
    record::HistoryEvent what;
    if (what.ParseFromString(event.event.value)) *told.mutable_event() = ToApi(what);
    *told.mutable_callback() = found->second;
  }
  result.more = static_cast<int>(changes.events.size()) >= limit;
  return result;
}

absl::StatusOr<bool> SawOthers(store::Store& store, const record::TeamRecord& team, const domain::Sight& sight,
                               int64_t revision) {
  if (sight.viewer.whole_team) return false;
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.id()));
  RB_ASSIGN_OR_RETURN(const store::ChangesResult known, store.Changes(key.shard, team.id(), revision - 1, 1));
  if (!known.complete || known.events.empty()) return false;
  return !(domain::SightOf(sight.viewer, team, known.events.front().time) == sight);
}

Shown ShownTo(const domain::Viewer& viewer, const api::WatchCallbacksResponse& change, const record::TeamRecord& team,
              absl::Time now) {
  if (change.callback().version() == 0) return Shown::kGone;  // for everybody
  if (domain::SeesThoseOf(viewer, change.callback().assignee_id(), team, now)) return Shown::kWhole;
  // In sight until it was given to somebody else?
  if (change.event().what() != "assigned") return Shown::kNothing;
  const auto from = change.event().details().find("from");
  const std::string before = from == change.event().details().end() ? "" : from->second;
  return domain::SeesThoseOf(viewer, before, team, now) ? Shown::kGone : Shown::kNothing;
}

api::WatchCallbacksResponse GoneBy(const api::WatchCallbacksResponse& change) {
  api::WatchCallbacksResponse gone;
  gone.set_revision(change.revision());
  *gone.mutable_event_time() = change.event_time();
  *gone.mutable_event() = change.event();
  gone.set_gone(change.callback().id());
  return gone;
}

}  // namespace ringback::rpc
