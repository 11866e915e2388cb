// The way to a session: a link and a six-digit code, mailed to the member or told by an admin. One at a time per member, for
// ten minutes, good for one session. Only hashes are kept here; the mail's own record holds both in clear until it has left.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/rpc/sessions.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {

inline constexpr absl::Duration kSignInLifetime = absl::Minutes(10);
inline constexpr int kWrongCodesMax = 5;
// A mailed sign-in younger than this is not replaced: whoever asks again in other people's names fills no mailbox.
inline constexpr absl::Duration kSignInPause = absl::Minutes(1);

struct SignIn {
  std::string link;  // "mb07….si07…": the member and the secret, as one part of a path
  std::string code;  // six digits
  absl::Time expires;
};

// Adds a new sign-in for a member of `team` to the commit (in the team's shard); it takes the place of one under way.
absl::StatusOr<SignIn> AddSignIn(store::Store& store, Random& random, const store::v1::TeamRecord& team,
                                 const std::string& member_id, absl::Time now, store::Commit* commit);

// A new sign-in with the mail that carries it, committed. OK and nothing done for a member who is not there, has left or
// has no mail address, and within kSignInPause of the one before.
absl::Status MailSignIn(store::Store& store, Random& random, const std::string& team_id, const std::string& member_id);

// Whoever holds a link, or a code and the member's address, is that member.
struct Entry {
  std::string browser;      // as SessionRecord's
  absl::Duration lifetime;  // of the session
};
// The member whose sign-in the link opens; changes nothing. NOT_FOUND, in the same words, for any link that opens nothing.
absl::StatusOr<store::v1::Member> WhoseLink(store::Store& store, std::string_view link, absl::Time now);
// Ends the sign-in and makes the session, in one commit. NOT_FOUND as above.
absl::StatusOr<NewSession> EnterByLink(store::Store& store, Random& random, std::string_view link, const Entry& entry);
// The same by a code of one of these members (whose address is the same; the code may have blanks and hyphens). A wrong one
// is counted, and after kWrongCodesMax the code is none any more; the link stays.
struct MemberOf {
  std::string team_id;
  std::string member_id;
};
absl::StatusOr<NewSession> EnterByCode(store::Store& store, Random& random, const std::vector<MemberOf>& members,
                                       std::string_view code, const Entry& entry);

// The same for a member whom somebody has signed in who is believed (a proxy in front of the pages). NOT_FOUND for one who is
// not there or has left.
absl::StatusOr<NewSession> EnterTrusted(store::Store& store, Random& random, const MemberOf& who, const Entry& entry);

}  // namespace ringback::rpc
