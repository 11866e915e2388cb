#include "core/store/sqlite_db.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringback::store {
namespace {

absl::Status Translate(int code, const std::string& path, const char* message) {
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(absl::StrCat("no room left for ", path, ": ", message));
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return absl::ResourceExhaustedError(absl::StrCat(path, ": ", message));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return DamagedError(path, message);
    case SQLITE_IOERR:
      // A quota or file size limit shows as a failed write; a failed fsync says nothing about what reached the disk.
      if (code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE || code == SQLITE_IOERR_SHMSIZE) {
        return absl::ResourceExhaustedError(absl::StrCat("cannot write to ", path, ": ", message));
      }
      return absl::UnavailableError(absl::StrCat("input/output error ", code, " at ", path, ": ", message));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(absl::StrCat(path, " is locked by another process: ", message));
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::UnavailableError(absl::StrCat("cannot open ", path, " for writing: ", message));
    default:
      return absl::InternalError(absl::StrCat("SQLite error ", code, " at ", path, ": ", message));
  }
}

}  // namespace

absl::Status DamagedError(const std::string& path, const std::string& detail) {
  return absl::DataLossError(absl::StrCat(
      "the database ", path, " is damaged (", detail, "). Keep a copy of it, then restore the newest backup with "
      "`ringback restore DIR --force`, or save what is readable with `sqlite3 ", path, " .recover | sqlite3 recovered.db`"));
}

absl::StatusOr<std::unique_ptr<SqliteDb>> SqliteDb::Open(const std::string& path,
                                                         std::chrono::milliseconds busy_timeout) {
  // Created here and not by SQLite, which would let everybody read it; -wal and -shm inherit the mode. Only ever a new
  // file: closing a descriptor of one that is open already would drop all locks of this process on it (fcntl(2)), and
  // the next process to leave would take the log away from under us.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno != EEXIST) {
    return absl::UnavailableError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  }
  if (fd >= 0) close(fd);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<SqliteDb> db(new SqliteDb(raw, path));
  if (raw == nullptr) return absl::ResourceExhaustedError("no memory for a database connection");
  sqlite3_extended_result_codes(raw, 1);
  if (code != SQLITE_OK) return db->Failure(sqlite3_extended_errcode(raw));
  db->SetBusyTimeout(busy_timeout);
  return db;
}

SqliteDb::~SqliteDb() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

absl::Status SqliteDb::Failure(int code) {
  failed_ = true;
  return Translate(code, path_, sqlite3_errmsg(db_));
}

absl::Status SqliteDb::Execute(const char* sql) {
  const int code = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Failure(code);
}

void SqliteDb::SetBusyTimeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(db_, static_cast<int>(timeout.count()));
  busy_timeout_ = timeout;
}

sqlite3_file* SqliteDb::file() const {
  sqlite3_file* file = nullptr;
  RB_CHECK(sqlite3_file_control(db_, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK);
  return file;
}

void SqliteDb::LeaveLogOnClose() {
  int keep = 1;
  RB_CHECK(sqlite3_file_control(db_, "main", SQLITE_FCNTL_PERSIST_WAL, &keep) == SQLITE_OK);
  RB_CHECK(sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) == SQLITE_OK);
}

sqlite3_stmt* SqliteDb::Prepared(const char* sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) return nullptr;
  statements_.emplace(sql, statement);
  return statement;
}

Query::Query(SqliteDb& db, const char* sql) : db_(db), statement_(db.Prepared(sql)) {
  if (statement_ == nullptr) status_ = db_.Failure(sqlite3_extended_errcode(db_.db_));
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);  // a bound value may be a megabyte
}

void Query::Bound(int code) {
  ++next_parameter_;
  if (code != SQLITE_OK && status_.ok()) status_ = db_.Failure(code);
}

Query& Query::Bind(int64_t value) {
  if (statement_ != nullptr) Bound(sqlite3_bind_int64(statement_, next_parameter_, value));
  return *this;
}

Query& Query::Bind(std::string_view bytes) {
  // A null pointer would bind NULL instead of an empty blob.
  const char* data = bytes.empty() ? "" : bytes.data();
  if (statement_ != nullptr) {
    Bound(sqlite3_bind_blob64(statement_, next_parameter_, data, bytes.size(), SQLITE_TRANSIENT));
  }
  return *this;
}

Query& Query::BindText(std::string_view text) {
  if (statement_ != nullptr) {
    Bound(sqlite3_bind_text64(statement_, next_parameter_, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  return *this;
}

Query& Query::BindNull() {
  if (statement_ != nullptr) Bound(sqlite3_bind_null(statement_, next_parameter_));
  return *this;
}

bool Query::Next() {
  if (!status_.ok()) return false;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) status_ = db_.Failure(code);
  return false;
}

absl::Status Query::Run() {
  while (Next()) {
  }
  return status_;
}

std::string Query::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return size == 0 ? std::string() : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

}  // namespace ringback::store
