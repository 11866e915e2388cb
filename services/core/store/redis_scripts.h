// The Lua that runs inside Redis, each script on one shard, and how its keys are named. Arguments and answers are said
// here; redis_store.cc packs and reads them.
//
// Keys of shard NN all begin with KEYS[1] = "rb:{NN}", whose braces keep a shard in one cluster slot:
//   :r:KIND:ID      string  "VERSION EXPIRES VALUE" (EXPIRES "" for never)
//   :k:KIND         zset    every id of the kind, score 0, for List
//   :x              zset    "KIND:ID" by expiry
//   :d:STAGE:TEAM   zset    due entries by when they can be claimed next
//   :e:STAGE:TEAM   hash    id to "DUE ATTEMPTS LEASE" (LEASE "" when not leased)
//   :l:STAGE:TEAM   zset    leased entries by the lease's end: what a team has in flight
//   :t:STAGE        zset    teams by their first entry's time
//   :i:LEN:SCOPE:NAME       zset    index members, score 0, ordered by bytes
//   :c:LEN:SCOPE:GROUP      hash    counters
//   :n              hash    team to its newest revision
//   :v:TEAM         stream  events; the revision is the entry's id
//   :q:COMMIT_ID    string  the time of a remembered commit; Redis itself lets it expire
// All times are microseconds since 1970 in the store's time: Redis's TIME plus ARGV[1].
#pragma once

#include <array>
#include <string>

namespace ringback::store {

enum class Script { kCommit, kClaimDue, kClaim, kExtend, kRelease, kStats, kList, kSweep };
inline constexpr int kScripts = 8;

// The source of each, in the order of Script.
const std::array<std::string, kScripts>& ScriptSources();

}  // namespace ringback::store
