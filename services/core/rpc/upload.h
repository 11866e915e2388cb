// What a client sends in a stream: messages of one header and then chunks. Where the bytes go is the sink's business.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/server.h"

namespace ringback::rpc {

// Owned by itself until gRPC is done with it. One message is read, worked on by the pool, and only then is the next asked
// for: gRPC's flow control holds the client back, and neither the members nor the sink need a lock.
template <typename Request, typename Response, typename Sink>
class Upload final : public grpc::ServerReadReactor<Request>,
                     public std::enable_shared_from_this<Upload<Request, Response, Sink>> {
 public:
  Upload(Environment& environment, grpc::CallbackServerContext* context, const char* method, Response* response,
         std::unique_ptr<Sink> sink)
      : environment_(environment), context_(context), method_(method), response_(response), sink_(std::move(sink)) {}

  void Begin() {
    self_ = this->shared_from_this();
    this->StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    // The stream's end and the client's death look alike here.
    if (!ok && context_->IsCancelled()) return End(absl::CancelledError("the client has gone"));
    const bool last = !ok;
    if (environment_.executor->Submit([self = self_, last] { last ? self->Complete() : self->Work(); })) return;
    End(TooBusy());
  }

  void OnDone() override {
    if (environment_.finished) environment_.finished(method_, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  void Work() {
    if (const absl::Status status = Accept(); !status.ok()) return End(status);
    this->StartRead(&message_);
  }

  void Complete() { End(begun_ ? sink_->Complete(response_) : HeaderMissing()); }

  absl::Status Accept() {
    if (!message_.has_header()) return begun_ ? sink_->Append(message_.chunk()) : HeaderMissing();
    if (begun_) return domain::InvalidField("header", "HEADER_REPEATED", "the header comes once, before the chunks");
    RB_ASSIGN_OR_RETURN(Call call, Admit(environment_, context_, method_));
    RB_RETURN_IF_ERROR(sink_->Begin(std::move(call), message_.header()));
    begun_ = true;
    return absl::OkStatus();
  }

  absl::Status HeaderMissing() {
    // A stranger learns nothing about the form of a good request.
    RB_RETURN_IF_ERROR(Admit(environment_, context_, method_).status());
    return domain::InvalidField("header", "HEADER_MISSING", "the header comes first, then the chunks");
  }

  void End(const absl::Status& status) {
    sink_.reset();
    ended_with_ = status.code();
    this->Finish(ToGrpc(status));
  }

  Environment& environment_;
  grpc::CallbackServerContext* const context_;
  const char* const method_;
  Response* const response_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<Upload> self_;
  std::unique_ptr<Sink> sink_;
  Request message_;
  bool begun_ = false;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

// The reactor gRPC wants. The sink has
//   absl::Status Begin(rpc::Call call, const Header& header)   once, for whoever may call `method`
//   absl::Status Append(const std::string& chunk)
//   absl::Status Complete(Response* response)                  when the client has said all
// which are called one at a time, on the pool; an error ends the call. It is destroyed before the call is answered.
template <typename Request, typename Response, typename Sink>
grpc::ServerReadReactor<Request>* ReceiveUpload(Environment& environment, grpc::CallbackServerContext* context,
                                                const char* method, Response* response, std::unique_ptr<Sink> sink) {
  const auto upload =
      std::make_shared<Upload<Request, Response, Sink>>(environment, context, method, response, std::move(sink));
  upload->Begin();
  return upload.get();
}

}  // namespace ringback::rpc
