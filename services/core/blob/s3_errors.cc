#include "core/blob/s3_errors.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace ringback::blob {
namespace {

using absl::StatusCode;

struct Row {
  const char* code;
  StatusCode status;
  bool retry;
  const char* advice;  // {access}, {secret}, {bucket}, {endpoint}, {region} are filled in
};

constexpr char kRegion[] = "the bucket is in another region than {region}: correct s3.region";
constexpr char kAccessKey[] = "the server does not know the access key: look at {access}";
constexpr char kToken[] = "the temporary keys are no longer good: renew AWS_SESSION_TOKEN and its keys";
constexpr char kNoS3[] = "this is no answer of an S3 server: look at s3.endpoint";
constexpr char kOnTheWay[] = "bytes were changed on the way";

// Error responses, Amazon S3 API Reference; those with an X before them are MinIO's and versitygw's.
constexpr Row kRows[] = {
    {"NoSuchKey", StatusCode::kNotFound, false, ""},
    {"NoSuchUpload", StatusCode::kNotFound, false, ""},
    {"InvalidRange", StatusCode::kOutOfRange, false, ""},
    {"NoSuchBucket", StatusCode::kFailedPrecondition, false,
     "there is no bucket {bucket} at {endpoint}: make it, or correct ringback.blobs"},
    {"InvalidAccessKeyId", StatusCode::kFailedPrecondition, false, kAccessKey},
    {"XAdminUserNotFound", StatusCode::kFailedPrecondition, false, kAccessKey},
    {"SignatureDoesNotMatch", StatusCode::kFailedPrecondition, false,
     "the secret key does not belong to the access key: look at {secret}"},
    {"AccessDenied", StatusCode::kFailedPrecondition, false,
     "the key of {access} may not do this: it needs s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket and "
     "s3:AbortMultipartUpload on bucket {bucket}"},
    {"AllAccessDisabled", StatusCode::kFailedPrecondition, false, "the bucket {bucket} is locked by its owner"},
    {"AccountProblem", StatusCode::kFailedPrecondition, false, "the account of {access} is locked"},
    {"ExpiredToken", StatusCode::kFailedPrecondition, false, kToken},
    {"InvalidToken", StatusCode::kFailedPrecondition, false, kToken},
    {"TokenRefreshRequired", StatusCode::kFailedPrecondition, false, kToken},
    {"RequestTimeTooSkewed", StatusCode::kFailedPrecondition, false,
     "this machine's clock and the server's differ: check the time synchronisation"},
    {"AuthorizationHeaderMalformed", StatusCode::kFailedPrecondition, false, kRegion},
    {"AuthorizationQueryParametersError", StatusCode::kFailedPrecondition, false, kRegion},
    {"PermanentRedirect", StatusCode::kFailedPrecondition, false, kRegion},
    {"TemporaryRedirect", StatusCode::kFailedPrecondition, false, kRegion},
    {"QuotaExceeded", StatusCode::kResourceExhausted, false, "the quota of bucket {bucket} is used up"},
    {"XMinioStorageFull", StatusCode::kResourceExhausted, false, "the server's disks are full"},
    {"XMinioAdminBucketQuotaExceeded", StatusCode::kResourceExhausted, false, "the quota of bucket {bucket} is used up"},
    {"EntityTooLarge", StatusCode::kResourceExhausted, false, "the server takes no object of this size"},
    {"BadDigest", StatusCode::kUnavailable, true, kOnTheWay},
    {"XAmzContentSHA256Mismatch", StatusCode::kUnavailable, true, kOnTheWay},
    {"IncompleteBody", StatusCode::kUnavailable, true, "bytes were lost on the way"},
    {"RequestTimeout", StatusCode::kUnavailable, true, ""},
    {"SlowDown", StatusCode::kUnavailable, true, "the server asks to slow down"},
    {"Throttling", StatusCode::kUnavailable, true, "the server asks to slow down"},
    {"OperationAborted", StatusCode::kUnavailable, true, ""},
    {"ConditionalRequestConflict", StatusCode::kUnavailable, true, ""},
    {"InternalError", StatusCode::kUnavailable, true, ""},
};

std::string Fill(const S3Options& options, const char* advice) {
  return absl::StrReplaceAll(advice, {{"{access}", options.access_key_source},
                                      {"{secret}", options.secret_key_source},
                                      {"{bucket}", options.bucket},
                                      {"{region}", options.region},
                                      {"{endpoint}", options.endpoint.empty() ? "AWS" : options.endpoint}});
}

// A foreign server's words: one line of printable ASCII.
std::string Words(const std::string& text) {
  std::string line;
  for (const char c : text.substr(0, 300)) line += absl::ascii_isprint(static_cast<unsigned char>(c)) ? c : ' ';
  return std::string(absl::StripAsciiWhitespace(line));
}

// What an answer without a code that we know means.
Row RowOfStatus(long http, const std::string& code) {
  if (http == 507) return {"", StatusCode::kResourceExhausted, false, "the server's disks are full"};
  if (http == 501) return {"", StatusCode::kFailedPrecondition, false, code.empty() ? kNoS3 : "the server cannot do this"};
  if (http == 408 || http == 409 || http == 429 || http >= 500) return {"", StatusCode::kUnavailable, true, ""};
  if (http == 401 || http == 403) {
    return {"", StatusCode::kFailedPrecondition, false, "refused: look at {access} and {secret}, and at the key's rights"};
  }
  if (http == 301 || http == 302 || http == 307 || http == 308) return {"", StatusCode::kFailedPrecondition, false, kRegion};
  // Without a code it was not S3 that answered; "not found" would make callers believe that a recording is gone.
  if (code.empty()) {
    return {"", StatusCode::kFailedPrecondition, false, kNoS3};
  }
  return {"", StatusCode::kInternal, false, ""};
}

}  // namespace

