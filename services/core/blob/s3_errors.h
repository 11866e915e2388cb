// What a failed exchange with an S3 server means: one table for answers, one for transfers that broke.
#pragma once

#include <curl/curl.h>

#include <string>

#include "absl/status/status.h"
#include "core/blob/s3_options.h"
#include "core/blob/s3_xml.h"

namespace ringback::blob {

struct S3Failure {
  absl::Status status;
  bool retry = false;  // the same request may well succeed in a moment
};

// `what` says what was tried ("put 07/x"). `http_status` is no 2xx. Codes: NOT_FOUND for an object or upload that is not
// there; OUT_OF_RANGE for a range that begins behind the end; FAILED_PRECONDITION for what only the operator can put right
// (key, bucket, region, clock), with the name of the setting to look at; RESOURCE_EXHAUSTED for full disks and quotas;
// UNAVAILABLE for what passes; INTERNAL for a request that should not have been made.
S3Failure FailureOfAnswer(const S3Options& options, const std::string& what, long http_status, const std::string& body);

// `code` is not CURLE_OK; `detail` is libcurl's text, if any.
S3Failure FailureOfTransfer(const S3Options& options, const std::string& what, CURLcode code, const std::string& detail);

}  // namespace ringback::blob
