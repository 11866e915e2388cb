// Erases what SQLite leaves behind. With secure_delete SQLite overwrites a deleted row, but when it rebalances pages it
// leaves copies of rows in the unused gap between a page's cell pointers and its cells, and old pages stay in the
// write-ahead log. Nothing here knows what the rows mean.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/store/sqlite_db.h"

namespace ringback::store {

// Empties the log and zeroes the gaps of every page, so that no byte of a deleted row is left in the file. `db` is the
// writer's connection, outside a transaction; others may read meanwhile and wait to write (about a second per GB).
// UNAVAILABLE when a long read (a backup) or another process keeps the log from being emptied for half a second: writers
// wait meanwhile, so call again later.
absl::Status ScrubFile(SqliteDb& db, const std::string& path);

}  // namespace ringback::store
