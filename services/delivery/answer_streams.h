// The streams of AnswerService: TakeMail, a mail in chunks; DownloadAnswer, the mail or an attachment as it came.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>

#include "core/rpc/server.h"
#include "core/runtime/host.h"
#include "core/store/records.h"
#include "delivery/answer_intake.h"
#include "ringback/v1/answer_service.pb.h"

namespace ringback::delivery {

grpc::ServerReadReactor<v1::TakeMailRequest>* TakeMail(runtime::Host& host, std::shared_ptr<AnswerIntake> intake,
                                                       grpc::CallbackServerContext* context, v1::TakeMailResponse* response);
grpc::ServerWriteReactor<v1::DownloadAnswerResponse>* DownloadAnswer(runtime::Host& host, grpc::CallbackServerContext* context,
                                                                     const v1::DownloadAnswerRequest* request);

// The answer, when it is of the principal's team and its data has not left; to a stranger it does not exist.
absl::StatusOr<store::Loaded<store::v1::AnswerRecord>> FindAnswer(runtime::Host& host, const rpc::Call& call, const std::string& id,
                                                                  std::string_view field);

}  // namespace ringback::delivery
