// Takes deliveries from the due set, sends them, and brings what became of them back into the records. The order of
// commits and effects is what keeps law 5: SENDING is committed before a byte leaves, the lease is checked again right
// before the content does, and the outcome is applied to whatever the record has become meanwhile.
#pragma once

#include <memory>

#include "core/runtime/host.h"
#include "delivery/wires.h"

namespace ringback::delivery {

std::unique_ptr<runtime::JobHandler> NewDeliveryHandler(runtime::Host& host, Wires* wires);

}  // namespace ringback::delivery
