// Store and blobs as the config names them: for the host, and for commands that need no server (backup, doctor).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/blob/blob_store.h"
#include "core/runtime/config.h"
#include "core/store/store.h"

namespace ringback::runtime {

// Makes data_dir (mode 0700) where the store is in it. `clock` and `random` must outlive store and blobs; without a clock the
// blobs carry the machine's time.
absl::StatusOr<std::unique_ptr<store::Store>> OpenStore(const Config& config, Clock* clock, Random* random);
// A directory is made where it is missing; an S3 server is not asked yet, and its objects carry its own time.
absl::StatusOr<std::unique_ptr<blob::BlobStore>> OpenBlobs(const Config& config, Clock* clock = nullptr);

// Makes the folder where it is missing, the owner's only (mode 0700): it holds callers' data and a token. "" is none.
absl::Status MakeFolder(const std::string& path);

}  // namespace ringback::runtime
