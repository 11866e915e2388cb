#include "delivery/answer_streams.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "delivery/mail_in/mail_limits.h"
#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;

constexpr char kTakeMail[] = "/ringback.v1.AnswerService/TakeMail";
constexpr char kDownloadAnswer[] = "/ringback.v1.AnswerService/DownloadAnswer";
constexpr size_t kChunkBytesMax = 1 << 20;
constexpr int64_t kChunkBytes = 256 * 1024;
// Of all mails that are coming in at a moment; who comes later is asked to try again.
constexpr int64_t kHeldBytesMax = 256 << 20;

absl::Status TooBusy() {
  return rpc::RetryAfter(absl::ResourceExhaustedError("too busy, or going down: try again"), absl::Seconds(1));
}

// Owned by itself until gRPC is done with it. One message is read, worked on by the pool, and only then is the next asked
// for: gRPC's flow control holds the client back, and the members need no lock.
class MailUpload final : public grpc::ServerReadReactor<api::TakeMailRequest>, public std::enable_shared_from_this<MailUpload> {
 public:
  MailUpload(runtime::Host& host, std::shared_ptr<AnswerIntake> intake, grpc::CallbackServerContext* context,
             api::TakeMailResponse* response)
      : host_(host), intake_(std::move(intake)), context_(context), response_(response) {}
  ~MailUpload() override { held_bytes -= static_cast<int64_t>(bytes_.size()); }

  void Begin() {
    self_ = shared_from_this();
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok && context_->IsCancelled()) return End(absl::CancelledError("the client has gone"));
    const bool last = !ok;
    if (host_.rpc().executor->Submit([self = shared_from_this(), last] { last ? self->Complete() : self->Work(); })) return;
    End(TooBusy());
  }

  void OnDone() override {
    if (host_.rpc().finished) host_.rpc().finished(kTakeMail, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  void Work() {
    if (const absl::Status status = Accept(); !status.ok()) return End(status);
    StartRead(&message_);
  }

  absl::Status Accept() {
    if (message_.has_header()) {
      if (begun_) return domain::InvalidField("header", "HEADER_REPEATED", "the header comes once, before the chunks");
      RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, kTakeMail));
      RB_ASSIGN_OR_RETURN(envelope_.team_id, rpc::ScopedTeam(call.principal, message_.header().team_id()));
      // A strange envelope is no reason to refuse a mail.
      envelope_.recipient = CleanLine(message_.header().recipient(), 1000);
      envelope_.sender = CleanLine(message_.header().sender(), 1000);
      begun_ = true;
      return absl::OkStatus();
    }
    if (!begun_) return HeaderMissing();
    const std::string& chunk = message_.chunk();
    if (chunk.size() > kChunkBytesMax) return domain::InvalidField("chunk", "CHUNK_TOO_LARGE", "chunks hold at most 1 MiB");
    const size_t room = kMailBytesMax - bytes_.size();
    const size_t taken = std::min<size_t>(room, chunk.size());
    envelope_.cut = envelope_.cut || taken < chunk.size();
    if (held_bytes.fetch_add(static_cast<int64_t>(taken)) + static_cast<int64_t>(taken) > kHeldBytesMax) {
      held_bytes -= static_cast<int64_t>(taken);
      return TooBusy();
    }
    bytes_.append(chunk, 0, taken);
    return absl::OkStatus();
  }

  void Complete() {
    if (!begun_) return End(HeaderMissing());
    const auto taken = intake_->Take(envelope_, bytes_);
    if (!taken.ok()) return End(taken.status());
    *response_->mutable_answer() = rpc::ToApi(taken->answer);
    response_->set_repeated(taken->repeated);
    End(absl::OkStatus());
  }

  absl::Status HeaderMissing() {
    // A stranger learns nothing about the form of a good request.
    RB_RETURN_IF_ERROR(rpc::Admit(host_.rpc(), context_, kTakeMail).status());
    return domain::InvalidField("header", "HEADER_MISSING", "the header comes first, then the chunks");
  }

  void End(const absl::Status& status) {
    ended_with_ = status.code();
    Finish(rpc::ToGrpc(status));
  }

  static inline std::atomic<int64_t> held_bytes{0};

  runtime::Host& host_;
  const std::shared_ptr<AnswerIntake> intake_;
  grpc::CallbackServerContext* const context_;
  api::TakeMailResponse* const response_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<MailUpload> self_;
  api::TakeMailRequest message_;
  bool begun_ = false;
  MailEnvelope envelope_;
  std::string bytes_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

