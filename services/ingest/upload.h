// UploadRecording: a voice message comes in as a stream. OK means that its bytes and its record are durable and that it
// will be transcoded; anything else leaves nothing.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/recording_service.pb.h"

namespace ringback::ingest {

inline constexpr int64_t kRecordingBytesMax = int64_t{128} << 20;
inline constexpr int64_t kChunkBytesMax = int64_t{1} << 20;

grpc::ServerReadReactor<api::UploadRecordingRequest>* UploadRecording(runtime::Host& host,
                                                                      grpc::CallbackServerContext* context,
                                                                      api::UploadRecordingResponse* response);

}  // namespace ringback::ingest
