#include "core/store/redis_check.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

using Fields = std::map<std::string, std::string>;

void AddInfo(const redisReply& reply, Fields& fields) {
  for (const absl::string_view line : absl::StrSplit(TextOf(reply), absl::ByAnyChar("\r\n"), absl::SkipEmpty())) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (parts.size() == 2) fields[parts[0]] = parts[1];
  }
}

int64_t Number(const Fields& fields, const std::string& name) {
  int64_t number = 0;
  const auto found = fields.find(name);
  return found != fields.end() && absl::SimpleAtoi(found->second, &number) ? number : 0;
}

}  // namespace

absl::Status CheckRedis(RedisConnection& connection, const RedisOptions& options, Steady::time_point deadline) {
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      connection.Send({{"INFO", "persistence"},
                                       {"INFO", "memory"},
                                       {"INFO", "replication"},
                                       {"CONFIG", "GET", "appendfsync"},
                                       {"CONFIG", "GET", "no-appendfsync-on-rewrite"},
                                       {"CONFIG", "GET", "min-replicas-to-write"},
                                       {"SET", "rb:{00}:checked", ""}},
                                      deadline));
  Fields info;
  for (int i = 0; i < 3; ++i) {
    RB_RETURN_IF_ERROR(ErrorOf(*replies[i]));
    AddInfo(*replies[i], info);
  }
  const auto config = [&](int i) { return replies[i]->elements == 2 ? TextOf(*replies[i]->element[1]) : std::string(); };

  std::vector<std::string> wrong;
  const auto demand = [&](bool fine, auto&&... words) {
    if (!fine) wrong.push_back(absl::StrCat(words...));
  };
  demand(info["role"] == "master", "it is a replica; ringback needs the master");
  demand(info["aof_enabled"] == "1", "it keeps no append-only file; set appendonly yes");
  demand(info["maxmemory_policy"] == "noeviction", "it would drop records when full; set maxmemory-policy noeviction");
  demand(info["aof_last_bgrewrite_status"] != "err", "its last rewrite of the append-only file failed; see its log");
  demand(info["aof_last_write_status"] != "err", "it could not write its append-only file; see its log and disk");
  const std::string fsync = config(3);
  demand(fsync.empty() || fsync == "always", "it may lose what it acknowledged: appendfsync is ", fsync, "; set it to always");
  demand(config(4) != "yes", "it may lose what it acknowledges during a rewrite; set no-appendfsync-on-rewrite no");
  if (options.replicas > 0) {
    const int64_t connected = Number(info, "connected_slaves");
    demand(connected >= options.replicas, "it has ", connected, " of the ", options.replicas,
           " replicas that store_replicas asks for");
    int64_t least = 0;
    const std::string text = config(5);
    demand(text.empty() || (absl::SimpleAtoi(text, &least) && least >= 1),
           "cut off from its replicas it would go on; set min-replicas-to-write to 1 or more");
  }
  if (!wrong.empty()) return absl::FailedPreconditionError(absl::StrCat("Redis: ", absl::StrJoin(wrong, "; ")));
  return ErrorOf(*replies[6]);
}

}  // namespace ringback::store
