#include "ingest/download.h"

#include <memory>

#include "absl/time/clock.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.RecordingService/DownloadRendition";
constexpr int64_t kChunkBytes = 256 * 1024;

absl::StatusOr<std::string> BlobOf(const record::RecordingRecord& recording, api::Rendition rendition) {
  std::string name;
  switch (rendition) {
    case api::RENDITION_OPUS: name = recording.opus_blob(); break;
    case api::RENDITION_MP3: name = recording.mp3_blob(); break;
    case api::RENDITION_ORIGINAL: name = recording.original_blob(); break;
    default: return domain::InvalidField("rendition", "RENDITION_MISSING", "say which: Opus, MP3 or the original");
  }
  if (!name.empty()) return name;
  return domain::FieldError(absl::StatusCode::kNotFound, "rendition", "RENDITION_NOT_FOUND",
                            "this rendition is not there (yet)");
}

// Owned by itself until gRPC is done with it; either a read on the pool or a write goes on, never both.
class Download final : public grpc::ServerWriteReactor<api::DownloadRenditionResponse>,
                       public std::enable_shared_from_this<Download> {
 public:
  Download(runtime::Host& host, grpc::CallbackServerContext* context, const api::DownloadRenditionRequest* request)
      : host_(host), context_(context), request_(*request) {}

  void Begin() {
    self_ = shared_from_this();
    OnPool();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the client has gone"));
    OnPool();
  }
  void OnDone() override {
    if (host_.rpc().finished) host_.rpc().finished(kMethod, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  void OnPool() {
    if (host_.rpc().executor->Submit([self = shared_from_this()] { self->ReadNext(); })) return;
    End(rpc::RetryAfter(absl::ResourceExhaustedError("too busy, or going down: try again"), absl::Seconds(1)));
  }

  void ReadNext() {
    const absl::Status status = Read();
    if (!status.ok() || chunk_.chunk().empty()) return End(status);
    StartWrite(&chunk_);
  }

  absl::Status Read() {
    if (blob_.empty()) {
      RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, kMethod));
      RB_ASSIGN_OR_RETURN(const auto recording, FindRecording(host_, call, request_.recording_id(), "recording_id"));
      RB_RETURN_IF_ERROR(rpc::CheckPlay(host_.store(), call, recording.message));
      RB_ASSIGN_OR_RETURN(blob_, BlobOf(recording.message, request_.rendition()));
    }
    RB_ASSIGN_OR_RETURN(*chunk_.mutable_chunk(), host_.blobs().GetRange(blob_, offset_, kChunkBytes));
    offset_ += static_cast<int64_t>(chunk_.chunk().size());
    return absl::OkStatus();
  }

  void End(const absl::Status& status) {
    ended_with_ = status.code();
    Finish(rpc::ToGrpc(status));
  }

  runtime::Host& host_;
  grpc::CallbackServerContext* const context_;
  const api::DownloadRenditionRequest request_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<Download> self_;
  std::string blob_;
  int64_t offset_ = 0;
  api::DownloadRenditionResponse chunk_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

}  // namespace

grpc::ServerWriteReactor<api::DownloadRenditionResponse>* DownloadRendition(
    runtime::Host& host, grpc::CallbackServerContext* context, const api::DownloadRenditionRequest* request) {
  auto download = std::make_shared<Download>(host, context, request);
  download->Begin();
  return download.get();
}

}  // namespace ringback::ingest
