#include "ingest/upload.h"

#include <memory>
#include <utility>

#include "core/rpc/upload.h"
#include "ingest/take.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.RecordingService/UploadRecording";

// The checksum, which is required, tells a client's end from its death. Without Complete nothing stays of the take.
class TakeSink {
 public:
  explicit TakeSink(runtime::Host& host) : host_(host) {}

  absl::Status Begin(rpc::Call call, const api::UploadHeader& header) {
    RB_ASSIGN_OR_RETURN(take_, Take::Begin(host_, std::move(call), header));
    return absl::OkStatus();
  }
  absl::Status Append(const std::string& chunk) { return take_->Append(chunk); }
  absl::Status Complete(api::UploadRecordingResponse* response) { return take_->Complete(response); }

 private:
  runtime::Host& host_;
  std::unique_ptr<Take> take_;
};

}  // namespace

grpc::ServerReadReactor<api::UploadRecordingRequest>* UploadRecording(runtime::Host& host,
                                                                      grpc::CallbackServerContext* context,
                                                                      api::UploadRecordingResponse* response) {
  return rpc::ReceiveUpload<api::UploadRecordingRequest>(host.rpc(), context, kMethod, response,
                                                         std::make_unique<TakeSink>(host));
}

}  // namespace ringback::ingest