S3Failure FailureOfAnswer(const S3Options& options, const std::string& what, long http_status, const std::string& body) {
  const S3ErrorBody error = ParseS3Error(body);
  Row row = RowOfStatus(http_status, error.code);
  for (const Row& known : kRows) {
    if (error.code == known.code) row = known;
  }
  std::string text = absl::StrCat("S3 ", what, ": ");
  if (row.advice[0] != '\0') absl::StrAppend(&text, Fill(options, row.advice), " (");
  absl::StrAppend(&text, "HTTP ", http_status, error.code.empty() ? "" : " ", Words(error.code),
                  error.message.empty() ? "" : ": ", Words(error.message), row.advice[0] != '\0' ? ")" : "");
  return {absl::Status(row.status, text), row.retry};
}

S3Failure FailureOfTransfer(const S3Options& options, const std::string& what, CURLcode code, const std::string& detail) {
  const std::string said = detail.empty() ? curl_easy_strerror(code) : Words(detail);
  const auto failure = [&](StatusCode status, bool retry, const char* advice) {
    return S3Failure{absl::Status(status, absl::StrCat("S3 ", what, ": ", said, advice[0] == '\0' ? "" : "; ",
                                                       Fill(options, advice))),
                     retry};
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return failure(StatusCode::kUnavailable, true, options.endpoint.empty() ? "is s3.region right?" : "is s3.endpoint right?");
    case CURLE_COULDNT_CONNECT:
      return failure(StatusCode::kUnavailable, true, "does the server at s3.endpoint run?");
    case CURLE_PEER_FAILED_VERIFICATION:
      return failure(StatusCode::kFailedPrecondition, false,
                     "the server's certificate is not trusted: look at s3.endpoint and s3.ca_file");
    case CURLE_SSL_CACERT_BADFILE:
      return failure(StatusCode::kFailedPrecondition, false, "look at s3.ca_file");
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
      return failure(StatusCode::kFailedPrecondition, false, "look at s3.endpoint");
    default:
      return failure(StatusCode::kUnavailable, true, "");
  }
}

}  // namespace ringback::blob