// Owned by itself until gRPC is done with it; either a read on the pool or a write goes on, never both.
class Download final : public grpc::ServerWriteReactor<api::DownloadAnswerResponse>, public std::enable_shared_from_this<Download> {
 public:
  Download(runtime::Host& host, grpc::CallbackServerContext* context, const api::DownloadAnswerRequest* request)
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
    if (host_.rpc().finished) host_.rpc().finished(kDownloadAnswer, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  void OnPool() {
    if (host_.rpc().executor->Submit([self = shared_from_this()] { self->ReadNext(); })) return;
    End(TooBusy());
  }

  void ReadNext() {
    const absl::Status status = Read();
    if (!status.ok() || chunk_.chunk().empty()) return End(status);
    StartWrite(&chunk_);
  }

  absl::Status Read() {
    if (blob_.empty()) RB_RETURN_IF_ERROR(Find());
    RB_ASSIGN_OR_RETURN(*chunk_.mutable_chunk(), host_.blobs().GetRange(blob_, offset_, kChunkBytes));
    offset_ += static_cast<int64_t>(chunk_.chunk().size());
    return absl::OkStatus();
  }

  absl::Status Find() {
    RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, kDownloadAnswer));
    RB_ASSIGN_OR_RETURN(const auto answer, FindAnswer(host_, call, request_.answer_id(), "answer_id"));
    const int n = request_.attachment();
    if (n < 0 || n > answer.message.attachments_size()) {
      return domain::FieldError(absl::StatusCode::kNotFound, "attachment", "ATTACHMENT_NOT_FOUND", "the answer has no such attachment");
    }
    blob_ = n == 0 ? answer.message.original_blob() : answer.message.attachments(n - 1).blob();
    if (!blob_.empty()) return absl::OkStatus();
    return domain::FieldError(absl::StatusCode::kNotFound, "attachment", "ATTACHMENT_NOT_KEPT",
                              n == 0 ? "it came by the page; there is no mail" : "this file was not kept, for its type or its size");
  }

  void End(const absl::Status& status) {
    ended_with_ = status.code();
    Finish(rpc::ToGrpc(status));
  }

  runtime::Host& host_;
  grpc::CallbackServerContext* const context_;
  const api::DownloadAnswerRequest request_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<Download> self_;
  std::string blob_;
  int64_t offset_ = 0;
  api::DownloadAnswerResponse chunk_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

}  // namespace

absl::StatusOr<store::Loaded<record::AnswerRecord>> FindAnswer(runtime::Host& host, const rpc::Call& call, const std::string& id,
                                                               std::string_view field) {
  const absl::Status none = domain::FieldError(absl::StatusCode::kNotFound, field, "ANSWER_NOT_FOUND", "there is no answer with this id");
  const auto key = store::AnswerKey(id);
  if (!key.ok()) return none;
  auto answer = store::Load<record::AnswerRecord>(host.store(), *key);
  if (absl::IsNotFound(answer.status())) return none;
  RB_RETURN_IF_ERROR(answer.status());
  if (!answer->message.has_create_time() || !rpc::ScopedTeam(call.principal, answer->message.team_id()).ok()) return none;
  // One that waits to be tied is everybody's; one that is, is seen with its callback.
  const auto callback_key = store::CallbackKey(answer->message.callback_id());
  if (!callback_key.ok() || rpc::ViewerOf(call.principal).whole_team) return answer;
  const auto callback = store::Load<record::CallbackRecord>(host.store(), *callback_key);
  if (absl::IsNotFound(callback.status())) return none;
  RB_RETURN_IF_ERROR(callback.status());
  RB_ASSIGN_OR_RETURN(const bool seen, rpc::Sees(host.store(), call, callback->message));
  if (!seen) return none;
  return answer;
}

grpc::ServerReadReactor<api::TakeMailRequest>* TakeMail(runtime::Host& host, std::shared_ptr<AnswerIntake> intake,
                                                        grpc::CallbackServerContext* context, api::TakeMailResponse* response) {
  auto upload = std::make_shared<MailUpload>(host, std::move(intake), context, response);
  upload->Begin();
  return upload.get();
}

grpc::ServerWriteReactor<api::DownloadAnswerResponse>* DownloadAnswer(runtime::Host& host, grpc::CallbackServerContext* context,
                                                                      const api::DownloadAnswerRequest* request) {
  auto download = std::make_shared<Download>(host, context, request);
  download->Begin();
  return download.get();
}

}  // namespace ringback::delivery
