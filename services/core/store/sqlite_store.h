// The store in one SQLite file: for the embedded mode, with no server beside it. WAL, synchronous=FULL, one writer
// thread with grouped commits, readers on connections of their own. The contract is store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/store.h"

namespace ringback::store {

struct SqliteOptions {
  std::string path;
  Clock* clock = nullptr;    // the store's time; must outlive the store
  Random* random = nullptr;  // lease ids; must outlive the store
  // How long a call waits for another process that writes to the same file (backup, doctor, a second start).
  std::chrono::milliseconds busy_timeout{5000};
  // Connections that read at the same time; more readers wait their turn. Each costs up to 0.5 MB.
  int readers_max = 4;
  // Larger files are not read through at start.
  int64_t full_check_bytes_max = int64_t{64} << 20;
};

// Creates the file (mode 0600) or opens it, from any older version of ringback. DATA_LOSS: it is damaged; the message
// says what to do. FAILED_PRECONDITION: a newer ringback's, or not ringback's. Several stores, in one process or
// several, may have the same file open.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options);

// Writes a consistent copy of the store at `path` to the new file `copy` (mode 0600, synced, compact), also while it is
// in use. ALREADY_EXISTS when `copy` is there; nothing is left of a copy that failed.
absl::Status BackupSqliteStore(const std::string& path, const std::string& copy);

// For a copy that takes the place of a newer store, before anybody uses it: every team's revisions move on so far that
// whoever had seen the lost ones gets "not complete" from Changes and lists anew, instead of going on as if those had
// been the ones that now come with their numbers.
absl::Status MoveRevisionsOn(const std::string& path);

}  // namespace ringback::store
