// Sign-ins of members in browsers: made, resolved to a principal, ended. Like API tokens, of which identity.h knows, only a
// hash of the secret is kept. Cookies and pages are services/web's.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/rpc/identity.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {

// A member is signed in in at most so many browsers; a further one ends the oldest.
inline constexpr int kSessionsMax = 20;

struct NewSession {
  std::string secret;  // the cookie's value: "ss07" + 26 characters; nowhere kept
  std::string id;
};

// Adds a session of the member to the commit, in the commit's shard; it ends at `expires`. Reads the store: what has ended
// or is one too many leaves the index.
absl::StatusOr<NewSession> AddSession(store::Store& store, Random& random, const std::string& team_id,
                                      const std::string& member_id, std::string_view browser, absl::Time now,
                                      absl::Time expires, store::Commit* commit);

struct Session {
  Principal principal;  // token_id is the session's
  store::v1::TeamRecord team;
  store::v1::Member member;
  store::v1::SessionRecord record;
};
// Whose session it is, with the role the member has now. UNAUTHENTICATED, in the same words, for a secret that is none,
// unknown or ended, and for a member who has left; other errors are the store's. Blocks; thread-safe.
absl::StatusOr<Session> OpenSession(store::Store& store, std::string_view secret, absl::Time now);

// Signs out. OK when there is no such session (any more).
absl::Status EndSession(store::Store& store, Random& random, std::string_view secret);

// Adds the end of all of a member's sessions, and of a sign-in under way, to the commit. How many sessions there were.
absl::StatusOr<int> AddEndOfSessions(store::Store& store, const std::string& team_id, const std::string& member_id,
                                     absl::Time now, store::Commit* commit);

// What the forms of a session's pages carry and bring back: a function of the secret that does not tell it, so that who
// has not read a page cannot post in its name.
std::string FormToken(std::string_view session_secret);
// Takes the same time however much of it is right.
bool FormTokenFits(std::string_view session_secret, std::string_view token);

}  // namespace ringback::rpc
