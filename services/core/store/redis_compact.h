// Rewriting Redis's append-only file, so that what was deleted is not in it any more: the master's and its replicas'.
#pragma once

#include "absl/status/status.h"
#include "core/store/redis_connection.h"

namespace ringback::store {

// Returns when a rewrite that began after the call has ended, on the server of `master` and on every replica it names:
// those keep files of their own. UNAVAILABLE: one of them could not be reached, or was not done within two minutes each.
// RESOURCE_EXHAUSTED: a rewrite failed, which a full disk does.
absl::Status CompactRedis(RedisConnection& master, const RedisOptions& options);

}  // namespace ringback::store
