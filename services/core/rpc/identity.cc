#include "core/rpc/identity.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {
namespace {

namespace record = ::ringback::store::v1;

constexpr std::string_view kTokenMark = "rb_";  // lets secret scanners recognise a leaked token

absl::Status Refused() {
  return absl::UnauthenticatedError("no valid token: send \"authorization: Bearer rb_tk…\"");
}

absl::Time TimeOf(const google::protobuf::Timestamp& time) {
  return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
}

// `team` has version 0 when it is not there.
absl::StatusOr<Role> MemberRole(KnownTokens& known, const store::Record& team, const std::string& member_id) {
  if (team.version == 0) return Refused();
  RB_ASSIGN_OR_RETURN(const auto roster, known.RosterOf(team));
  const auto member = roster->find(member_id);
  if (member == roster->end()) return Refused();
  return member->second;
}

absl::Status ReadToken(const store::Record& found, absl::Time now, Principal* principal) {
  record::TokenRecord token;
  if (!token.ParseFromString(found.value)) return absl::DataLossError("a token's record cannot be read");
  if (token.revoked() || (token.has_expire_time() && TimeOf(token.expire_time()) <= now)) return Refused();
  principal->token_id = token.id();
  switch (token.role()) {
    case record::TokenRecord::ROLE_OPERATOR: principal->role = Role::kOperator; return absl::OkStatus();
    case record::TokenRecord::ROLE_INTAKE: principal->role = Role::kIntake; break;
    case record::TokenRecord::ROLE_MEMBER:
      if (token.member_id().empty()) return Refused();
      principal->member_id = token.member_id();
      break;
    default: return Refused();  // a customer's page token opens the page and no method
  }
  principal->team_id = token.team_id();
  return absl::OkStatus();
}

absl::Status ReadSession(const store::Record& found, absl::Time now, Principal* principal) {
  record::SessionRecord session;
  if (!session.ParseFromString(found.value)) return absl::DataLossError("a session's record cannot be read");
  if (session.member_id().empty() || TimeOf(session.expire_time()) <= now) return Refused();
  principal->team_id = session.team_id();
  principal->member_id = session.member_id();
  principal->token_id = session.id();
  return absl::OkStatus();
}

}  // namespace

std::optional<Role> RoleOf(const record::Member& member) {
  if (member.inactive()) return std::nullopt;
  switch (member.role()) {
    case record::Member::ROLE_REP: return Role::kRep;
    case record::Member::ROLE_MANAGER: return Role::kManager;
    case record::Member::ROLE_ADMIN: return Role::kAdmin;
    default: return std::nullopt;
  }
}

NewToken MakeTokenSecret(int shard, Random& random) {
  NewToken token;
  token.secret = absl::StrCat(absl::string_view(kTokenMark.data(), kTokenMark.size()),
                              NewSecret(id_prefix::kToken, shard, random));
  token.key = TokenKey(token.secret).value();
  return token;
}

absl::StatusOr<store::Key> TokenKey(std::string_view secret) {
  std::string_view id = secret;
  if (id.substr(0, kTokenMark.size()) == kTokenMark) id.remove_prefix(kTokenMark.size());
  const absl::StatusOr<int> shard = ShardOf(id);
  // ShardOf's error repeats the text: a secret must not.
  if (!shard.ok() || id.size() != 4 + 26) return absl::InvalidArgumentError("this is no token");
  return store::Key{*shard, store::Kind::kToken, absl::StrFormat("%02d", *shard) + Sha256Hex(secret)};
}

absl::StatusOr<store::Key> SessionKey(std::string_view secret) {
  const absl::StatusOr<int> shard = ShardOf(secret, id_prefix::kSession);
  if (!shard.ok() || secret.size() != 4 + 26) return absl::InvalidArgumentError("this is no session");
  return store::Key{*shard, store::Kind::kSession, absl::StrFormat("%02d", *shard) + Sha256Hex(secret)};
}

absl::StatusOr<Authenticated> Authenticate(store::Store& store, KnownTokens& known, std::string_view secret) {
  const bool session = secret.substr(0, id_prefix::kSession.size()) == id_prefix::kSession;
  const absl::StatusOr<store::Key> key = session ? SessionKey(secret) : TokenKey(secret);
  if (!key.ok()) return Refused();
  const auto team_key = [&](const std::string& id) { return store::Key{key->shard, store::Kind::kTeam, id}; };
  std::vector<store::Key> keys = {*key};
  const std::string known_team = known.TeamOf(*key);
  if (!known_team.empty()) keys.push_back(team_key(known_team));
  RB_ASSIGN_OR_RETURN(store::Reading reading, store.ReadNow(keys));
  if (reading.records[0].version == 0) return Refused();

  Principal principal;
  principal.shard = key->shard;
  RB_RETURN_IF_ERROR(session ? ReadSession(reading.records[0], reading.now, &principal)
                             : ReadToken(reading.records[0], reading.now, &principal));
  if (principal.role != Role::kOperator && principal.team_id.empty()) return Refused();
  if (principal.member_id.empty()) return Authenticated{std::move(principal), reading.now};

  store::Record team;
  if (principal.team_id == known_team) {
    team = std::move(reading.records[1]);
  } else {
    RB_ASSIGN_OR_RETURN(std::vector<store::Record> records, store.GetMany({team_key(principal.team_id)}));
    team = std::move(records[0]);
  }
  RB_ASSIGN_OR_RETURN(principal.role, MemberRole(known, team, principal.member_id));
  if (principal.team_id != known_team) known.Remember(*key, principal.team_id);
  return Authenticated{std::move(principal), reading.now};
}

absl::StatusOr<std::string> ScopedTeam(const Principal& principal, const std::string& team_id) {
  if (principal.role == Role::kOperator) {
    if (team_id.empty()) {
      return domain::InvalidField("team_id", "TEAM_ID_MISSING", "must be set: an operator belongs to no team");
    }
    if (!ShardOf(team_id, id_prefix::kTeam).ok()) {
      return domain::InvalidField("team_id", "TEAM_ID_INVALID", "must be a team's id, like tm07h3k9x2m4q8w1");
    }
    return team_id;
  }
  if (team_id.empty() || team_id == principal.team_id) return principal.team_id;
  return absl::PermissionDeniedError("this token is for another team");
}

absl::Status CheckScope(const Principal& principal, std::string_view team_id, std::string_view id) {
  if (principal.role == Role::kOperator || (!team_id.empty() && team_id == principal.team_id)) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat(absl::string_view(id.data(), id.size()), " is not there"));
}

}  // namespace ringback::rpc
