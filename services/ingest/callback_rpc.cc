#include "ingest/callback_rpc.h"

#include <utility>

#include "ingest/callback_commands.h"
#include "ingest/callback_lists.h"
#include "ingest/create_callback.h"
#include "ingest/customer_calls.h"
#include "ingest/log_call.h"
#include "ingest/watch.h"
#include "ringback/v1/callback_service.grpc.pb.h"

namespace ringback::ingest {
namespace {

using Context = grpc::CallbackServerContext;

class CallbackRpc final : public api::CallbackService::HandlerService {
 public:
  CallbackRpc(runtime::Host& host, std::shared_ptr<Waker> waker) : host_(host), waker_(std::move(waker)) {}

  grpc::ServerUnaryReactor* CreateCallback(Context* context, const api::CreateCallbackRequest* request,
                                     api::CreateCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/CreateCallback", request, response, &ingest::CreateCallback);
  }
  grpc::ServerUnaryReactor* GetCallback(Context* context, const api::GetCallbackRequest* request,
                                     api::GetCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/GetCallback", request, response, &ingest::GetCallback);
  }
  grpc::ServerUnaryReactor* ListCallbacks(Context* context, const api::ListCallbacksRequest* request,
                                     api::ListCallbacksResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/ListCallbacks", request, response, &ingest::ListCallbacks);
  }
  grpc::ServerUnaryReactor* MakePromise(Context* context, const api::MakePromiseRequest* request,
                                     api::MakePromiseResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/MakePromise", request, response, &ingest::MakePromise);
  }
  grpc::ServerUnaryReactor* StartCall(Context* context, const api::StartCallRequest* request,
                                     api::StartCallResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/StartCall", request, response, &ingest::StartCall);
  }
  grpc::ServerUnaryReactor* LogAttempt(Context* context, const api::LogAttemptRequest* request,
                                     api::LogAttemptResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/LogAttempt", request, response, &ingest::LogAttempt);
  }
  grpc::ServerUnaryReactor* LogCall(Context* context, const api::LogCallRequest* request,
                                    api::LogCallResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/LogCall", request, response, &ingest::LogCall);
  }
  grpc::ServerUnaryReactor* CompleteCallback(Context* context, const api::CompleteCallbackRequest* request,
                                     api::CompleteCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/CompleteCallback", request, response, &ingest::CompleteCallback);
  }
  grpc::ServerUnaryReactor* CancelCallback(Context* context, const api::CancelCallbackRequest* request,
                                     api::CancelCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/CancelCallback", request, response, &ingest::CancelCallback);
  }
  grpc::ServerUnaryReactor* AssignCallback(Context* context, const api::AssignCallbackRequest* request,
                                     api::AssignCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/AssignCallback", request, response, &ingest::AssignCallback);
  }
  grpc::ServerUnaryReactor* AnswerProposal(Context* context, const api::AnswerProposalRequest* request,
                                     api::AnswerProposalResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/AnswerProposal", request, response, &ingest::AnswerProposal);
  }
  grpc::ServerUnaryReactor* DeclineProposal(Context* context, const api::DeclineProposalRequest* request,
                                     api::DeclineProposalResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/DeclineProposal", request, response, &ingest::DeclineProposal);
  }
  grpc::ServerUnaryReactor* ReopenCallback(Context* context, const api::ReopenCallbackRequest* request,
                                     api::ReopenCallbackResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/ReopenCallback", request, response, &ingest::ReopenCallback);
  }
  grpc::ServerUnaryReactor* ListSlots(Context* context, const api::ListSlotsRequest* request,
                                     api::ListSlotsResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/ListSlots", request, response, &ingest::ListSlots);
  }
  grpc::ServerUnaryReactor* UpdateCaller(Context* context, const api::UpdateCallerRequest* request,
                                     api::UpdateCallerResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/UpdateCaller", request, response, &ingest::UpdateCaller);
  }
  grpc::ServerUnaryReactor* ListHistory(Context* context, const api::ListHistoryRequest* request,
                                     api::ListHistoryResponse* response) override {
    return Run(host_, context, "/ringback.v1.CallbackService/ListHistory", request, response, &ingest::ListHistory);
  }
  grpc::ServerWriteReactor<api::WatchCallbacksResponse>* WatchCallbacks(
      Context* context, const api::WatchCallbacksRequest* request) override {
    return ingest::WatchCallbacks(host_, waker_, context, request);
  }

 private:
  runtime::Host& host_;
  const std::shared_ptr<Waker> waker_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewCallbackRpc(runtime::Host& host, std::shared_ptr<Waker> waker) {
  return std::make_unique<CallbackRpc>(host, std::move(waker));
}

}  // namespace ringback::ingest
