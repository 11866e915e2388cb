// TLS to Redis, where hiredis was built with it (1.0 and later, libhiredis_ssl; CMake looks for both).
#pragma once

#include <hiredis/hiredis.h>

#include <string>

#include "absl/status/status.h"
#include "core/store/redis_store.h"

namespace ringback::store {

// INVALID_ARGUMENT when this program was built without TLS, or a file cannot be used. Looked at once, before connecting.
absl::Status CheckTls(const RedisTls& tls);

// Greets the server over a fresh connection and holds its certificate against the CA and `host`. UNAVAILABLE when that
// fails. Blocks at most for the socket's time limit.
absl::Status StartTls(redisContext* context, const RedisTls& tls, const std::string& host);

}  // namespace ringback::store
