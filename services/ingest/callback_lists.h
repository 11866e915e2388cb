// Reading callbacks: one, many, and one's history. Watching is watch.h.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

absl::Status GetCallback(runtime::Host& host, const rpc::Call& call, const api::GetCallbackRequest& request,
                         api::GetCallbackResponse* response);
absl::Status ListCallbacks(runtime::Host& host, const rpc::Call& call, const api::ListCallbacksRequest& request,
                           api::ListCallbacksResponse* response);
absl::Status ListHistory(runtime::Host& host, const rpc::Call& call, const api::ListHistoryRequest& request,
                         api::ListHistoryResponse* response);

}  // namespace ringback::ingest
