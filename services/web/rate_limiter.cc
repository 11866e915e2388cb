#include "web/rate_limiter.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringback::web {

RateLimiter::Bucket* RateLimiter::Find(std::string_view key, absl::Time now) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return nullptr;
  buckets_.splice(buckets_.begin(), buckets_, found->second);
  Bucket& bucket = buckets_.front();
  // A clock that was set back adds nothing, and counts on from where it is.
  const absl::Duration passed = std::max(now - bucket.counted, absl::ZeroDuration());
  bucket.left = std::min<double>(rate_.burst, bucket.left + absl::FDivDuration(passed, rate_.refill));
  bucket.counted = now;
  return &bucket;
}

absl::Duration RateLimiter::Take(std::string_view key) {
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  Bucket* bucket = Find(key, now);
  if (bucket == nullptr) {
    if (buckets_.size() >= keys_max_) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front(Bucket{std::string(key), static_cast<double>(rate_.burst), now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
    bucket = &buckets_.front();
  }
  if (bucket->left < 1) return Missing(*bucket);
  bucket->left -= 1;
  return absl::ZeroDuration();
}

absl::Duration RateLimiter::Wait(std::string_view key) {
  const absl::Time now = clock_->Now();
  MutexLock lock(&mutex_);
  const Bucket* bucket = Find(key, now);
  return bucket == nullptr || bucket->left >= 1 ? absl::ZeroDuration() : Missing(*bucket);
}

std::string ClientKey(std::string_view peer) {
  in6_addr six;
  if (inet_pton(AF_INET6, std::string(peer).c_str(), &six) != 1) return std::string(peer);
  std::string key = "6:";
  key.append(reinterpret_cast<const char*>(six.s6_addr), 8);
  return key;
}

std::string RetryAfter(absl::Duration wait) {
  return absl::StrCat(std::max<int64_t>(1, absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1)))));
}

}  // namespace ringback::web
