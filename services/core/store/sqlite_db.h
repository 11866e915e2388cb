// SQLite behind two small types: a connection and a query in progress. Error codes become absl::Status here and nowhere
// else. What the tables are is said in sqlite_schema.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringback::store {

// One connection. Not thread-safe: one thread at a time.
class SqliteDb {
 public:
  // Opens (and creates, readable by the owner alone) the file. `busy_timeout` bounds the wait for another process.
  static absl::StatusOr<std::unique_ptr<SqliteDb>> Open(const std::string& path,
                                                        std::chrono::milliseconds busy_timeout);
  ~SqliteDb();
  SqliteDb(const SqliteDb&) = delete;
  SqliteDb& operator=(const SqliteDb&) = delete;

  // Runs statements that bind and return nothing.
  absl::Status Execute(const char* sql);

  // Whether SQLite itself failed since ClearFailure: then a transaction may be half-done and must be rolled back, which
  // a refusal decided by our own code (ABORTED, NOT_FOUND) does not call for.
  bool failed() const { return failed_; }
  void ClearFailure() { failed_ = false; }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }
  int changes() const { return sqlite3_changes(db_); }
  // The main database file as SQLite itself has it open; owned by the connection.
  sqlite3_file* file() const;
  // For a visitor beside the program that writes: the log stays as it is, even if this connection is the last to go.
  void LeaveLogOnClose();
  std::chrono::milliseconds busy_timeout() const { return busy_timeout_; }
  void SetBusyTimeout(std::chrono::milliseconds timeout);
  // Drops the pages kept in memory.
  void ForgetPages() { sqlite3_db_release_memory(db_); }

 private:
  friend class Query;
  SqliteDb(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}
  absl::Status Failure(int code);
  sqlite3_stmt* Prepared(const char* sql);  // nullptr on failure

  sqlite3* const db_;
  const std::string path_;
  std::chrono::milliseconds busy_timeout_{0};
  bool failed_ = false;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;  // by the address of the literal
};

// One run of a prepared statement. `sql` must be a string literal: its address is the cache's key.
//   Query q(db, "SELECT version FROM record WHERE id = ?");
//   q.Bind(id);
//   if (q.Next()) version = q.Int(0);
//   RB_RETURN_IF_ERROR(q.status());
// A statement may be in one Query at a time per connection.
class Query {
 public:
  Query(SqliteDb& db, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Each binds the next parameter; bytes are copied and stored as a blob.
  Query& Bind(int64_t value);
  Query& Bind(std::string_view bytes);
  Query& BindText(std::string_view text);  // where SQLite wants a file's name
  Query& BindNull();

  // True: a row is there. False: no more rows, or a failure that status() tells.
  bool Next();
  // Runs a statement that returns no rows.
  absl::Status Run();
  const absl::Status& status() const { return status_; }

  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  std::string Bytes(int column) const;

 private:
  void Bound(int code);

  SqliteDb& db_;
  sqlite3_stmt* const statement_;
  int next_parameter_ = 1;
  absl::Status status_;
};

// What to tell the operator of a damaged file.
absl::Status DamagedError(const std::string& path, const std::string& detail);

}  // namespace ringback::store
