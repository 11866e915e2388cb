#include "core/runtime/pool.h"

#include <utility>

namespace ringback::runtime {

Pool::Pool(int threads, size_t queue_max) : queue_max_(queue_max) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Pool::~Pool() { Drain(); }

bool Pool::Submit(std::function<void()> work) {
  bool wake = false;
  {
    MutexLock lock(&mutex_);
    if (draining_ || queue_.size() >= queue_max_) return false;
    queue_.push_back(std::move(work));
    wake = MayWake();
  }
  if (wake) wake_.NotifyOne();
  return true;
}

void Pool::Drain() {
  {
    MutexLock lock(&mutex_);
    draining_ = true;
    wake_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool Pool::MayWake() {
  if (queue_.empty() || waking_ || waiting_ == 0) return false;
  waking_ = true;
  return true;
}

void Pool::Run() {
  for (;;) {
    std::function<void()> work;
    bool wake = false;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !draining_) {
        ++waiting_;
        wake_.Wait(&mutex_);
        --waiting_;
        waking_ = false;
      }
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
      wake = MayWake();
    }
    if (wake) wake_.NotifyOne();
    work();
  }
}

}  // namespace ringback::runtime
