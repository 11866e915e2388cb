// GetRecording: at once, or when the transcoder is done with it, at no thread meanwhile.
#pragma once

#include <memory>

#include "ingest/load.h"
#include "ingest/waker.h"
#include "ringback/v1/recording_service.pb.h"

namespace ringback::ingest {

grpc::ServerUnaryReactor* GetRecording(runtime::Host& host, std::shared_ptr<Waker> waker,
                                       grpc::CallbackServerContext* context, const api::GetRecordingRequest* request,
                                       api::GetRecordingResponse* response);

}  // namespace ringback::ingest
