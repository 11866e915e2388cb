// ringback.v1.ReminderService on the rules and the store.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"

namespace ringback::reminder {

std::unique_ptr<grpc::Service> NewReminderRpc(runtime::Host& host);

}  // namespace ringback::reminder
