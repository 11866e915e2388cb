// Whether a Redis is set up so that it keeps what ringback promises.
#pragma once

#include "absl/status/status.h"
#include "core/store/redis_connection.h"

namespace ringback::store {

// FAILED_PRECONDITION naming everything that is wrong and what would be right; UNAVAILABLE or RESOURCE_EXHAUSTED when it
// cannot be written to now. What the server keeps to itself (services for hire forbid CONFIG) is the operator's word.
absl::Status CheckRedis(RedisConnection& connection, const RedisOptions& options, Steady::time_point deadline);

}  // namespace ringback::store
