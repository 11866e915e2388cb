// How fast one transport may send: a token bucket. Who goes first is the worker's choice, not this class's.
#pragma once

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ringback::delivery {

// Thread-safe.
class RateLimit {
 public:
  // `per_second` <= 0 means no limit. `burst` (at least 1) may go at once after a pause.
  RateLimit(double per_second, int burst, Clock* clock);

  // Takes one place and returns zero, or takes none and returns how long until one is free (never zero then).
  absl::Duration TryTake();

  // The other side asked for a pause (Retry-After, 421): no place before it has passed. Never shortens a longer one.
  void PauseFor(absl::Duration pause);

 private:
  const double per_second_;
  const double burst_;
  Clock* const clock_;
  Mutex mutex_;
  double places_ RB_GUARDED_BY(mutex_);
  absl::Time counted_ RB_GUARDED_BY(mutex_);
  absl::Time paused_until_ RB_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace ringback::delivery
