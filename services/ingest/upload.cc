#include "ingest/upload.h"

#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "ingest/take.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.RecordingService/UploadRecording";

// Owned by itself until gRPC is done with it. One message is read, worked on by the pool, and only then is the next
// asked for: gRPC's flow control holds the client back, and the members need no lock.
class Upload final : public grpc::ServerReadReactor<api::UploadRecordingRequest>,
                     public std::enable_shared_from_this<Upload> {
 public:
  Upload(runtime::Host& host, grpc::CallbackServerContext* context, api::UploadRecordingResponse* response)
      : host_(host), context_(context), response_(response) {}

  void Begin() {
    self_ = shared_from_this();
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    // The stream's end and the client's death look alike here; the checksum, which is required, tells them apart.
    if (!ok && context_->IsCancelled()) return End(absl::CancelledError("the client has gone"));
    const bool last = !ok;
    if (host_.rpc().executor->Submit([self = shared_from_this(), last] { last ? self->Complete() : self->Work(); })) {
      return;
    }
    End(rpc::RetryAfter(absl::ResourceExhaustedError("too busy, or going down: try again"), absl::Seconds(1)));
  }

  void OnDone() override {
    if (host_.rpc().finished) host_.rpc().finished(kMethod, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  void Work() {
    if (const absl::Status status = Accept(); !status.ok()) return End(status);
    StartRead(&message_);
  }

  void Complete() {
    if (take_ == nullptr) return End(HeaderMissing());
    End(take_->Complete(response_));
  }

  absl::Status Accept() {
    if (message_.has_header()) {
      if (take_ != nullptr) {
        return domain::InvalidField("header", "HEADER_REPEATED", "the header comes once, before the chunks");
      }
      RB_ASSIGN_OR_RETURN(rpc::Call call, rpc::Admit(host_.rpc(), context_, kMethod));
      RB_ASSIGN_OR_RETURN(take_, Take::Begin(host_, std::move(call), message_.header()));
      return absl::OkStatus();
    }
    if (take_ == nullptr) return HeaderMissing();
    return take_->Append(message_.chunk());
  }

  absl::Status HeaderMissing() {
    // A stranger learns nothing about the form of a good request.
    RB_RETURN_IF_ERROR(rpc::Admit(host_.rpc(), context_, kMethod).status());
    return domain::InvalidField("header", "HEADER_MISSING", "the header comes first, then the chunks");
  }

  void End(const absl::Status& status) {
    take_.reset();  // without Complete nothing stays of it
    ended_with_ = status.code();
    Finish(rpc::ToGrpc(status));
  }

  runtime::Host& host_;
  grpc::CallbackServerContext* const context_;
  api::UploadRecordingResponse* const response_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<Upload> self_;
  api::UploadRecordingRequest message_;
  std::unique_ptr<Take> take_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

}  // namespace

grpc::ServerReadReactor<api::UploadRecordingRequest>* UploadRecording(runtime::Host& host,
                                                                      grpc::CallbackServerContext* context,
                                                                      api::UploadRecordingResponse* response) {
  auto upload = std::make_shared<Upload>(host, context, response);
  upload->Begin();
  return upload.get();
}

}  // namespace ringback::ingest
