// ringback.v1.AnswerService: mails come in, and what came is listed, tied, dropped and handed out.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/runtime/host.h"
#include "delivery/answer_intake.h"

namespace ringback::delivery {

std::unique_ptr<grpc::Service> NewAnswerRpc(runtime::Host& host, std::shared_ptr<AnswerIntake> intake);

}  // namespace ringback::delivery
