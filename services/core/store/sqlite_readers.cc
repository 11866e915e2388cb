#include "core/store/sqlite_readers.h"

#include <utility>

#include "core/store/sqlite_schema.h"

namespace ringback::store {

SqliteReaders::SqliteReaders(std::string path, std::chrono::milliseconds busy_timeout, int max)
    : path_(std::move(path)), busy_timeout_(busy_timeout), max_(max) {}

absl::StatusOr<SqliteReaders::Loan> SqliteReaders::Borrow() {
  {
    MutexLock lock(&mutex_);
    while (free_.empty() && open_ >= max_) {
      if (!returned_.WaitFor(&mutex_, busy_timeout_) && free_.empty() && open_ >= max_) {
        return absl::UnavailableError("all connections to the database are busy");
      }
    }
    if (!free_.empty()) {
      std::unique_ptr<SqliteDb> db = std::move(free_.back());
      free_.pop_back();
      return Loan(this, std::move(db));
    }
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<SqliteDb>> db = OpenReader(path_, busy_timeout_);
  if (db.ok()) return Loan(this, *std::move(db));
  MutexLock lock(&mutex_);
  --open_;
  returned_.NotifyOne();
  return db.status();
}

void SqliteReaders::Return(std::unique_ptr<SqliteDb> db) {
  MutexLock lock(&mutex_);
  free_.push_back(std::move(db));
  returned_.NotifyOne();
}

}  // namespace ringback::store
