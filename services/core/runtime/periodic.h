// Work that comes again and again: which is due, by the host's clock. Runs nothing by itself; the host does.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/rpc/server.h"
#include "core/runtime/metrics.h"

namespace ringback::runtime {

// Used by one thread; the work itself runs on the executor, never twice at a time.
class Periodic {
 public:
  Periodic(std::string name, absl::Duration period, std::function<absl::Status()> work);

  // Submits the work when it is due at `now` and not running. Returns when to ask again.
  absl::Time Tick(absl::Time now, rpc::Executor& executor, Metrics& metrics);

 private:
  struct Shared {
    std::string name;
    std::function<absl::Status()> work;
    std::atomic<bool> running{false};
  };
  const std::shared_ptr<Shared> shared_;
  const absl::Duration period_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace ringback::runtime
