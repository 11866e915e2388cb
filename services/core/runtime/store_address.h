// What ringback.store says, read: the address of a Redis and how to speak to it.
#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "core/runtime/config.h"
#include "core/store/redis_store.h"

namespace ringback::runtime {

// Whether the address names a Redis (alone or by its sentinels) and no SQLite file.
bool IsRedisAddress(std::string_view store);

// Reads
//   redis://[user@]host[:port][/database]                     rediss://… over TLS
//   sentinel://[user@]host[:port],host[:port]…/master[/database]   sentinels://… over TLS, also to the sentinels
// with the store_* keys of `config`. IPv6 addresses stand in brackets. INVALID_ARGUMENT says what would be right. Reads
// the password file once, so that a wrong one shows at start, and again for every connection. Clock and random are the
// caller's to set.
absl::StatusOr<store::RedisOptions> RedisOptionsFrom(const Config& config);

}  // namespace ringback::runtime
