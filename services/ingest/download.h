// DownloadRendition: which blob it is, and whether whoever asks may play it.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/recording_service.pb.h"

namespace ringback::ingest {

grpc::ServerWriteReactor<api::DownloadRenditionResponse>* DownloadRendition(
    runtime::Host& host, grpc::CallbackServerContext* context, const api::DownloadRenditionRequest* request);

}  // namespace ringback::ingest
