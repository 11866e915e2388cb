#include "web/hooks/intake_grpc.h"

#include <chrono>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/log.h"
#include "core/rpc/status.h"
#include "core/rpc/trace.h"
#include "ringback/v1/callback_service.grpc.pb.h"

namespace ringback::web {
namespace {

// Telephone systems wait 10 to 15 s for an answer.
constexpr std::chrono::seconds kDeadline{8};

class GrpcIntake : public Intake {
 public:
  GrpcIntake(const std::shared_ptr<grpc::Channel>& channel, Random* random)
      : stub_(v1::CallbackService::NewStub(channel)), random_(random) {}

  absl::StatusOr<v1::CreateCallbackResponse> Create(std::string_view bearer,
                                                    const v1::CreateCallbackRequest& request) override {
    return Call<v1::CreateCallbackResponse>(bearer, &v1::CallbackService::Stub::CreateCallback, request);
  }
  absl::StatusOr<v1::LogCallResponse> LogCall(std::string_view bearer, const v1::LogCallRequest& request) override {
    return Call<v1::LogCallResponse>(bearer, &v1::CallbackService::Stub::LogCall, request);
  }

 private:
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(std::string_view bearer,
                                grpc::Status (v1::CallbackService::Stub::*method)(grpc::ClientContext*, const Request&,
                                                                                  Response*),
                                const Request& request) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", absl::StrCat("Bearer ", absl::string_view(bearer.data(), bearer.size())));
    if (!TraceScope::Current().empty()) {
      context.AddMetadata("traceparent", rpc::TraceParent(TraceScope::Current(), *random_));
    }
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    Response response;
    const absl::Status status = rpc::FromGrpc((stub_.get()->*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  const std::unique_ptr<v1::CallbackService::Stub> stub_;
  Random* const random_;
};

}  // namespace

std::unique_ptr<Intake> NewGrpcIntake(const std::shared_ptr<grpc::Channel>& channel, Random* random) {
  return std::make_unique<GrpcIntake>(channel, random);
}

}  // namespace ringback::web
