#include "core/store/redis_pool.h"

#include <algorithm>

#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShutMin{100};
constexpr milliseconds kShutMax{1000};

}  // namespace

absl::StatusOr<RedisPool::Loan> RedisPool::Borrow(Steady::time_point deadline) {
  std::unique_ptr<RedisConnection> connection;
  uint64_t generation = 0;
  {
    MutexLock lock(&mutex_);
    while (true) {
      while (!free_.empty() && connection == nullptr) {
        connection = std::move(free_.back());
        free_.pop_back();
        if (connection->generation == generation_ && !connection->Stale()) break;
        connection.reset();
        --open_;
      }
      if (connection != nullptr) break;
      if (failures_ > 0 && (probing_ || Steady::now() < shut_until_)) return last_failure_;
      if (open_ < options_.connections_max) break;
      const auto left = deadline - Steady::now();
      if (left <= Steady::duration::zero()) return absl::UnavailableError("all connections to Redis are busy");
      returned_.WaitFor(&mutex_, left);
    }
    if (connection == nullptr) {
      ++open_;
      probing_ = failures_ > 0;
      generation = generation_;
    }
  }
  if (connection != nullptr) {
    Loan loan(this, std::move(connection));
    const absl::Status master = loan->StillMaster(deadline);
    if (master.ok()) return loan;
    loan.Distrust();
    return master;
  }
  absl::StatusOr<std::unique_ptr<RedisConnection>> opened = Open(deadline);
  MutexLock lock(&mutex_);
  probing_ = false;
  if (opened.ok()) {
    failures_ = 0;
    (*opened)->generation = generation;
    return Loan(this, *std::move(opened));
  }
  --open_;
  last_failure_ = opened.status();
  shut_until_ = Steady::now() + std::min(kShutMax, kShutMin * (1 << std::min(failures_, 5)));
  ++failures_;
  returned_.NotifyAll();
  return opened.status();
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisPool::Open(Steady::time_point deadline) {
  if (!options_.sentinels.has_value()) return RedisConnection::Open(options_, deadline);
  RedisOptions found = options_;
  RB_ASSIGN_OR_RETURN(std::tie(found.host, found.port), sentinel_.FindMaster(deadline));
  return RedisConnection::Open(found, deadline);
}

void RedisPool::GiveUp(const RedisConnection& connection) {
  --open_;
  // Of many that broke together the first one says it for all.
  if (connection.generation != generation_) return;
  ++generation_;
  open_ -= static_cast<int>(free_.size());
  free_.clear();
}

void RedisPool::Return(std::unique_ptr<RedisConnection> connection, bool sound) {
  MutexLock lock(&mutex_);
  if (!sound || connection->broken()) {
    GiveUp(*connection);
  } else if (connection->generation != generation_) {
    --open_;
  } else {
    free_.push_back(std::move(connection));
  }
  returned_.NotifyOne();
}

}  // namespace ringback::store
