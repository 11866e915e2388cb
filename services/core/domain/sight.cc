#include "core/domain/sight.h"

#include "core/domain/escalation.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

using store::v1::CallbackRecord;
using store::v1::RecordingRecord;
using store::v1::TeamRecord;

bool StandsInPlaceOf(const std::string& absent_id, const std::string& member_id, const TeamRecord& team, absl::Time now) {
  if (member_id.empty() || FindMember(team, absent_id) == nullptr) return false;
  return Present(team, absent_id, now).member_id == member_id;
}

bool Owes(const Viewer& viewer, const std::string& assignee_id, const TeamRecord& team, absl::Time now) {
  if (assignee_id.empty() || viewer.member_id.empty()) return false;
  return assignee_id == viewer.member_id || StandsInPlaceOf(assignee_id, viewer.member_id, team, now);
}

}  // namespace

bool SeesThoseOf(const Viewer& viewer, const std::string& assignee_id, const TeamRecord& team, absl::Time now) {
  return viewer.whole_team || assignee_id.empty() || Owes(viewer, assignee_id, team, now);
}

bool Sees(const Viewer& viewer, const CallbackRecord& callback, const TeamRecord& team, absl::Time now) {
  return SeesThoseOf(viewer, callback.assignee_id(), team, now);
}

std::vector<std::string> StandsInFor(const TeamRecord& team, const std::string& member_id, absl::Time now) {
  std::vector<std::string> absent;
  for (const store::v1::Member& member : team.members()) {
    if (member.id() == member_id || (!member.inactive() && AbsenceAt(member, now) == nullptr)) continue;
    if (StandsInPlaceOf(member.id(), member_id, team, now)) absent.push_back(member.id());
  }
  return absent;
}

Sight SightOf(const Viewer& viewer, const TeamRecord& team, absl::Time now) {
  if (viewer.whole_team) return {viewer, {}};
  return {viewer, StandsInFor(team, viewer.member_id, now)};
}

bool SeesTake(const Viewer& viewer, const RecordingRecord& take, const CallbackRecord* callback, const TeamRecord& team,
              absl::Time now) {
  if (viewer.whole_team || (!viewer.member_id.empty() && take.author() == viewer.member_id)) return true;
  return callback != nullptr && Sees(viewer, *callback, team, now);
}

bool MayPlay(const Viewer& viewer, const RecordingRecord& take, const CallbackRecord* callback, const TeamRecord& team,
             absl::Time now) {
  if (!viewer.member_id.empty() && take.author() == viewer.member_id) return true;
  if (callback != nullptr && Owes(viewer, callback->assignee_id(), team, now)) return true;
  return team.play_others_takes() && SeesTake(viewer, take, callback, team, now);
}

}  // namespace ringback::domain
