// How fast one transport may send, and who goes first when not all can: a token bucket with a waiting room.
#pragma once

#include <map>
#include <string>
#include <tuple>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ringback::delivery {

// Lower goes first: by rank, then by time.
struct Urgency {
  int rank = 0;
  absl::Time time;
};

// Thread-safe.
class RateLimit {
 public:
  // `per_second` <= 0 means no limit. `burst` (at least 1) may go at once after a pause.
  RateLimit(double per_second, int burst, Clock* clock);

  // Takes a place and returns zero, or takes none and returns how long until there are enough for `id` and all that
  // wait and are more urgent (never zero then). Ask again when that has passed: places are kept for who waits, and for
  // who does not come back within some seconds no longer.
  absl::Duration TryTake(const std::string& id, const Urgency& urgency);

 private:
  using Turn = std::tuple<int, absl::Time, std::string>;  // rank, time, id

  // How many of those that wait go before `turn`; drops whoever did not come back. A thousand is as good as more.
  int Ahead(const Turn& turn, absl::Time now) RB_REQUIRES(mutex_);

  const double per_second_;
  const double burst_;
  Clock* const clock_;
  Mutex mutex_;
  double places_ RB_GUARDED_BY(mutex_);
  absl::Time counted_ RB_GUARDED_BY(mutex_);
  std::map<Turn, absl::Time> waiting_ RB_GUARDED_BY(mutex_);  // who, and when it asks again
};

}  // namespace ringback::delivery
