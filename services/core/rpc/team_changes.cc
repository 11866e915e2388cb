#include "core/rpc/team_changes.h"

#include <map>
#include <optional>
#include <utility>

#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"

namespace ringback::rpc {
namespace {

// nullopt: not there any more.
absl::StatusOr<std::optional<api::Callback>> CallbackNow(store::Store& store, const store::Key& key,
                                                         const record::TeamRecord& team, absl::Time now,
                                                         const std::string& public_url) {
  const auto callback = store::Load<record::CallbackRecord>(store, key);
  if (absl::IsNotFound(callback.status())) return std::nullopt;
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
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  std::map<std::string, std::optional<api::Callback>> callbacks;
  for (const store::StoredEvent& event : changes.events) {
    result.revision = event.revision;
    // A change of something else (a recording) only moves the revision on.
    const auto key = store::CallbackKey(event.event.subject);
    if (!key.ok()) continue;
    const auto [found, is_new] = callbacks.try_emplace(event.event.subject);
    if (is_new) {
      RB_ASSIGN_OR_RETURN(found->second, CallbackNow(store, *key, result.team, now, public_url));
    }
    api::WatchCallbacksResponse& told = result.told.emplace_back();
    told.set_revision(event.revision);
    *told.mutable_event_time() = ToProto(event.time);
    record::HistoryEvent what;
    if (what.ParseFromString(event.event.value)) *told.mutable_event() = ToApi(what);
    if (found->second.has_value()) *told.mutable_callback() = *found->second;
  }
  result.more = static_cast<int>(changes.events.size()) >= limit;
  return result;
}

}  // namespace ringback::rpc
