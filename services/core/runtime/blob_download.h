// A blob to a client, as a stream of chunks that is read no faster than the client takes them.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/runtime/host.h"

namespace ringback::runtime {

// The name of the blob, never ""; asked once, on the pool, for whoever may call the method.
using FindBlob = std::function<absl::StatusOr<std::string>(const rpc::Call& call)>;

// Owned by itself until gRPC is done with it; either a read on the pool or a write goes on, never both.
template <typename Response>
class BlobDownload final : public grpc::ServerWriteReactor<Response>,
                           public std::enable_shared_from_this<BlobDownload<Response>> {
 public:
  BlobDownload(Host& host, grpc::CallbackServerContext* context, const char* method, FindBlob find)
      : host_(host), context_(context), method_(method), find_(std::move(find)) {}

  void Begin() {
    self_ = this->shared_from_this();
    OnPool();
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the client has gone"));
    OnPool();
  }
  void OnDone() override {
    if (host_.rpc().finished) host_.rpc().finished(method_, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  static constexpr int64_t kChunkBytes = 256 * 1024;

  void OnPool() {
    if (host_.rpc().executor->Submit([self = self_] { self->ReadNext(); })) return;
    End(rpc::TooBusy());
  }

  void ReadNext() {
    const absl::Status status = Read();
    if (!status.ok() || message_.chunk().empty()) return End(status);
    this->StartWrite(&message_);
  }

  absl::Status Read() {
    if (blob_.empty()) {
      RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, method_));
      RB_ASSIGN_OR_RETURN(blob_, find_(call));
    }
    RB_ASSIGN_OR_RETURN(*message_.mutable_chunk(), host_.blobs().GetRange(blob_, offset_, kChunkBytes));
    offset_ += static_cast<int64_t>(message_.chunk().size());
    return absl::OkStatus();
  }

  void End(const absl::Status& status) {
    ended_with_ = status.code();
    this->Finish(rpc::ToGrpc(status));
  }

  Host& host_;
  grpc::CallbackServerContext* const context_;
  const char* const method_;
  const FindBlob find_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<BlobDownload> self_;
  std::string blob_;
  int64_t offset_ = 0;
  Response message_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

// The reactor gRPC wants; the chunks are Response's `chunk`.
template <typename Response>
grpc::ServerWriteReactor<Response>* DownloadBlob(Host& host, grpc::CallbackServerContext* context, const char* method,
                                                 FindBlob find) {
  const auto download = std::make_shared<BlobDownload<Response>>(host, context, method, std::move(find));
  download->Begin();
  return download.get();
}

}  // namespace ringback::runtime
