// Asks Redis Sentinels who the master is.
// Source: https://redis.io/docs/latest/develop/reference/sentinel-clients/
#pragma once

#include <string>
#include <tuple>
#include <utility>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/store/redis_connection.h"

namespace ringback::store {

// Thread-safe. Keeps no connection: it is asked once per failure.
class RedisSentinel {
 public:
  explicit RedisSentinel(const RedisOptions& options) : options_(options) {}

  // Host and port of the master by the first sentinel that answers and knows; whether it really is one, its ROLE tells.
  // UNAVAILABLE when none does; says what each said.
  absl::StatusOr<std::tuple<std::string, int>> FindMaster(Steady::time_point deadline);

 private:
  absl::StatusOr<std::tuple<std::string, int>> Ask(size_t which, Steady::time_point deadline) const;

  const RedisOptions& options_;  // the pool's
  Mutex mutex_;
  size_t first_ RB_GUARDED_BY(mutex_) = 0;  // who answered last
};

}  // namespace ringback::store
