#include "core/store/sqlite_schema.h"

#include <sys/stat.h>

#include <chrono>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

constexpr int64_t kApplicationId = 0x52424b31;  // "RBK1"

// Step i brings a file from schema i to schema i + 1. A released step never changes; a new need is a new step.
// Times are microseconds since 1970.
constexpr const char* kMigrations[] = {
    R"sql(
    PRAGMA application_id = 0x52424b31;

    -- A row of its own, not WITHOUT ROWID: a callback of 1 to 4 KB then stays in one page instead of spilling.
    CREATE TABLE record(
      n INTEGER PRIMARY KEY, shard INTEGER NOT NULL, kind INTEGER NOT NULL, id BLOB NOT NULL,
      version INTEGER NOT NULL, expires INTEGER, value BLOB NOT NULL, UNIQUE(shard, kind, id));
    CREATE INDEX record_expires ON record(expires) WHERE expires IS NOT NULL;

    -- visible: when it can be claimed next: the due time, the end of a reservation, or the end of a lease.
    CREATE TABLE due(
      stage INTEGER NOT NULL, shard INTEGER NOT NULL, team BLOB NOT NULL, id BLOB NOT NULL,
      due INTEGER NOT NULL, visible INTEGER NOT NULL, lease BLOB, attempts INTEGER NOT NULL,
      PRIMARY KEY(stage, shard, team, id)) WITHOUT ROWID;
    CREATE INDEX due_visible ON due(stage, shard, team, visible, due);
    CREATE INDEX due_leased ON due(stage, shard, team, visible) WHERE lease IS NOT NULL;

    -- One row per team with entries: next is the smallest visible, so that a claim looks at teams, never at all entries.
    CREATE TABLE due_team(
      stage INTEGER NOT NULL, shard INTEGER NOT NULL, team BLOB NOT NULL,
      next INTEGER NOT NULL, entries INTEGER NOT NULL,
      PRIMARY KEY(stage, shard, team)) WITHOUT ROWID;
    CREATE INDEX due_team_next ON due_team(stage, next);

    -- Called entry because INDEX is a word of SQL.
    CREATE TABLE entry(
      shard INTEGER NOT NULL, scope BLOB NOT NULL, name BLOB NOT NULL, member BLOB NOT NULL,
      PRIMARY KEY(shard, scope, name, member)) WITHOUT ROWID;

    CREATE TABLE counter(
      shard INTEGER NOT NULL, scope BLOB NOT NULL, team_week BLOB NOT NULL, name BLOB NOT NULL, value INTEGER NOT NULL,
      PRIMARY KEY(shard, scope, team_week, name)) WITHOUT ROWID;

    CREATE TABLE event(
      shard INTEGER NOT NULL, team BLOB NOT NULL, revision INTEGER NOT NULL,
      time INTEGER NOT NULL, subject BLOB NOT NULL, value BLOB NOT NULL,
      PRIMARY KEY(shard, team, revision)) WITHOUT ROWID;

    -- Remembered commits. n grows, so the oldest are found without an index on time.
    CREATE TABLE done(
      n INTEGER PRIMARY KEY, shard INTEGER NOT NULL, id BLOB NOT NULL, time INTEGER NOT NULL, UNIQUE(shard, id));

    CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    )sql",
};
constexpr int64_t kSchema = std::size(kMigrations);

absl::StatusOr<int64_t> Number(SqliteDb& db, const char* sql) {
  Query q(db, sql);
  const int64_t value = q.Next() ? q.Int(0) : 0;
  RB_RETURN_IF_ERROR(q.status());
  return value;
}

// The header names the page size and the count of pages; a file cut short is found without reading it.
// Through SQLite's own handle, as a descriptor of ours would take the locks with it when closed.
absl::Status CheckSize(SqliteDb& db, const std::string& path, int64_t file_bytes) {
  struct stat wal;
  // With frames in the log the file may rightly be shorter than its newest header says.
  if (stat((path + "-wal").c_str(), &wal) == 0 && wal.st_size > 0) return absl::OkStatus();
  unsigned char header[100];
  if (file_bytes < static_cast<int64_t>(sizeof header)) return DamagedError(path, "the header is cut short");
  sqlite3_file* const file = db.file();
  if (file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK) return absl::OkStatus();  // the next read says why
  int64_t page = (header[16] << 8) | header[17];
  if (page == 1) page = 65536;
  const int64_t pages = (int64_t{header[28]} << 24) | (header[29] << 16) | (header[30] << 8) | header[31];
  if (page * pages > file_bytes) {
    return DamagedError(path, absl::StrCat("it has ", file_bytes, " of its ", page * pages, " bytes"));
  }
  return absl::OkStatus();
}

