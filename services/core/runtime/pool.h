// Where blocking work runs: a fixed number of threads and a bounded queue. gRPC handlers and periodic work run here.
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/rpc/server.h"

namespace ringback::runtime {

class Pool : public rpc::Executor {
 public:
  Pool(int threads, size_t queue_max);
  ~Pool() override;  // drains

  bool Submit(std::function<void()> work) override;
  // Refuses new work, runs what is queued, returns when all threads have ended. Idempotent; one caller at a time.
  void Drain();

 private:
  void Run();
  // Whether to wake one thread, without the lock that it needs: when there is work for it, but never a second one before the
  // first has come. In a burst of calls those that are awake take most of the work, and each wake-up costs as much as a
  // small call.
  bool MayWake() RB_REQUIRES(mutex_);

  const size_t queue_max_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ RB_GUARDED_BY(mutex_);
  int waiting_ RB_GUARDED_BY(mutex_) = 0;  // threads without work
  bool waking_ RB_GUARDED_BY(mutex_) = false;
  bool draining_ RB_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace ringback::runtime
