// Blobs as objects in one bucket of an S3 server: AWS, or any that speaks its API with Signature Version 4.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/blob/blob_store.h"
#include "core/blob/s3_options.h"

namespace ringback::blob {

// Asks nothing of the server yet: a process may start before it; Check() asks. INVALID_ARGUMENT when options contradict
// each other (see S3BucketUrl) or a key is missing.
//
// Beyond what blob_store.h says of errors: FAILED_PRECONDITION when the operator has something to put right (keys, bucket,
// region, certificate, clock), with its name; DATA_LOSS when what is read is not what was put. Transient failures are
// tried again within the call; UNAVAILABLE says that this was in vain. A call that failed may have had its effect all the
// same; repeating it is harmless. The bucket's objects that are no blobs of ringback's are not listed.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenS3(const S3Options& options);

}  // namespace ringback::blob
