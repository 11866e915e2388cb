// Members in browsers, as admins handle them: a sign-in without a mail, and signing out. How a browser signs in is
// services/web's; what a sign-in is, core/rpc's.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status CreateSignIn(runtime::Host& host, const rpc::Call& call, const api::CreateSignInRequest& request,
                          api::CreateSignInResponse* response);
absl::Status RevokeSessions(runtime::Host& host, const rpc::Call& call, const api::RevokeSessionsRequest& request,
                            api::RevokeSessionsResponse* response);

}  // namespace ringback::ingest
