// RecordingService: which method is which function.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"
#include "ingest/waker.h"

namespace ringback::ingest {

std::unique_ptr<grpc::Service> NewRecordingRpc(runtime::Host& host, std::shared_ptr<Waker> waker);

}  // namespace ringback::ingest
