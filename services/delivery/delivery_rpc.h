// ringback.v1.DeliveryService: what went out, what could not, and trying again.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"

namespace ringback::delivery {

std::unique_ptr<grpc::Service> NewDeliveryRpc(runtime::Host& host);

}  // namespace ringback::delivery
