// Access tokens for XOAUTH2 from the operator's own command, because every provider's way to get one differs.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ringback::delivery {

// Thread-safe: one thread runs the command, others wait for its token.
class TokenCommand {
 public:
  // `command` is a line for /bin/sh whose standard output is the token.
  explicit TokenCommand(std::string command) : command_(std::move(command)) {}

  // The token, kept for five minutes or until Forget. UNAVAILABLE when the command fails, prints nothing or does not
  // end within `deadline`, ten seconds at most; it is killed then. The reason never holds its output.
  absl::StatusOr<std::string> Get(absl::Duration deadline);
  // The server refused it: run the command again next time.
  void Forget();

 private:
  const std::string command_;
  Mutex mutex_;
  std::string token_ RB_GUARDED_BY(mutex_);
  absl::Time taken_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback::delivery
