#include "core/rpc/sight.h"

#include <string>

#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/store/records.h"

namespace ringback::rpc {
namespace {

namespace record = ::ringback::store::v1;

absl::StatusOr<record::TeamRecord> TeamOf(store::Store& store, const std::string& team_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
  RB_ASSIGN_OR_RETURN(auto team, store::Load<record::TeamRecord>(store, key));
  return std::move(team.message);
}

// nullopt for a take that is for none, or whose callback has gone.
absl::StatusOr<std::optional<record::CallbackRecord>> CallbackOf(store::Store& store, const record::RecordingRecord& take) {
  const auto key = store::CallbackKey(take.callback_id());
  if (!key.ok()) return std::nullopt;
  auto callback = store::Load<record::CallbackRecord>(store, *key);
  if (absl::IsNotFound(callback.status())) return std::nullopt;
  RB_RETURN_IF_ERROR(callback.status());
  return std::move(callback->message);
}

const record::CallbackRecord* Pointer(const std::optional<record::CallbackRecord>& callback) {
  return callback.has_value() ? &*callback : nullptr;
}

}  // namespace

domain::Viewer ViewerOf(const Principal& principal) {
  return {principal.member_id, Manages(principal) || principal.role == Role::kOperator};
}

std::optional<domain::Viewer> ViewerOf(const record::Member& member) {
  const std::optional<Role> role = RoleOf(member);
  if (!role.has_value()) return std::nullopt;
  Principal principal;
  principal.role = *role;
  principal.member_id = member.id();
  return ViewerOf(principal);
}

absl::StatusOr<bool> Sees(store::Store& store, const Call& call, const record::CallbackRecord& callback) {
  if (!CheckScope(call.principal, callback.team_id(), {}).ok()) return false;
  const domain::Viewer viewer = ViewerOf(call.principal);
  const std::string& owner = callback.assignee_id();
  if (viewer.whole_team || owner.empty() || owner == viewer.member_id) return true;
  RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(store, callback.team_id()));
  return domain::Sees(viewer, callback, team, call.now);
}

absl::StatusOr<bool> SeesTake(store::Store& store, const Call& call, const record::RecordingRecord& take) {
  if (!CheckScope(call.principal, take.team_id(), {}).ok()) return false;
  const domain::Viewer viewer = ViewerOf(call.principal);
  if (viewer.whole_team || take.author() == viewer.member_id) return true;
  RB_ASSIGN_OR_RETURN(const auto callback, CallbackOf(store, take));
  RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(store, take.team_id()));
  return domain::SeesTake(viewer, take, Pointer(callback), team, call.now);
}

absl::Status CheckPlay(store::Store& store, const Call& call, const record::RecordingRecord& take) {
  const domain::Viewer viewer = ViewerOf(call.principal);
  if (!viewer.member_id.empty() && take.author() == viewer.member_id) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const auto callback, CallbackOf(store, take));
  RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(store, take.team_id()));
  if (domain::MayPlay(viewer, take, Pointer(callback), team, call.now)) return absl::OkStatus();
  return domain::FieldError(absl::StatusCode::kPermissionDenied, "recording_id", "OTHERS_TAKE",
                            "only who spoke it and who owes the call may play this; an admin of the team can switch on that "
                            "managers may too (play_others_takes)");
}

}  // namespace ringback::rpc
