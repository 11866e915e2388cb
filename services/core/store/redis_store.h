// The store in Redis: for teams whose services run as many processes. Every change is one Lua script on one shard.
// Redis must run with appendonly yes, appendfsync always and maxmemory-policy noeviction (Check says so). The contract
// is store.h; the keys are in redis_scripts.h.
//
// An acknowledged write is on the disk of the master and, with `replicas` above zero, of so many replicas: the answer to
// a WAIT is checked after every group of writes, and too few are UNAVAILABLE. Set `replicas` to the number of replicas
// that may be promoted; then a failover loses nothing that was acknowledged.
//
// Where Redis differs from SQLite for an operator: a full memory is RESOURCE_EXHAUSTED for new work, while timers,
// claims and commits of claimed work go on; but with appendfsync always a full *disk* ends the server, which callers see
// as UNAVAILABLE until there is room and it runs again.
//
// While Redis is away calls fail at once with UNAVAILABLE, but for one that tries again every 0.1 to 1 s; then everything
// works by itself. No call takes longer than command_timeout (and a quarter of a second), except for the resolving of a
// host's name, and for Compact.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/store.h"

namespace ringback::store {

struct RedisTls {
  std::string ca_file;           // PEM; "": the system's
  std::string certificate_file;  // PEM, goes together with key_file; "": none is shown
  std::string key_file;
};

struct RedisSentinels {
  std::vector<std::pair<std::string, int>> addresses;
  std::string master_name;
  std::string password;  // of the sentinels themselves; "" for none
};

struct RedisOptions {
  std::string host = "127.0.0.1";
  int port = 6379;
  std::string unix_socket;  // used instead of host and port unless empty
  // Used to find host and port of the master, anew after every failure.
  std::optional<RedisSentinels> sentinels;
  std::string user;      // "" for the default user
  std::string password;  // "" for none
  // Read anew for every connection instead of `password`, so that a changed one needs no restart. Called by any thread.
  std::function<absl::StatusOr<std::string>()> read_password;
  std::optional<RedisTls> tls;
  int database = 0;
  int replicas = 0;  // that must have a write before it is acknowledged
  // The store's time is Redis's own, shifted by clock->Offset().
  Clock* clock = nullptr;    // must outlive the store
  Random* random = nullptr;  // lease ids; must outlive the store
  int connections_max = 16;
  std::chrono::milliseconds connect_timeout{1000};
  // Leases are renewed at half their time, 7.5 s at the least: a call that failed must leave room for another.
  std::chrono::milliseconds command_timeout{3000};
};

// UNAVAILABLE when Redis cannot be reached now; later failures heal by themselves. INVALID_ARGUMENT: options that cannot
// work, as TLS where hiredis has none.
absl::StatusOr<std::unique_ptr<Store>> OpenRedisStore(const RedisOptions& options);

}  // namespace ringback::store
