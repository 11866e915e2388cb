// ContactService: which method is which function.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"

namespace ringback::ingest {

std::unique_ptr<grpc::Service> NewContactRpc(runtime::Host& host);

}  // namespace ringback::ingest
