// The due sets in SQLite: claims, leases, and the row per team that keeps a claim from looking at every entry.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/store/sqlite_db.h"
#include "core/store/store.h"

namespace ringback::store {

// The team that was served last, per stage: the next claim goes on behind it.
using TeamCursor = std::pair<int, std::string>;  // shard, team

// Parts of the writer's transaction (see SqliteWriter::Part). `now` is in microseconds.
absl::Status WriteDue(SqliteDb& db, const DueChange& change, int64_t now);
// ABORTED unless `lease` is the entry's newest.
absl::Status CheckFence(SqliteDb& db, const Lease& lease);
absl::StatusOr<std::vector<Lease>> ClaimDueEntries(SqliteDb& db, Stage stage, const ClaimOptions& options, int64_t now,
                                                   TeamCursor& cursor, Random& random);
absl::StatusOr<Lease> ClaimEntry(SqliteDb& db, const DueKey& key, absl::Duration lease, int64_t now, Random& random);
absl::StatusOr<Lease> ExtendLease(SqliteDb& db, const Lease& lease, absl::Duration duration, int64_t now);
absl::Status ReleaseLease(SqliteDb& db, const Lease& lease, std::optional<absl::Time> due, bool uncount);

// Reads, on any connection.
absl::StatusOr<std::optional<absl::Time>> NextVisible(SqliteDb& db, Stage stage);
absl::StatusOr<DueStats> CountDue(SqliteDb& db, Stage stage, int64_t now);

}  // namespace ringback::store
