// The templates of server.h: thin, so that each method costs little code; the work is in unary.cc and once.cc.
#pragma once

#include <google/protobuf/message.h>

#include <utility>

namespace ringback::rpc {
namespace internal {

grpc::ServerUnaryReactor* RunUnary(Environment& environment, grpc::CallbackServerContext* context, const char* method,
                                   std::function<absl::Status(const Call&)> work);

absl::Status RunOnce(Environment& environment, const Call& call, const google::protobuf::Message& request,
                     const std::string& request_id, google::protobuf::Message* response,
                     const std::function<absl::Status(store::Commit*)>& decide);

}  // namespace internal

template <typename Request, typename Response>
grpc::ServerUnaryReactor* Unary(Environment& environment, grpc::CallbackServerContext* context, const char* method,
                                const Request* request, Response* response,
                                std::type_identity_t<UnaryHandler<Request, Response>> handler) {
  return internal::RunUnary(environment, context, method,
                            [request, response, handler = std::move(handler)](const Call& call) {
                              return handler(call, *request, response);
                            });
}

template <typename Request, typename Response>
absl::Status Once(Environment& environment, const Call& call, const Request& request, Response* response,
                  std::type_identity_t<std::function<absl::Status(store::Commit* commit, Response* response)>> decide) {
  return internal::RunOnce(environment, call, request, request.request_id(), response,
                           [response, &decide](store::Commit* commit) {
                             response->Clear();
                             return decide(commit, response);
                           });
}

}  // namespace ringback::rpc
