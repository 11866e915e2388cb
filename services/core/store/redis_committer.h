// The way of every write: what waits at the same moment goes to Redis as one transaction, so that it shares one fsync, one
// round trip and, with replicas, one WAIT whose answer is checked. There is no thread of its own: of the callers that
// wait, the first to find a free lane carries the group for all, so that a lone caller hands nothing over
// (as LevelDB's writers do it: https://github.com/google/leveldb, DBImpl::Write).
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/store/redis_connection.h"
#include "core/store/redis_pool.h"

namespace ringback::store {

struct RedisWrite {
  Script script;
  RedisCommand keys;       // for a commit its shard's base, which it may share with others
  RedisCommand arguments;  // those behind offset, assure and again
  // May be sent once more when its answer was lost.
  bool repeatable = true;
};
// What the script answered. UNAVAILABLE: the outcome is unknown, or it did not reach enough replicas.
using RedisAnswer = absl::StatusOr<std::vector<std::string>>;

class RedisCommitter {
 public:
  // All must outlive the committer.
  RedisCommitter(const RedisOptions& options, RedisPool* pool);

  // Answers in the order of the writes; each succeeds or fails on its own. The commits of one call to one shard are
  // carried out in their order. Thread-safe.
  std::vector<RedisAnswer> Run(std::vector<RedisWrite> writes);

 private:
  // A caller that waits; woken when all of its jobs are done, or when it is to carry a group.
  struct Caller {
    size_t pending = 0;
    CondVar wake;
  };
  struct Job {
    RedisWrite write;
    RedisAnswer answer;
    Caller* caller = nullptr;
  };
  using Group = std::vector<Job*>;
  // Jobs that go into one call of a script: commits, those of a shard together, or a single other write.
  struct Bundle {
    Script script;
    Group jobs;
  };
  static RedisCommand CallOf(const RedisConnection& connection, const Bundle& bundle, const RedisCommand& head);

  Group NextGroup() RB_REQUIRES(mutex_);
  void GiveUpWaiting(Caller& caller) RB_REQUIRES(mutex_);
  void Carry(Group group);
  // Once over one connection. Not OK: nothing is known of the group; LostMaster or a broken connection.
  absl::Status Try(RedisPool::Loan& loan, const Group& group, bool again, Steady::time_point deadline);
  enum class Way { kTogether, kOneByOne };  // as one transaction, or each for itself
  absl::Status Exchange(RedisPool::Loan& loan, const std::vector<Bundle>& bundles, bool again, Way way,
                        Steady::time_point deadline);

  const RedisOptions& options_;
  RedisPool& pool_;
  Mutex mutex_;
  std::deque<Job*> queue_ RB_GUARDED_BY(mutex_);
  int lanes_busy_ RB_GUARDED_BY(mutex_) = 0;
};

}  // namespace ringback::store
