#include "ingest/team_tokens.h"

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/domain/team.h"
#include "ingest/teams.h"

namespace ringback::ingest {
namespace {

constexpr char kOperators[] = "*";  // scope of the operators' tokens, in every shard

store::IndexKey TokensOf(int shard, const std::string& team_id) {
  return store::IndexKey{shard, team_id.empty() ? kOperators : team_id, std::string(store::index::kTokens)};
}

// What the request asks for, checked against the team; without id and times.
absl::StatusOr<record::TokenRecord> Check(runtime::Host& host, const rpc::Call& call,
                                          const api::CreateTokenRequest& request) {
  record::TokenRecord token;
  RB_ASSIGN_OR_RETURN(*token.mutable_label(), domain::OneLine(request.label(), 200, "label"));
  if (request.has_expire_time()) {
    if (rpc::FromProto(request.expire_time()) <= call.now) {
      return domain::InvalidField("expire_time", "TIME_PAST", "a token ends in the future");
    }
    *token.mutable_expire_time() = request.expire_time();
  }
  if (request.role() == api::ROLE_OPERATOR && request.member_id().empty()) {
    if (call.principal.role != rpc::Role::kOperator) {
      return domain::FieldError(absl::StatusCode::kPermissionDenied, "role", "OPERATORS_ONLY",
                                "only operators make operators' tokens");
    }
    token.set_role(record::TokenRecord::ROLE_OPERATOR);
    return token;
  }
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  token.set_team_id(team.message.id());
  if (!request.member_id().empty()) {
    if (request.role() != api::ROLE_UNSPECIFIED) {
      return domain::InvalidField("role", "ROLE_OF_MEMBER", "a member's token may what the member may: leave it unset");
    }
    const record::Member* member = domain::FindMember(team.message, request.member_id());
    if (member == nullptr || member->inactive()) {
      return domain::InvalidField("member_id", "MEMBER_UNKNOWN", "this is no active member of the team");
    }
    token.set_role(record::TokenRecord::ROLE_MEMBER);
    token.set_member_id(member->id());
    return token;
  }
  if (request.role() != api::ROLE_INTAKE) {
    return domain::InvalidField("role", "ROLE_MISSING", "name a member, or the role intake (operators: operator)");
  }
  token.set_role(record::TokenRecord::ROLE_INTAKE);
  return token;
}

absl::StatusOr<store::Loaded<record::TokenRecord>> LoadToken(runtime::Host& host, int shard, const std::string& team_id,
                                                             const std::string& token_id, store::Key* key) {
  RB_ASSIGN_OR_RETURN(const auto ids, IdsUnder(host.store(), shard, TokensOf(shard, team_id).scope,
                                               store::index::kTokens, token_id));
  if (ids.empty()) return NotThere("id", "token");
  *key = store::Key{shard, store::Kind::kToken, ids.front()};
  return store::Load<record::TokenRecord>(host.store(), *key);
}

// A token by its id; for an operator in whatever team of the id's shard.
absl::StatusOr<store::Loaded<record::TokenRecord>> FindToken(runtime::Host& host, const rpc::Call& call,
                                                             const std::string& token_id, store::Key* key) {
  const auto shard = ShardOf(token_id, id_prefix::kToken);
  if (!shard.ok()) return domain::InvalidField("id", "ID_INVALID", "a token's id looks like tk07h3k9x2m4q8w1");
  if (call.principal.role != rpc::Role::kOperator) {
    if (*shard != call.principal.shard) return NotThere("id", "token");
    return LoadToken(host, *shard, call.principal.team_id, token_id, key);
  }
  RB_ASSIGN_OR_RETURN(auto teams, TeamsOfShard(host.store(), *shard));
  teams.emplace_back();  // the operators' own
  for (const std::string& team : teams) {
    auto token = LoadToken(host, *shard, team, token_id, key);
    if (!absl::IsNotFound(token.status())) return token;
  }
  return NotThere("id", "token");
}

}  // namespace

IssuedToken AddToken(runtime::Host& host, record::TokenRecord token, absl::Time now, store::Commit* commit) {
  const rpc::NewToken made = rpc::MakeTokenSecret(commit->shard, host.random());
  token.set_id(NewId(id_prefix::kToken, commit->shard, host.random()));
  *token.mutable_create_time() = rpc::ToProto(now);
  store::AddPut(made.key, 0, token, commit);
  commit->indexes.push_back(store::IndexChange{TokensOf(commit->shard, token.team_id()),
                                               store::Member(token.id(), made.key.id), false});
  return IssuedToken{std::move(token), made.secret};
}

absl::Status CreateToken(runtime::Host& host, const rpc::Call& call, const api::CreateTokenRequest& request,
                         api::CreateTokenResponse* response) {
  return rpc::Once<api::CreateTokenRequest, api::CreateTokenResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::CreateTokenResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(record::TokenRecord wanted, Check(host, call, request));
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        const IssuedToken issued = AddToken(host, std::move(wanted), now, commit);
        *answer->mutable_token() = rpc::ToApi(issued.token);
        answer->set_secret(issued.secret);
        return absl::OkStatus();
      });
}

absl::Status ListTokens(runtime::Host& host, const rpc::Call& call, const api::ListTokensRequest& request,
                        api::ListTokensResponse* response) {
  std::string team_id;
  int first = 0, last = kShards - 1;
  if (call.principal.role != rpc::Role::kOperator || !request.team_id().empty()) {
    RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
    team_id = team.message.id();
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
    first = last = key.shard;
  }
  RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  store::Page page;
  RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));  // an index member: begins with a token's id
  if (!page.after.empty()) {
    const auto shard = ShardOf(page.after.substr(0, page.after.find('\x1f')), id_prefix::kToken);
    if (!shard.ok()) {
      return domain::InvalidField("page_token", "PAGE_TOKEN_INVALID", "use a previous answer's next_page_token");
    }
    first = std::max(first, *shard);
  }
  std::string last_shown;
  for (int shard = first; shard <= last; ++shard) {
    page.limit = size - response->tokens_size() + 1;
    RB_ASSIGN_OR_RETURN(const auto scan, host.store().Scan(TokensOf(shard, team_id), "", "", page));
    for (const std::string& member : scan.members) {
      if (response->tokens_size() == size) {
        response->set_next_page_token(rpc::EncodePageToken(last_shown));
        return absl::OkStatus();
      }
      RB_ASSIGN_OR_RETURN(const auto token,
                          store::Load<record::TokenRecord>(
                              host.store(), store::Key{shard, store::Kind::kToken, std::string(store::IdOfMember(member))}));
      *response->add_tokens() = rpc::ToApi(token.message);
      last_shown = member;
    }
    page.after.clear();
  }
  return absl::OkStatus();
}

absl::Status RevokeToken(runtime::Host& host, const rpc::Call& call, const api::RevokeTokenRequest& request,
                         api::RevokeTokenResponse* response) {
  return rpc::Once<api::RevokeTokenRequest, api::RevokeTokenResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::RevokeTokenResponse* answer) -> absl::Status {
        store::Key key;
        RB_ASSIGN_OR_RETURN(auto token, FindToken(host, call, request.id(), &key));
        token.message.set_revoked(true);
        store::AddPut(key, token.version, token.message, commit);
        *answer->mutable_token() = rpc::ToApi(token.message);
        return absl::OkStatus();
      });
}

}  // namespace ringback::ingest
