// Who calls, and what they may. API tokens and browsers' sessions resolve to a principal; every request is scoped to the
// principal's team.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/rpc/known_tokens.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {

enum class Role { kIntake, kRep, kManager, kAdmin, kOperator };

// What an active member may do; nullopt for one who has left, or whose role this program does not know.
std::optional<Role> RoleOf(const store::v1::Member& member);

struct Principal {
  Role role = Role::kIntake;
  std::string team_id;    // empty for operators
  int shard = 0;          // the team's
  std::string member_id;  // empty for tokens that are no member's
  std::string token_id;   // a session's id where it is one
  // Member id, else token id: what the history calls the author.
  const std::string& ActorId() const { return member_id.empty() ? token_id : member_id; }
};

// "rb_" + NewSecret("tk", shard). Tokens carry the team's shard in clear; operators' carry shard 0.
struct NewToken {
  std::string secret;
  store::Key key;  // of its TokenRecord: shard in clear + SHA-256 of the secret
};
NewToken MakeTokenSecret(int shard, Random& random);
// The key of any secret that is kept as a TokenRecord: API tokens ("rb_tk…") and customers' pages ("pg…"). INVALID_ARGUMENT
// for text that is none.
absl::StatusOr<store::Key> TokenKey(std::string_view secret);
// The key of a session's secret ("ss07…", the cookie's value). INVALID_ARGUMENT for text that is none.
absl::StatusOr<store::Key> SessionKey(std::string_view secret);

struct Authenticated {
  Principal principal;
  absl::Time now;  // the store's time at which it was so
};
// `secret`: an API token, or a session's, with which the pages' own server calls in the member's name. Asks the store at
// every call, once for a token that `known` has seen before: whatever changed is heeded at once. UNAUTHENTICATED for one that is missing, unknown, revoked, expired, or of a member who left. The same words in
// every case.
absl::StatusOr<Authenticated> Authenticate(store::Store& store, KnownTokens& known, std::string_view secret);

// The team a request is about: `team_id`, or the principal's own when empty. PERMISSION_DENIED for any other team unless
// an operator asks.
absl::StatusOr<std::string> ScopedTeam(const Principal& principal, const std::string& team_id);

// For a record found by its id: NOT_FOUND when it belongs to another team, so that a stranger learns nothing, not even
// that it exists. Operators may touch any team's.
absl::Status CheckScope(const Principal& principal, std::string_view team_id, std::string_view id);

// Manager or admin: may act on other members' callbacks.
inline bool Manages(const Principal& principal) {
  return principal.role == Role::kManager || principal.role == Role::kAdmin;
}

// May the role call the method ("/ringback.v1.CallbackService/MakePromise")? One table for all; a method that is not in
// it is refused for everyone.
bool Allowed(Role role, std::string_view method);

}  // namespace ringback::rpc
