// PreviewPolicy: what a policy would send. The rules are stepped by domain (preview.h); here the question is checked.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::ingest {

absl::Status PreviewPolicy(runtime::Host& host, const rpc::Call& call, const api::PreviewPolicyRequest& request,
                           api::PreviewPolicyResponse* response);

}  // namespace ringback::ingest
