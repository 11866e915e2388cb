// The Lua that runs inside Redis, and how its keys are named. Arguments and answers are said
// here; redis_store.cc and redis_committer.cc pack and read them.
//
// Keys of shard NN all begin with its base "rb:{NN}", KEYS[1] where nothing else is said:
//   :r:KIND         hash    id to "VERSION EXPIRES COUNT MARKS VALUE": EXPIRES "" for never; as many MARKS as COUNT says, of
//                           the commits that the record remembers; version 0 is a dropped record that still does
//   :x              zset    "KIND:ID" by expiry
//   :d:STAGE:TEAM   zset    due entries by when they can be claimed next
//   :e:STAGE:TEAM   hash    id to "DUE ATTEMPTS LEASE" (LEASE "" when not leased), only of entries that were claimed or
//                           reserved: of the others the place in :d is the due time, which keeps a waiting timer small
//   :l:STAGE:TEAM   zset    leased entries by the lease's end: what a team has in flight
//   :t:STAGE        zset    teams by their first entry's time, or an earlier one that is mended when somebody looks
//   :i:LEN:SCOPE:NAME       zset    index members, score 0, ordered by bytes
//   :c:LEN:SCOPE:GROUP      hash    counters
//   :v:TEAM         list    events, "TIME LENGTH SUBJECT VALUE"; revisions count from 1
//   :n              hash    team to the number of its events that were trimmed away
//   :q:HOUR         hash    fingerprint of a commit that no record remembers to its time within the hour; this hour's
//                           and the last one's are looked at, older ones go away
//   :w              string  written where an answer must wait for the replicas but wrote nothing itself
// Commits and claims of several shards share one call, because a call costs as much as a commit; a shard is still the
// widest thing that changes as a whole. (A Redis Cluster would want a call per slot: the client speaks to none.)
// All times are microseconds since 1970 in the store's time: Redis's TIME plus ARGV[1].
#pragma once

#include <array>
#include <string>

namespace ringback::store {

// kCommitFull is kCommit for commits that Redis shall take although its memory is full: what was accepted goes on.
enum class Script { kCommit, kCommitFull, kClaimDue, kClaim, kExtend, kRelease, kStats, kSweep, kNextDue, kGet, kChanges };
inline constexpr int kScripts = 11;

// The source of each, in the order of Script.
const std::array<std::string, kScripts>& ScriptSources();

}  // namespace ringback::store
