#include "core/rpc/identity.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"

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

absl::StatusOr<Role> MemberRole(store::Store& store, const Principal& principal) {
  auto team = store.Get({principal.shard, store::Kind::kTeam, principal.team_id});
  if (absl::IsNotFound(team.status())) return Refused();
  RB_RETURN_IF_ERROR(team.status());
  record::TeamRecord record;
  if (!record.ParseFromString(team->value)) {
    return absl::DataLossError(absl::StrCat("the record of team ", principal.team_id, " cannot be read"));
  }
  for (const record::Member& member : record.members()) {
    if (member.id() != principal.member_id || member.inactive()) continue;
    switch (member.role()) {
      case record::Member::ROLE_REP: return Role::kRep;
      case record::Member::ROLE_MANAGER: return Role::kManager;
      case record::Member::ROLE_ADMIN: return Role::kAdmin;
      default: return Refused();
    }
  }
  return Refused();
}

}  // namespace

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

absl::StatusOr<Principal> Authenticate(store::Store& store, std::string_view secret, absl::Time now) {
  const absl::StatusOr<store::Key> key = TokenKey(secret);
  if (!key.ok()) return Refused();
  const absl::StatusOr<store::Record> found = store.Get(*key);
  if (absl::IsNotFound(found.status())) return Refused();
  RB_RETURN_IF_ERROR(found.status());
  record::TokenRecord token;
  if (!token.ParseFromString(found->value)) return absl::DataLossError("a token's record cannot be read");
  if (token.revoked() || (token.has_expire_time() && TimeOf(token.expire_time()) <= now)) return Refused();

  Principal principal;
  principal.team_id = token.team_id();
  principal.shard = key->shard;
  principal.token_id = token.id();
  switch (token.role()) {
    case record::TokenRecord::ROLE_OPERATOR:
      principal.role = Role::kOperator;
      principal.team_id.clear();
      return principal;
    case record::TokenRecord::ROLE_INTAKE:
      principal.role = Role::kIntake;
      break;
    case record::TokenRecord::ROLE_MEMBER: {
      principal.member_id = token.member_id();
      RB_ASSIGN_OR_RETURN(principal.role, MemberRole(store, principal));
      break;
    }
    default: return Refused();  // a customer's page token opens the page and no method
  }
  if (principal.team_id.empty()) return Refused();
  return principal;
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
