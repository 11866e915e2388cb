// hiredis behind a connection, its replies and a pool. Redis's errors become absl::Status here and nowhere else; what
// the commands mean is said in redis_store and redis_scripts.
#pragma once

#include <hiredis/hiredis.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"
#include "core/store/redis_scripts.h"
#include "core/store/redis_store.h"

namespace ringback::store {

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;
using Command = std::vector<std::string>;

// Reading a reply. A reply of another type than asked for reads as "" or 0.
std::string TextOf(const redisReply& reply);
int64_t IntOf(const redisReply& reply);  // an integer, or a number as text
// The error of an error reply, as the contract wants it; OK for any other.
absl::Status ErrorOf(const redisReply& reply);

// One connection, signed in, with the scripts loaded. One thread at a time.
class RedisConnection {
 public:
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisOptions& options);

  // Sends all commands at once and reads their replies, in order. A reply may be an error (ErrorOf). UNAVAILABLE: the
  // connection broke, the outcome is unknown, and the connection is of no more use.
  absl::StatusOr<std::vector<Reply>> Send(const std::vector<Command>& commands);

  // A script on one shard; `base` is its KEYS[1].
  struct Call {
    Script script;
    std::string base;
    std::vector<std::string> arguments;
  };
  // The same for scripts; loads them again should Redis have forgotten them.
  absl::StatusOr<std::vector<Reply>> Run(const std::vector<Call>& calls);

  bool broken() const { return context_->err != 0; }
  // Whether the idle connection has been closed by the other side.
  bool Stale() const;

 private:
  struct ContextDeleter {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  explicit RedisConnection(redisContext* context) : context_(context) {}
  absl::Status Failure() const;

  const std::unique_ptr<redisContext, ContextDeleter> context_;
  std::array<std::string, kScripts> hashes_;  // as SCRIPT LOAD named them
};

// Thread-safe. Opens connections as they are needed, keeps the sound ones, drops the others.
class RedisPool {
 public:
  class Loan {
   public:
    Loan(RedisPool* pool, std::unique_ptr<RedisConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Loan(Loan&&) = default;
    ~Loan() {
      if (connection_ != nullptr) pool_->Return(std::move(connection_));
    }
    RedisConnection* operator->() const { return connection_.get(); }

   private:
    RedisPool* pool_;
    std::unique_ptr<RedisConnection> connection_;
  };

  explicit RedisPool(RedisOptions options) : options_(std::move(options)) {}

  // UNAVAILABLE when Redis is away, or no connection came free in time.
  absl::StatusOr<Loan> Borrow();

 private:
  void Return(std::unique_ptr<RedisConnection> connection);

  const RedisOptions options_;
  Mutex mutex_;
  CondVar returned_;
  std::vector<std::unique_ptr<RedisConnection>> free_ RB_GUARDED_BY(mutex_);
  int open_ RB_GUARDED_BY(mutex_) = 0;
};

}  // namespace ringback::store
