// The intake over gRPC: in this process or another's.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/base/ids.h"
#include "web/hooks/intake.h"

namespace ringback::web {

std::unique_ptr<Intake> NewGrpcIntake(const std::shared_ptr<grpc::Channel>& channel, Random* random);

}  // namespace ringback::web
