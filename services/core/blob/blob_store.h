// Bytes by name: recordings, renditions. The store says which exist; this only keeps them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"

namespace ringback::blob {

// Names: "07/rc07h3k9x2m4q8w1/original": shard, owner's id, part; characters [a-z0-9./_-], no "..", at most 200 bytes.
// Thread-safe; calls block. Errors: NOT_FOUND; INVALID_ARGUMENT for a bad name; RESOURCE_EXHAUSTED when the disk is full
// (nothing half-written stays); UNAVAILABLE.
class Writer {
 public:
  virtual ~Writer() = default;  // Without Finish nothing stays.
  virtual absl::Status Append(std::string_view bytes) = 0;
  // Durable under its name, replacing what was there, before it returns OK.
  virtual absl::Status Finish() = 0;
};

struct BlobInfo {
  std::string name;
  int64_t size = 0;
  absl::Time modified;
};

class BlobStore {
 public:
  virtual ~BlobStore() = default;
  virtual absl::StatusOr<std::unique_ptr<Writer>> Create(const std::string& name) = 0;
  virtual absl::Status Put(const std::string& name, std::string_view bytes) = 0;
  virtual absl::StatusOr<std::string> Get(const std::string& name) = 0;
  // Bytes [offset, offset + size) as far as there are any.
  virtual absl::StatusOr<std::string> GetRange(const std::string& name, int64_t offset, int64_t size) = 0;
  virtual absl::StatusOr<int64_t> Size(const std::string& name) = 0;
  virtual absl::Status Delete(const std::string& name) = 0;  // OK when it is not there.
  // Page by page through the names with this prefix, in byte order: at most `limit` that stand after `after` ("" from the
  // start). A page shorter than `limit` is the last. `modified` is when Finish made the bytes what they are. What comes or
  // goes while pages are read may or may not be seen; what was there all along is. (S3: ListObjectsV2 with prefix,
  // start-after and max-keys.)
  virtual absl::StatusOr<std::vector<BlobInfo>> List(const std::string& prefix, const std::string& after, int limit) = 0;
  // Removes the bytes of writers that can no longer Finish because their process is gone. Those of living processes,
  // on this machine or another, stay. (S3: multipart uploads that were never completed.)
  virtual absl::Status RemoveLeftOvers() = 0;
  // OK when it can be written to.
  virtual absl::Status Check() = 0;
};

// Below `root`, which is created (mode 0700). Files appear by rename after fsync, and the folder is synced before OK;
// left-overs of a crash are removed at start. `clock`, if any, says what time `modified` is (and must outlive the store);
// else the machine's does.
absl::StatusOr<std::unique_ptr<BlobStore>> OpenDirectory(const std::string& root, Clock* clock = nullptr);

}  // namespace ringback::blob
