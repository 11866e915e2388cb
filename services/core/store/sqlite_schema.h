// The SQLite file: its tables, its settings, how it is opened, checked and brought up to date. Every connection of the
// store comes from here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/store/sqlite_db.h"

namespace ringback::store {

// Opens the connection that writes: creates the tables in an empty file, migrates an older one, refuses a newer one or
// another program's (FAILED_PRECONDITION) and a damaged one (DATA_LOSS, saying what to do). Files up to
// `full_check_bytes_max` are read through and checked as a whole (about 1 s per GB), larger ones by header and size.
absl::StatusOr<std::unique_ptr<SqliteDb>> OpenWriter(const std::string& path, std::chrono::milliseconds busy_timeout,
                                                     int64_t full_check_bytes_max);

// Opens one more connection, which only reads. The file must have been opened by OpenWriter before.
absl::StatusOr<std::unique_ptr<SqliteDb>> OpenReader(const std::string& path, std::chrono::milliseconds busy_timeout);

}  // namespace ringback::store
