// The bucket: places grow with time up to the burst.
#include "delivery/rate_limit.h"

#include <algorithm>

namespace ringback::delivery {

RateLimit::RateLimit(double per_second, int burst, Clock* clock)
    : per_second_(per_second), burst_(std::max(burst, 1)), clock_(clock), places_(burst_), counted_(clock->Now()) {}

absl::Duration RateLimit::TryTake() {
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  if (now < paused_until_) return paused_until_ - now;
  if (per_second_ <= 0) return absl::ZeroDuration();
  // A clock that was set back adds nothing, and counts on from where it is.
  const absl::Duration passed = std::max(now - counted_, absl::ZeroDuration());
  places_ = std::min(burst_, places_ + absl::ToDoubleSeconds(passed) * per_second_);
  counted_ = now;
  if (places_ >= 1) {
    places_ -= 1;
    return absl::ZeroDuration();
  }
  return std::max(absl::Seconds((1 - places_) / per_second_), absl::Microseconds(1));
}

void RateLimit::PauseFor(absl::Duration pause) {
  const absl::Time until = clock_->Now() + pause;
  MutexLock lock(&mutex_);
  paused_until_ = std::max(paused_until_, until);
}

}  // namespace ringback::delivery
