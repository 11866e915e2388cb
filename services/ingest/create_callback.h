// CreateCallback: a caller comes in. The same caller ringing again joins the open callback instead of making another.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

absl::Status CreateCallback(runtime::Host& host, const rpc::Call& call, const api::CreateCallbackRequest& request,
                            api::CreateCallbackResponse* response);

}  // namespace ringback::ingest
