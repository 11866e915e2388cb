// The XML that S3 answers with and the one document that it is sent. Nothing here trusts a server: what does not parse
// is UNAVAILABLE, for then something else than S3 has answered.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/blob/blob_store.h"

namespace ringback::blob {

struct S3ErrorBody {
  std::string code;     // "NoSuchKey"; "" when the body is no error of S3's
  std::string message;
};
S3ErrorBody ParseS3Error(const std::string& body);

struct S3Page {
  std::vector<BlobInfo> objects;  // names are whole keys
  bool truncated = false;
};
absl::StatusOr<S3Page> ParseS3List(const std::string& body);

absl::StatusOr<std::string> ParseS3UploadId(const std::string& body);

struct S3Upload {
  std::string key;
  std::string upload_id;
  absl::Time initiated;
};
struct S3Uploads {
  std::vector<S3Upload> uploads;
  std::string next_key, next_upload_id;  // both "" on the last page
};
absl::StatusOr<S3Uploads> ParseS3Uploads(const std::string& body);

// CompleteMultipartUpload for parts 1, 2, … with these ETags.
std::string S3CompleteBody(const std::vector<std::string>& etags);

}  // namespace ringback::blob
