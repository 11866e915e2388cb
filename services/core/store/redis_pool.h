// The connections to the master: found (through sentinels where there are any), opened, kept, given up. What goes over
// them is the committer's and the store's.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/store/redis_connection.h"
#include "core/store/redis_sentinel.h"

namespace ringback::store {

// Thread-safe. Opens connections as they are needed, keeps the sound ones, drops the others. A broken connection, or one
// whose server is no master any more, takes all that are as old as itself along: the next ones find the master anew.
class RedisPool {
 public:
  class Loan {
   public:
    Loan(RedisPool* pool, std::unique_ptr<RedisConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Loan(Loan&&) = default;
    ~Loan() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_), sound_);
    }
    RedisConnection* operator->() const { return connection_.get(); }
    // What the server answered shows that another one is to be asked.
    void Distrust() { sound_ = false; }

   private:
    RedisPool* pool_;
    std::unique_ptr<RedisConnection> connection_;
    bool sound_ = true;
  };

  explicit RedisPool(RedisOptions options) : options_(std::move(options)), sentinel_(options_) {}

  // UNAVAILABLE when Redis is away, or no connection came free in time. After a failure everybody is refused at once for
  // 0.1 s, then longer, at most 1 s, while one caller tries: nobody else waits for what is not there.
  absl::StatusOr<Loan> Borrow(Steady::time_point deadline);

 private:
  absl::StatusOr<std::unique_ptr<RedisConnection>> Open(Steady::time_point deadline);
  void Return(std::unique_ptr<RedisConnection> connection, bool sound);
  void GiveUp(const RedisConnection& connection) RB_REQUIRES(mutex_);

  const RedisOptions options_;
  RedisSentinel sentinel_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<RedisConnection>> free_ RB_GUARDED_BY(mutex_);
  int open_ RB_GUARDED_BY(mutex_) = 0;
  uint64_t generation_ RB_GUARDED_BY(mutex_) = 0;
  int failures_ RB_GUARDED_BY(mutex_) = 0;  // in a row
  bool probing_ RB_GUARDED_BY(mutex_) = false;
  Steady::time_point shut_until_ RB_GUARDED_BY(mutex_){};
  absl::Status last_failure_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback::store
