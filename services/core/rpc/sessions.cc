#include "core/rpc/sessions.h"

#include <sodium.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "core/store/records.h"

namespace ringback::rpc {
namespace {

namespace record = ::ringback::store::v1;

constexpr int kIndexPage = 500;

absl::Status NotSignedIn() { return absl::UnauthenticatedError("not signed in"); }

// By the time of their end.
store::IndexKey SessionsOf(int shard, const std::string& team_id, const std::string& member_id) {
  return store::IndexKey{shard, team_id, absl::StrCat("sessions/", member_id)};
}

void AddEnd(const store::IndexKey& index, const std::string& entry, store::Commit* commit) {
  commit->indexes.push_back(store::IndexChange{index, entry, true});
  store::Put gone;
  gone.key = store::Key{index.shard, store::Kind::kSession, std::string(store::IdOfMember(entry))};
  gone.any_version = true;
  commit->puts.push_back(std::move(gone));
}

absl::StatusOr<std::vector<std::string>> EntriesOf(store::Store& store, const store::IndexKey& index) {
  store::Page page;
  page.limit = kIndexPage;
  RB_ASSIGN_OR_RETURN(auto scan, store.Scan(index, "", "", page));
  return std::move(scan.members);
}

}  // namespace

absl::StatusOr<NewSession> AddSession(store::Store& store, Random& random, const std::string& team_id,
                                      const std::string& member_id, std::string_view browser, absl::Time now,
                                      absl::Time expires, store::Commit* commit) {
  const store::IndexKey index = SessionsOf(commit->shard, team_id, member_id);
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> entries, EntriesOf(store, index));
  int others = static_cast<int>(entries.size());
  for (const std::string& entry : entries) {
    if (store::TimeOfMember(entry) > now && others < kSessionsMax) break;
    AddEnd(index, entry, commit);
    --others;
  }

  NewSession made{NewSecret(id_prefix::kSession, commit->shard, random), NewId(id_prefix::kSession, commit->shard, random)};
  RB_ASSIGN_OR_RETURN(const store::Key key, SessionKey(made.secret));
  record::SessionRecord session;
  session.set_id(made.id);
  session.set_team_id(team_id);
  session.set_member_id(member_id);
  *session.mutable_create_time() = domain::ToProto(now);
  *session.mutable_expire_time() = domain::ToProto(expires);
  session.set_browser(std::string(browser));
  store::AddPut(key, 0, session, commit);
  commit->puts.back().expires = expires;
  commit->indexes.push_back(store::IndexChange{index, store::Member(store::SortKey(expires), key.id), false});
  return made;
}

absl::StatusOr<Session> OpenSession(store::Store& store, std::string_view secret, absl::Time now) {
  const absl::StatusOr<store::Key> key = SessionKey(secret);
  if (!key.ok()) return NotSignedIn();
  auto found = store::Load<record::SessionRecord>(store, *key);
  if (absl::IsNotFound(found.status())) return NotSignedIn();
  RB_RETURN_IF_ERROR(found.status());
  Session session;
  session.record = std::move(found->message);
  if (domain::FromProto(session.record.expire_time()) <= now) return NotSignedIn();

  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(session.record.team_id()));
  auto team = store::Load<record::TeamRecord>(store, team_key);
  if (absl::IsNotFound(team.status())) return NotSignedIn();
  RB_RETURN_IF_ERROR(team.status());
  session.team = std::move(team->message);
  const record::Member* member = domain::FindMember(session.team, session.record.member_id());
  const std::optional<Role> role = member == nullptr ? std::nullopt : RoleOf(*member);
  if (!role) return NotSignedIn();
  session.member = *member;
  session.principal.role = *role;
  session.principal.team_id = session.team.id();
  session.principal.shard = key->shard;
  session.principal.member_id = session.member.id();
  session.principal.token_id = session.record.id();
  return session;
}

absl::Status EndSession(store::Store& store, Random& random, std::string_view secret) {
  const auto key = SessionKey(secret);
  if (!key.ok()) return absl::OkStatus();
  const auto found = store::Load<record::SessionRecord>(store, *key);
  if (absl::IsNotFound(found.status())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(found.status());
  const record::SessionRecord& session = found->message;
  store::Commit commit;
  commit.shard = key->shard;
  commit.commit_id = NewSecret(id_prefix::kLease, key->shard, random);
  AddEnd(SessionsOf(key->shard, session.team_id(), session.member_id()),
         store::Member(store::SortKey(domain::FromProto(session.expire_time())), key->id), &commit);
  return store.CommitOnce(commit).status();
}

absl::StatusOr<int> AddEndOfSessions(store::Store& store, const std::string& team_id, const std::string& member_id,
                                     absl::Time now, store::Commit* commit) {
  const store::IndexKey index = SessionsOf(commit->shard, team_id, member_id);
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> entries, EntriesOf(store, index));
  int alive = 0;
  for (const std::string& entry : entries) {
    if (store::TimeOfMember(entry) > now) ++alive;
    AddEnd(index, entry, commit);
  }
  store::Put under_way;
  under_way.key = store::Key{commit->shard, store::Kind::kSignIn, member_id};
  under_way.any_version = true;
  commit->puts.push_back(std::move(under_way));
  return alive;
}

std::string FormToken(std::string_view session_secret) {
  static constexpr std::string_view kWhat = "form";
  const auto bytes = [](std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); };
  // Keyed by the secret itself: its bare hash names the record.
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes(session_secret), session_secret.size());
  crypto_auth_hmacsha256_update(&state, bytes(kWhat), kWhat.size());
  unsigned char mac[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_final(&state, mac);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(mac), sizeof mac));
}

bool FormTokenFits(std::string_view session_secret, std::string_view token) {
  const std::string right = FormToken(session_secret);
  return token.size() == right.size() && sodium_memcmp(token.data(), right.data(), right.size()) == 0;
}

}  // namespace ringback::rpc
