// The pool of connections that read. Nothing about what they read.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/store/sqlite_db.h"

namespace ringback::store {

// Thread-safe. Opens connections as they are needed, up to `max`, and keeps them.
class SqliteReaders {
 public:
  // A connection on loan; gives it back when it goes.
  class Loan {
   public:
    Loan(SqliteReaders* pool, std::unique_ptr<SqliteDb> db) : pool_(pool), db_(std::move(db)) {}
    Loan(Loan&&) = default;
    ~Loan() {
      if (db_ != nullptr) pool_->Return(std::move(db_));
    }
    SqliteDb& operator*() const { return *db_; }

   private:
    SqliteReaders* pool_;
    std::unique_ptr<SqliteDb> db_;
  };

  SqliteReaders(std::string path, std::chrono::milliseconds busy_timeout, int max);

  // UNAVAILABLE when no connection came free within the busy timeout.
  absl::StatusOr<Loan> Borrow();

 private:
  void Return(std::unique_ptr<SqliteDb> db);

  const std::string path_;
  const std::chrono::milliseconds busy_timeout_;
  const int max_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<SqliteDb>> free_ RB_GUARDED_BY(mutex_);
  int open_ RB_GUARDED_BY(mutex_) = 0;
};

}  // namespace ringback::store
