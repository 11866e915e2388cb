#include "core/rpc/known_tokens.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/rpc/identity.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {
namespace {

// Of a team's record; a larger one is parsed at every call.
constexpr size_t kBytesMax = 32 << 10;

KnownTokens::Roster ActiveMembers(const store::v1::TeamRecord& team) {
  KnownTokens::Roster roster;
  for (const store::v1::Member& member : team.members()) {
    if (const std::optional<Role> role = RoleOf(member)) roster.emplace(member.id(), *role);
  }
  return roster;
}

}  // namespace

std::string KnownTokens::TeamOf(const store::Key& token) {
  MutexLock lock(&mutex_);
  const std::string* const team = team_by_token_.Find(token.id);
  return team == nullptr ? "" : *team;
}

void KnownTokens::Remember(const store::Key& token, const std::string& team_id) {
  MutexLock lock(&mutex_);
  team_by_token_.Put(token.id, team_id);
}

absl::StatusOr<std::shared_ptr<const KnownTokens::Roster>> KnownTokens::RosterOf(const store::Record& team) {
  std::shared_ptr<const Parsed> parsed;
  {
    MutexLock lock(&mutex_);
    if (const auto* const found = parsed_by_team_.Find(team.key.id)) parsed = *found;
  }
  if (parsed == nullptr || parsed->bytes != team.value) {
    store::v1::TeamRecord record;
    if (!record.ParseFromString(team.value)) {
      return absl::DataLossError(absl::StrCat("the record of team ", team.key.id, " cannot be read"));
    }
    parsed = std::make_shared<const Parsed>(Parsed{team.value, ActiveMembers(record)});
    if (team.value.size() <= kBytesMax) {
      MutexLock lock(&mutex_);
      parsed_by_team_.Put(team.key.id, parsed);
    }
  }
  return std::shared_ptr<const Roster>(parsed, &parsed->roster);
}

size_t KnownTokens::tokens() {
  MutexLock lock(&mutex_);
  return team_by_token_.size();
}

size_t KnownTokens::teams() {
  MutexLock lock(&mutex_);
  return parsed_by_team_.size();
}

}  // namespace ringback::rpc
