// One server per data directory: a lock on DATA/lock that ends with the process, however it ends.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/runtime/config.h"

namespace ringback {

class DataLock {
 public:
  // Makes the directory (mode 0700) where it is missing. FAILED_PRECONDITION, naming the other's process id, while
  // another server uses it; UNAVAILABLE when it cannot be used at all.
  static absl::StatusOr<std::unique_ptr<DataLock>> Take(const std::string& data_dir);
  ~DataLock();

  // Whether a server holds the lock now. False for a directory without one.
  static bool Held(const std::string& data_dir);

 private:
  explicit DataLock(int fd) : fd_(fd) {}
  const int fd_;
};

// FAILED_PRECONDITION, saying what to do, when a server has worked on this directory and its database is gone or empty: a
// start would make a new one, as if nobody had ever called. OK for a fresh directory and for a store elsewhere.
absl::Status CheckDatabaseThere(const runtime::Config& config);

}  // namespace ringback
