// API tokens: made, listed, revoked. Their secrets' form and what they open is core/rpc's.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status CreateToken(runtime::Host& host, const rpc::Call& call, const api::CreateTokenRequest& request,
                         api::CreateTokenResponse* response);
// An operator who names no team sees the operators' tokens.
absl::Status ListTokens(runtime::Host& host, const rpc::Call& call, const api::ListTokensRequest& request,
                        api::ListTokensResponse* response);
absl::Status RevokeToken(runtime::Host& host, const rpc::Call& call, const api::RevokeTokenRequest& request,
                         api::RevokeTokenResponse* response);

// Adds a token with a new id and secret to the commit, in the commit's shard; `token` says what it is for.
struct IssuedToken {
  record::TokenRecord token;
  std::string secret;  // nowhere kept
};
IssuedToken AddToken(runtime::Host& host, record::TokenRecord token, absl::Time now, store::Commit* commit);

}  // namespace ringback::ingest
