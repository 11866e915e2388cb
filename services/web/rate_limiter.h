// How often one client, token or address may do something: a token bucket for each, in bounded memory. For pages that
// strangers reach; delivery's rate_limit.h is for one transport with a queue before it.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ringback::web {

// Thread-safe.
class RateLimiter {
 public:
  struct Rate {
    int burst = 1;                             // at once, after a pause
    absl::Duration refill = absl::Seconds(1);  // one more each time
  };
  // Beyond `keys_max` buckets the one not used for longest is forgotten, so it starts full again.
  RateLimiter(Rate rate, Clock* clock, size_t keys_max = 20000) : rate_(rate), clock_(clock), keys_max_(keys_max) {}

  // Takes one of `key` and returns zero, or takes none and returns how long until there is one.
  absl::Duration Take(std::string_view key);
  // What Take would return; takes nothing.
  absl::Duration Wait(std::string_view key);

 private:
  struct Bucket {
    std::string key;
    double left = 0;
    absl::Time counted;
  };
  // The bucket as it is now, moved to the front of the list; nullptr for a key that was not seen (and is full).
  Bucket* Find(std::string_view key, absl::Time now) RB_REQUIRES(mutex_);
  absl::Duration Missing(const Bucket& bucket) const { return (1 - bucket.left) * rate_.refill; }

  const Rate rate_;
  Clock* const clock_;
  const size_t keys_max_;
  Mutex mutex_;
  std::list<Bucket> buckets_ RB_GUARDED_BY(mutex_);  // used last first
  std::unordered_map<std::string_view, std::list<Bucket>::iterator> by_key_ RB_GUARDED_BY(mutex_);  // views into buckets_
};

// The key of a client by its address: IPv4 as it is, IPv6 by its /64, since one household has that many.
std::string ClientKey(std::string_view peer);

// A wait as Retry-After says it: whole seconds, at least 1.
std::string RetryAfter(absl::Duration wait);

}  // namespace ringback::web
