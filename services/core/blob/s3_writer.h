// A blob on its way to S3: one object when it is small, parts when it is not, so that memory stays at one part.
#pragma once

#include <string>
#include <vector>

#include "core/blob/blob_store.h"
#include "core/blob/s3_client.h"

namespace ringback::blob {

// Puts the object `key` in one request, with the SHA-256 of its bytes beside it, which a read compares. `name` is for
// errors. A repeat does no harm.
absl::Status PutS3Object(S3Client& client, const std::string& key, const std::string& name, std::string_view bytes);

// The header that tells the SHA-256 of an object put in one piece; objects put in parts have none.
inline constexpr char kS3Sha256Header[] = "x-amz-meta-sha256";

// Takes back the parts of an upload; OK when it is gone already. Waits a few seconds at most.
absl::Status AbortS3Upload(S3Client& client, const std::string& key, const std::string& upload_id);

class S3Writer : public Writer {
 public:
  // `client` outlives the writer.
  S3Writer(S3Client* client, std::string key, std::string name);
  ~S3Writer() override;  // Takes back the parts of an upload that was not finished, as AbortS3Upload does.
  absl::Status Append(std::string_view bytes) override;
  absl::Status Finish() override;

 private:
  absl::Status Begin();
  absl::Status SendPart();
  absl::Status Complete();
  // Whether the object under the key is the one of this upload.
  bool IsMine();

  S3Client* const client_;
  const std::string key_;
  const std::string name_;
  const std::string mark_;  // tells this upload's object from all others under its name
  std::string part_;        // bytes not sent yet
  std::string upload_id_;   // "" before the first part, and when there is nothing to take back
  std::vector<std::string> etags_;
  absl::Status failed_;
};

}  // namespace ringback::blob
