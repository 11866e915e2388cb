#include "ingest/recording_wait.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.RecordingService/GetRecording";
constexpr int kWaitSecondsMax = 60;
constexpr std::chrono::milliseconds kLookEvery{1000};

// One waiting call. Kept alive by whatever goes on: a look on the pool or the waker. Waits by the machine's own clock:
// what waits is a client, not a promise.
class RecordingWait : public std::enable_shared_from_this<RecordingWait> {
 public:
  RecordingWait(runtime::Host& host, std::shared_ptr<Waker> waker, grpc::CallbackServerContext* context,
                const api::GetRecordingRequest* request, api::GetRecordingResponse* response)
      : host_(host), waker_(std::move(waker)), context_(context), request_(request), response_(response),
        reactor_(context->DefaultReactor()) {}

  grpc::ServerUnaryReactor* Begin() {
    grpc::ServerUnaryReactor* const reactor = reactor_;  // this may be gone when LookSoon returns
    LookSoon();
    return reactor;
  }

 private:
  void LookSoon() {
    if (context_->IsCancelled()) return End(absl::CancelledError("the caller has gone"));
    if (host_.rpc().executor->Submit([self = shared_from_this()] { self->Look(); })) return;
    End(rpc::TooBusy());
  }

  void Look() {
    const absl::StatusOr<bool> settled = Settled();
    if (!settled.ok()) return End(settled.status());
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until_ - std::chrono::steady_clock::now());
    if (*settled || left.count() <= 0) return End(absl::OkStatus());
    const uint64_t handle = waker_->Arm(topic_, seen_, std::min(kLookEvery, left),
                                        [self = shared_from_this()] { self->LookSoon(); });
    // Draining, or too many wait: what is known now is an answer too.
    if (handle == 0) End(absl::OkStatus());
  }

  absl::StatusOr<bool> Settled() {
    if (!admitted_) {
      if (request_->wait_seconds() < 0 || request_->wait_seconds() > kWaitSecondsMax) {
        return domain::InvalidField("wait_seconds", "WAIT_TOO_LONG", absl::StrCat("0 to ", kWaitSecondsMax));
      }
      RB_ASSIGN_OR_RETURN(call_, rpc::Admit(host_.rpc(), context_, kMethod));
      until_ = std::chrono::steady_clock::now() + std::chrono::seconds(request_->wait_seconds());
      topic_ = absl::StrCat("changes/", call_.principal.team_id);
      admitted_ = true;
    }
    seen_ = waker_->Seen(topic_);
    RB_ASSIGN_OR_RETURN(const auto recording, FindRecording(host_, call_, request_->id(), "id"));
    *response_->mutable_recording() = rpc::ToApi(recording.message);
    return recording.message.state() != record::RecordingRecord::STATE_RECEIVED;
  }

  void End(const absl::Status& status) {
    if (host_.rpc().finished) host_.rpc().finished(kMethod, status.code(), absl::Now() - begin_);
    reactor_->Finish(rpc::ToGrpc(status));
  }

  runtime::Host& host_;
  const std::shared_ptr<Waker> waker_;
  grpc::CallbackServerContext* const context_;
  const api::GetRecordingRequest* const request_;
  api::GetRecordingResponse* const response_;
  grpc::ServerUnaryReactor* const reactor_;
  const absl::Time begin_ = absl::Now();
  bool admitted_ = false;
  rpc::Call call_;
  std::chrono::steady_clock::time_point until_;
  std::string topic_;
  uint64_t seen_ = 0;
};

}  // namespace

grpc::ServerUnaryReactor* GetRecording(runtime::Host& host, std::shared_ptr<Waker> waker,
                                       grpc::CallbackServerContext* context, const api::GetRecordingRequest* request,
                                       api::GetRecordingResponse* response) {
  return std::make_shared<RecordingWait>(host, std::move(waker), context, request, response)->Begin();
}

}  // namespace ringback::ingest
