// The bucket: places grow with time up to the burst, and the most urgent one that waits gets the next.
#include "delivery/rate_limit.h"

#include <algorithm>

namespace ringback::delivery {
namespace {

constexpr absl::Duration kNoShow = absl::Seconds(5);
constexpr int kAheadMax = 1000;

}  // namespace

RateLimit::RateLimit(double per_second, int burst, Clock* clock)
    : per_second_(per_second), burst_(std::max(burst, 1)), clock_(clock), places_(burst_), counted_(clock->Now()) {}

absl::Duration RateLimit::TryTake(const std::string& id, const Urgency& urgency) {
  if (per_second_ <= 0) return absl::ZeroDuration();
  const absl::Time now = clock_->Now();
  const Turn turn(urgency.rank, urgency.time, id);
  MutexLock lock(&mutex_);
  // A clock that was set back adds nothing, and counts on from where it is.
  const absl::Duration passed = std::max(now - counted_, absl::ZeroDuration());
  places_ = std::min(burst_, places_ + absl::ToDoubleSeconds(passed) * per_second_);
  counted_ = now;
  const double missing = Ahead(turn, now) + 1 - places_;
  if (missing <= 0) {
    places_ -= 1;
    waiting_.erase(turn);
    return absl::ZeroDuration();
  }
  const absl::Duration wait = std::max(absl::Seconds(missing / per_second_), absl::Microseconds(1));
  waiting_[turn] = now + wait;
  return wait;
}

int RateLimit::Ahead(const Turn& turn, absl::Time now) {
  int ahead = 0;
  for (auto other = waiting_.begin(); other != waiting_.end() && other->first < turn && ahead < kAheadMax;) {
    if (other->second + kNoShow < now) {
      other = waiting_.erase(other);
    } else {
      ++ahead;
      ++other;
    }
  }
  return ahead;
}

}  // namespace ringback::delivery
