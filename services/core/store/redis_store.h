// The store in Redis: for teams whose services run as many processes. Every change is one Lua script on one shard.
// Redis must run with appendonly yes, appendfsync always and maxmemory-policy noeviction (Check says so). The contract
// is store.h; the keys are in redis_scripts.h.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/store.h"

namespace ringback::store {

struct RedisOptions {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_socket;  // used instead of host and port unless empty
  std::string user;         // "" for the default user
  std::string password;     // "" for none
  int database = 0;
  // The store's time is Redis's own, shifted as this clock is shifted against the machine's (see NewSystemClock).
  Clock* clock = nullptr;    // must outlive the store
  Random* random = nullptr;  // lease ids; must outlive the store
  int connections_max = 16;
  std::chrono::milliseconds connect_timeout{2000};
  std::chrono::milliseconds command_timeout{10000};
};

// UNAVAILABLE when Redis cannot be reached now; later failures heal by themselves with the next call.
absl::StatusOr<std::unique_ptr<Store>> OpenRedisStore(const RedisOptions& options);

}  // namespace ringback::store
