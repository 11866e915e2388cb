#include "core/blob/s3_writer.h"

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/blob/s3_xml.h"

namespace ringback::blob {
namespace {

constexpr char kMarkHeader[] = "x-amz-meta-upload";

std::string NewMark() {
  const std::unique_ptr<Random> random = NewSystemRandom();
  return absl::StrCat(absl::Hex(random->Next(), absl::kZeroPad16), absl::Hex(random->Next(), absl::kZeroPad16));
}

}  // namespace

absl::Status PutS3Object(S3Client& client, const std::string& key, const std::string& name, std::string_view bytes) {
  S3Request request;
  request.what = "put " + name;
  request.method = "PUT";
  request.key = key;
  request.body = bytes;
  request.body_sha256 = Sha256Hex(bytes);
  request.headers = {absl::StrCat(kS3Sha256Header, ": ", request.body_sha256)};
  return client.Send(request).status();
}

absl::Status AbortS3Upload(S3Client& client, const std::string& key, const std::string& upload_id) {
  S3Request request;
  request.what = "abort the upload of " + key;
  request.method = "DELETE";
  request.key = key;
  request.query = {{"uploadId", upload_id}};
  request.timeout = absl::Seconds(5);
  request.tries_max = 2;
  const absl::Status aborted = client.Send(request).status();
  return absl::IsNotFound(aborted) ? absl::OkStatus() : aborted;
}

S3Writer::S3Writer(S3Client* client, std::string key, std::string name)
    : client_(client), key_(std::move(key)), name_(std::move(name)), mark_(NewMark()) {}

S3Writer::~S3Writer() {
  if (upload_id_.empty()) return;
  const absl::Status aborted = AbortS3Upload(*client_, key_, upload_id_);
  if (!aborted.ok()) RB_LOG_WARN("parts of an unfinished upload stay for a day: {}", std::string(aborted.message()));
}

absl::Status S3Writer::Append(std::string_view bytes) {
  const size_t part_bytes = client_->options().part_bytes;
  while (!bytes.empty() && failed_.ok()) {
    // A part leaves only when more follows it: what fits one part needs no upload in parts.
    if (part_.size() == part_bytes) failed_ = SendPart();
    if (!failed_.ok()) break;
    const std::string_view fits = bytes.substr(0, part_bytes - part_.size());
    part_.append(fits);
    bytes.remove_prefix(fits.size());
  }
  return failed_;
}

absl::Status S3Writer::Finish() {
  if (failed_.ok()) failed_ = upload_id_.empty() ? PutS3Object(*client_, key_, name_, part_) : Complete();
  const absl::Status result = failed_;
  // A second Finish must not seem to succeed.
  if (failed_.ok()) failed_ = absl::FailedPreconditionError(name_ + " is already finished");
  return result;
}

absl::Status S3Writer::Begin() {
  S3Request request;
  request.what = "begin the upload of " + name_;
  request.method = "POST";
  request.key = key_;
  request.query = {{"uploads", ""}};
  request.headers = {absl::StrCat(kMarkHeader, ": ", mark_)};
  RB_ASSIGN_OR_RETURN(const S3Answer answer, client_->Send(request));
  RB_ASSIGN_OR_RETURN(upload_id_, ParseS3UploadId(answer.body));
  return absl::OkStatus();
}

absl::Status S3Writer::SendPart() {
  if (upload_id_.empty()) RB_RETURN_IF_ERROR(Begin());
  S3Request request;
  request.what = absl::StrCat("upload part ", etags_.size() + 1, " of ", name_);
  request.method = "PUT";
  request.key = key_;
  request.query = {{"partNumber", absl::StrCat(etags_.size() + 1)}, {"uploadId", upload_id_}};
  request.body = part_;
  RB_ASSIGN_OR_RETURN(const S3Answer answer, client_->Send(request));
  const std::string etag = answer.Header("etag");
  if (etag.empty()) return absl::UnavailableError(absl::StrCat("S3 ", request.what, ": the answer has no ETag"));
  etags_.push_back(etag);
  part_.clear();
  return absl::OkStatus();
}

absl::Status S3Writer::Complete() {
  RB_RETURN_IF_ERROR(SendPart());
  const std::string body = S3CompleteBody(etags_);
  S3Request request;
  request.what = "complete the upload of " + name_;
  request.method = "POST";
  request.key = key_;
  request.query = {{"uploadId", upload_id_}};
  request.body = body;
  // The server may begin its answer with 200 before it knows how it ends (CompleteMultipartUpload, Amazon S3 API Reference).
  request.check = [this](const S3Answer& answer) {
    const S3ErrorBody error = ParseS3Error(answer.body);
    if (error.code.empty()) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("S3 complete the upload of ", name_, ": ", error.code, ": ", error.message));
  };
  const absl::Status completed = client_->Send(request).status();
  // The upload is also gone when an earlier try completed it and only the answer was lost.
  if (!completed.ok() && !(absl::IsNotFound(completed) && IsMine())) return completed;
  upload_id_.clear();
  return absl::OkStatus();
}

bool S3Writer::IsMine() {
  S3Request request;
  request.what = "look at " + name_;
  request.method = "HEAD";
  request.key = key_;
  const absl::StatusOr<S3Answer> answer = client_->Send(request);
  return answer.ok() && answer->Header(kMarkHeader) == mark_;
}

}  // namespace ringback::blob
