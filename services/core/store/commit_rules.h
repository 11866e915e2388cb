// What both stores ask of a caller's arguments, and the form in which both keep times and lease ids. No storage here: an
// answer depends on the arguments alone, so that Redis and SQLite refuse the same things with the same words.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/store/store.h"

namespace ringback::store {

// INVALID_ARGUMENT naming what is wrong: a shard outside 0..63, an empty id, a part that belongs to another shard, an
// empty or over-long commit_id, the same record or due entry twice, a counter's delta beyond 2^61.
absl::Status CheckCommit(const Commit& commit);
absl::Status CheckKey(const Key& key);
absl::Status CheckDueKey(const DueKey& key);
absl::Status CheckClaim(const ClaimOptions& options);
absl::Status CheckLeaseDuration(absl::Duration duration);
absl::Status CheckPage(int limit);

// The members a page asks for: from <= member < to, where "" as `to` means no end.
struct ScanRange {
  std::string from;
  std::string to;
};
ScanRange RangeOfPage(const std::string& from, const std::string& to, const Page& page);

// Never used before: 96 random bits, in hex.
std::string NewLeaseId(Random& random);

// Microseconds since 1970, clamped to what a double holds exactly (Redis sorts by doubles).
int64_t ToMicros(absl::Time time);
inline absl::Time FromMicros(int64_t micros) { return absl::FromUnixMicros(micros); }

// Sets `complete` from what a read of the log after `since` found, and drops the events of an incomplete answer: they
// would look like an answer without a gap.
void JudgeChanges(int64_t since, ChangesResult& result);

}  // namespace ringback::store
