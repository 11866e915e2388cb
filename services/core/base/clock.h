// The clock seam. Rules never read a clock: they are handed `now`. Services read this one.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ringback {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual absl::Time Now() = 0;
  // How far Now is ahead of the machine's clock: what a server with a clock of its own adds to that. Zero in production.
  virtual absl::Duration Offset() { return absl::ZeroDuration(); }
};

// The machine's clock, shifted by the seconds (a decimal number) that `offset_file` holds. Tests write the file to move
// all processes that share it together, so that stories of hours run in seconds; production passes "". The file is
// read anew at every call and a missing or unreadable one means no shift.
std::unique_ptr<Clock> NewSystemClock(std::string offset_file = "");

// Moves only when told to.
class FakeClock : public Clock {
 public:
  explicit FakeClock(absl::Time now) : now_(now) {}
  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return now_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    now_ += by;
  }
  void Set(absl::Time now) {
    MutexLock lock(&mutex_);
    now_ = now;
  }

 private:
  Mutex mutex_;
  absl::Time now_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback
