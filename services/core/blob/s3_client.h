// Signed requests to one bucket: connections, deadlines, retries, errors. What the requests are for is s3_blobs.cc's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/curl_pool.h"
#include "core/base/ids.h"
#include "core/blob/s3_errors.h"
#include "core/blob/s3_options.h"

namespace ringback::blob {

struct S3Answer {
  long status = 0;  // 2xx
  std::string body;
  std::map<std::string, std::string> headers;  // names in lower case
  int tries = 1;    // more than one: an earlier one may have had its effect

  // "" when there is none.
  std::string Header(const std::string& name) const;
};

struct S3Request {
  std::string what;    // for errors: "put 07/x"
  const char* method = "GET";
  std::string key;     // of the object; "": the bucket itself
  std::map<std::string, std::string> query;  // in the order that the signature wants
  std::vector<std::string> headers;          // "Name: value", none empty
  std::string_view body;    // outlives the call; sent with its SHA-256, which the signature covers
  std::string body_sha256;  // in hex; "": not known yet
  size_t answer_bytes_max = size_t{8} << 20;
  // Looks at a 2xx answer; anything but OK counts as a failure that passes: the request is tried again.
  std::function<absl::Status(const S3Answer&)> check;
  absl::Duration timeout;  // zero: the options'
  int tries_max = 0;       // zero: the options'
};

// Thread-safe; calls block for at most their timeout.
class S3Client {
 public:
  // `bucket_url` from S3BucketUrl.
  S3Client(S3Options options, std::string bucket_url);

  // A 2xx answer, or what FailureOfAnswer and FailureOfTransfer say; what passes is tried again, with a growing wait,
  // until it succeeds or tries or time are used up.
  absl::StatusOr<S3Answer> Send(const S3Request& request);

  const S3Options& options() const { return options_; }

 private:
  // One try. OK fills `answer`; `wait` is what the server asked for with Retry-After.
  S3Failure Try(const S3Request& request, const std::string& body_sha256, absl::Duration timeout, S3Answer* answer,
                absl::Duration* wait);
  // HEAD has no body to say why it failed.
  S3Failure ReasonOfHead(const S3Request& request, absl::Duration timeout);
  std::string UrlOf(const S3Request& request) const;
  absl::Duration WaitBefore(int next_try);

  const S3Options options_;
  const std::string bucket_url_;
  const bool loopback_;
  const std::unique_ptr<Random> random_;
  CurlPool pool_;
};

}  // namespace ringback::blob
