#include "delivery/answer_streams.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/server.h"
#include "core/rpc/sight.h"
#include "core/rpc/translate.h"
#include "core/rpc/upload.h"
#include "core/runtime/blob_download.h"
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
// Of all mails that are coming in at a moment; who comes later is asked to try again.
constexpr int64_t kHeldBytesMax = 256 << 20;

class MailSink {
 public:
  explicit MailSink(std::shared_ptr<AnswerIntake> intake) : intake_(std::move(intake)) {}
  ~MailSink() { held_bytes -= static_cast<int64_t>(bytes_.size()); }

  absl::Status Begin(const rpc::Call& call, const api::TakeMailHeader& header) {
    RB_ASSIGN_OR_RETURN(envelope_.team_id, rpc::ScopedTeam(call.principal, header.team_id()));
    // A strange envelope is no reason to refuse a mail.
    envelope_.recipient = CleanLine(header.recipient(), 1000);
    envelope_.sender = CleanLine(header.sender(), 1000);
    return absl::OkStatus();
  }

  absl::Status Append(const std::string& chunk) {
    if (chunk.size() > kChunkBytesMax) return domain::InvalidField("chunk", "CHUNK_TOO_LARGE", "chunks hold at most 1 MiB");
    const size_t room = kMailBytesMax - bytes_.size();
    const size_t taken = std::min<size_t>(room, chunk.size());
    envelope_.cut = envelope_.cut || taken < chunk.size();
    if (held_bytes.fetch_add(static_cast<int64_t>(taken)) + static_cast<int64_t>(taken) > kHeldBytesMax) {
      held_bytes -= static_cast<int64_t>(taken);
      return rpc::TooBusy();
    }
    bytes_.append(chunk, 0, taken);
    return absl::OkStatus();
  }

  absl::Status Complete(api::TakeMailResponse* response) {
    RB_ASSIGN_OR_RETURN(const TakenMail taken, intake_->Take(envelope_, bytes_));
    *response->mutable_answer() = rpc::ToApi(taken.answer);
    response->set_repeated(taken.repeated);
    return absl::OkStatus();
  }

 private:
  static inline std::atomic<int64_t> held_bytes{0};

  const std::shared_ptr<AnswerIntake> intake_;
  MailEnvelope envelope_;
  std::string bytes_;
};

absl::StatusOr<std::string> BlobOf(const record::AnswerRecord& answer, int attachment) {
  if (attachment < 0 || attachment > answer.attachments_size()) {
    return domain::FieldError(absl::StatusCode::kNotFound, "attachment", "ATTACHMENT_NOT_FOUND", "the answer has no such attachment");
  }
  const std::string& name = attachment == 0 ? answer.original_blob() : answer.attachments(attachment - 1).blob();
  if (!name.empty()) return name;
  return domain::FieldError(absl::StatusCode::kNotFound, "attachment", "ATTACHMENT_NOT_KEPT",
                            attachment == 0 ? "it came by the page; there is no mail"
                                            : "this file was not kept, for its type or its size");
}

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
  return rpc::ReceiveUpload<api::TakeMailRequest>(host.rpc(), context, kTakeMail, response,
                                                  std::make_unique<MailSink>(std::move(intake)));
}

grpc::ServerWriteReactor<api::DownloadAnswerResponse>* DownloadAnswer(runtime::Host& host, grpc::CallbackServerContext* context,
                                                                      const api::DownloadAnswerRequest* request) {
  return runtime::DownloadBlob<api::DownloadAnswerResponse>(
      host, context, kDownloadAnswer, [&host, asked = *request](const rpc::Call& call) -> absl::StatusOr<std::string> {
        RB_ASSIGN_OR_RETURN(const auto answer, FindAnswer(host, call, asked.answer_id(), "answer_id"));
        return BlobOf(answer.message, asked.attachment());
      });
}

}  // namespace ringback::delivery
