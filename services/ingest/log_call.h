// LogCall: a telephone system says which calls were made. Which callback such a call belongs to is decided here; what it
// settles is domain's.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

// Nothing to log is no error: most calls are about no callback.
absl::Status LogCall(runtime::Host& host, const rpc::Call& call, const api::LogCallRequest& request,
                     api::LogCallResponse* response);

}  // namespace ringback::ingest
