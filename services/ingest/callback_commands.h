// The commands on one callback: promise, attempt, closing, assignment, correction. Each loads, asks domain, commits.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

absl::Status MakePromise(runtime::Host& host, const rpc::Call& call, const api::MakePromiseRequest& request,
                         api::MakePromiseResponse* response);
absl::Status StartCall(runtime::Host& host, const rpc::Call& call, const api::StartCallRequest& request,
                       api::StartCallResponse* response);
absl::Status LogAttempt(runtime::Host& host, const rpc::Call& call, const api::LogAttemptRequest& request,
                        api::LogAttemptResponse* response);
absl::Status CompleteCallback(runtime::Host& host, const rpc::Call& call, const api::CompleteCallbackRequest& request,
                              api::CompleteCallbackResponse* response);
// A rep cancels only callbacks of the own and unassigned ones.
absl::Status CancelCallback(runtime::Host& host, const rpc::Call& call, const api::CancelCallbackRequest& request,
                            api::CancelCallbackResponse* response);
absl::Status AssignCallback(runtime::Host& host, const rpc::Call& call, const api::AssignCallbackRequest& request,
                            api::AssignCallbackResponse* response);
// The contact learns the correction too.
absl::Status UpdateCaller(runtime::Host& host, const rpc::Call& call, const api::UpdateCallerRequest& request,
                          api::UpdateCallerResponse* response);

}  // namespace ringback::ingest
