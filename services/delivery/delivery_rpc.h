// ringback.v1.DeliveryService: what went out, what could not, and trying again.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"
#include "delivery/wires.h"

namespace ringback::delivery {

// `wires` outlives it; nullptr: nothing can be tested.
std::unique_ptr<grpc::Service> NewDeliveryRpc(runtime::Host& host, Wires* wires = nullptr);

}  // namespace ringback::delivery
