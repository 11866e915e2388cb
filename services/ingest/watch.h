// WatchCallbacks: a team's changes as they happen, resumable from a revision, at no thread while nothing happens.
#pragma once

#include <memory>

#include "ingest/load.h"
#include "ingest/waker.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

grpc::ServerWriteReactor<api::WatchCallbacksResponse>* WatchCallbacks(runtime::Host& host,
                                                                      std::shared_ptr<Waker> waker,
                                                                      grpc::CallbackServerContext* context,
                                                                      const api::WatchCallbacksRequest* request);

}  // namespace ringback::ingest
