// What a backup holds: its files with size and SHA-256, when it was taken and by which version. Written last, so that a
// folder without one is no backup.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback {

struct ManifestFile {
  std::string path;  // relative to the backup: "ringback.db", "blobs/07/rc07…/original", "outbox/new/…"
  int64_t size = 0;
  std::string sha256;
};

struct Manifest {
  std::string version;  // of ringback
  absl::Time time;      // the store's, when the database was copied
  std::vector<ManifestFile> files;
  std::vector<std::string> missing_blobs;  // named by a record, but erased before they could be copied
};

// Size and SHA-256 of a file, read once through.
absl::StatusOr<ManifestFile> Measure(const std::string& folder, const std::string& path);

absl::Status WriteManifest(const std::string& folder, const Manifest& manifest);
// NOT_FOUND when the folder is no backup; DATA_LOSS when the manifest does not read or names a path outside the folder.
absl::StatusOr<Manifest> ReadManifest(const std::string& folder);
// DATA_LOSS naming the first file that is missing or is not what it was.
absl::Status VerifyFiles(const std::string& folder, const Manifest& manifest);

// Copies a file (mode 0600, synced), making the folders on the way (mode 0700).
absl::Status CopyFile(const std::string& from, const std::string& to);

}  // namespace ringback