absl::Status CheckWhole(SqliteDb& db, const std::string& path) {
  Query q(db, "PRAGMA quick_check(1)");
  std::string finding = q.Next() ? q.Bytes(0) : "no answer";
  RB_RETURN_IF_ERROR(q.status());
  return finding == "ok" ? absl::OkStatus() : DamagedError(path, finding);
}

absl::Status Migrate(SqliteDb& db, const std::string& path) {
  // Looked at under the write lock: two programs may start on the same fresh file.
  RB_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
  const absl::Status status = [&]() -> absl::Status {
    RB_ASSIGN_OR_RETURN(const int64_t schema, Number(db, "PRAGMA user_version"));
    RB_ASSIGN_OR_RETURN(const int64_t application, Number(db, "PRAGMA application_id"));
    RB_ASSIGN_OR_RETURN(const int64_t tables, Number(db, "SELECT COUNT(*) FROM sqlite_schema"));
    if (application != kApplicationId && tables > 0) {
      return absl::FailedPreconditionError(absl::StrCat(path, " is a database of another program; name another file"));
    }
    if (schema > kSchema) {
      return absl::FailedPreconditionError(absl::StrCat(path, " was written by a newer ringback (schema ", schema,
                                                        ", this one knows ", kSchema, "); start that version"));
    }
    for (int64_t step = schema; step < kSchema; ++step) RB_RETURN_IF_ERROR(db.Execute(kMigrations[step]));
    if (schema < kSchema) RB_RETURN_IF_ERROR(db.Execute(absl::StrCat("PRAGMA user_version = ", kSchema).c_str()));
    return absl::OkStatus();
  }();
  if (!status.ok()) {
    db.Execute("ROLLBACK").IgnoreError();
    return status;
  }
  return db.Execute("COMMIT");
}

// SQLite answers "locked" at once, whatever the busy time-out, while another program switches the same fresh file.
absl::Status SwitchToLog(SqliteDb& db, std::chrono::milliseconds busy_timeout) {
  const auto end = std::chrono::steady_clock::now() + busy_timeout;
  for (;;) {
    absl::Status status = db.Execute("PRAGMA journal_mode = WAL");
    if (!absl::IsUnavailable(status) || std::chrono::steady_clock::now() >= end) return status;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// Every connection: overwrite what is deleted, trust no cell sizes, keep little in memory.
constexpr const char* kSettings = "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF;";

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteDb>> OpenWriter(const std::string& path, std::chrono::milliseconds busy_timeout,
                                                     int64_t full_check_bytes_max) {
  RB_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path, busy_timeout));
  struct stat file;
  const int64_t bytes = stat(path.c_str(), &file) == 0 ? file.st_size : 0;
  if (bytes > 0) {
    RB_RETURN_IF_ERROR(CheckSize(*db, path, bytes));
    // The first read: another format or a broken header shows here.
    RB_RETURN_IF_ERROR(Number(*db, "SELECT COUNT(*) FROM sqlite_schema").status());
    if (bytes <= full_check_bytes_max) RB_RETURN_IF_ERROR(CheckWhole(*db, path));
  }
  RB_RETURN_IF_ERROR(db->Execute(kSettings));
  // FULL: the log is synced at every commit, so an acknowledged commit survives the loss of power.
  RB_RETURN_IF_ERROR(SwitchToLog(*db, busy_timeout));
  RB_RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;"
                                 "PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 33554432;"));
  RB_RETURN_IF_ERROR(Migrate(*db, path));
  return db;
}

absl::StatusOr<std::unique_ptr<SqliteDb>> OpenReader(const std::string& path, std::chrono::milliseconds busy_timeout) {
  RB_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> db, SqliteDb::Open(path, busy_timeout));
  RB_RETURN_IF_ERROR(db->Execute(kSettings));
  RB_RETURN_IF_ERROR(db->Execute("PRAGMA query_only = ON; PRAGMA cache_size = -512;"));
  return db;
}

}  // namespace ringback::store
