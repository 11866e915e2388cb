// One server per data directory: a lock on DATA/lock that ends with the process, however it ends.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

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

}  // namespace ringback
