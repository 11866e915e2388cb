// One Commit inside the writer's transaction: validates first, writes last.
#pragma once

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/store/sqlite_db.h"
#include "core/store/store.h"

namespace ringback::store {

// For SqliteWriter's parts. `commit` has passed CheckCommit.
absl::StatusOr<CommitResult> ApplyCommit(SqliteDb& db, const Commit& commit, absl::Time now);

}  // namespace ringback::store
