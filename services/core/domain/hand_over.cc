#include "core/domain/hand_over.h"

#include <algorithm>
#include <tuple>

#include "core/base/check.h"
#include "core/domain/escalation.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

using store::v1::TeamRecord;

constexpr absl::Duration kAround = absl::Hours(1);

// Less is better.
std::tuple<bool, int, size_t> Burden(const Successor& successor, std::optional<absl::Time> due, const TeamRecord& team) {
  const auto* member = FindMember(team, successor.member_id);
  if (!due.has_value()) return {false, 0, successor.planned.size()};
  const auto around = std::count_if(successor.planned.begin(), successor.planned.end(),
                                    [&](absl::Time at) { return absl::AbsDuration(at - *due) <= kAround; });
  return {member != nullptr && AbsenceAt(*member, *due) != nullptr, static_cast<int>(around), successor.planned.size()};
}

}  // namespace

std::string Heir(const TeamRecord& team, const std::string& member_id, absl::Time now) {
  TeamRecord without = team;
  for (auto& member : *without.mutable_members()) {
    // Who is away already has named who stands in this time.
    if (member.id() != member_id || AbsenceAt(member, now) != nullptr) continue;
    auto& absence = *member.add_absences();
    *absence.mutable_start_time() = ToProto(now);
  }
  const std::string chosen = Present(without, member_id, now).member_id;
  return chosen == member_id ? "" : chosen;
}

std::vector<std::string> Spread(const std::vector<std::optional<absl::Time>>& due, std::vector<Successor> successors,
                                const TeamRecord& team) {
  RB_CHECK(!successors.empty());
  std::vector<std::string> chosen;
  for (const auto& at : due) {
    const auto best = std::min_element(
        successors.begin(), successors.end(),
        [&](const Successor& a, const Successor& b) { return Burden(a, at, team) < Burden(b, at, team); });
    best->planned.push_back(at.value_or(absl::InfinitePast()));
    chosen.push_back(best->member_id);
  }
  return chosen;
}

}  // namespace ringback::domain
