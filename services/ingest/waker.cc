#include "ingest/waker.h"

#include <utility>
#include <vector>

namespace ringback::ingest {

void Waker::Start() {
  {
    MutexLock lock(&mutex_);
    if (started_ || draining_) return;
    started_ = true;
  }
  subscription_ = signals_.Subscribe("changes/", [this](const std::string& topic) { Nudged(topic); });
  thread_ = std::thread([this] { Run(); });
}

void Waker::Drain() {
  bool started = false;
  {
    MutexLock lock(&mutex_);
    if (draining_) return;
    draining_ = true;
    started = started_;
    changed_.NotifyAll();
  }
  if (!started) return;
  signals_.Unsubscribe(subscription_);
  thread_.join();
}

bool Waker::draining() {
  MutexLock lock(&mutex_);
  return draining_;
}

uint64_t Waker::Arm(const std::string& topic, uint64_t seen, std::chrono::milliseconds at_most,
                    std::function<void()> wake) {
  uint64_t handle = 0;
  {
    MutexLock lock(&mutex_);
    if (draining_ || waiters_.size() >= waiters_max_) return 0;
    handle = ++last_handle_;
    waiters_.emplace(handle, Waiter{topic, std::chrono::steady_clock::now() + at_most, false, std::move(wake)});
    changed_.NotifyAll();
  }
  // A nudge that came between the caller's look and the line above found nobody: it shows in the count.
  if (signals_.Seen(topic) != seen) Fire(handle);
  return handle;
}

void Waker::Fire(uint64_t handle) {
  MutexLock lock(&mutex_);
  const auto found = waiters_.find(handle);
  if (found == waiters_.end()) return;
  found->second.ready = true;
  any_ready_ = true;
  changed_.NotifyAll();
}

void Waker::Nudged(const std::string& topic) {
  MutexLock lock(&mutex_);
  for (auto& [handle, waiter] : waiters_) {
    if (waiter.topic != topic) continue;
    waiter.ready = true;
    any_ready_ = true;
  }
  if (any_ready_) changed_.NotifyAll();
}

void Waker::Run() {
  for (;;) {
    std::vector<std::function<void()>> woken;
    bool last_round = false;
    {
      MutexLock lock(&mutex_);
      const auto now = std::chrono::steady_clock::now();
      auto next = now + std::chrono::hours(1);
      for (auto it = waiters_.begin(); it != waiters_.end();) {
        if (draining_ || it->second.ready || it->second.deadline <= now) {
          woken.push_back(std::move(it->second.wake));
          it = waiters_.erase(it);
        } else {
          next = std::min(next, it->second.deadline);
          ++it;
        }
      }
      any_ready_ = false;
      last_round = draining_;
      if (woken.empty() && !last_round) {
        changed_.WaitFor(&mutex_, next - now);
        continue;
      }
    }
    for (const auto& wake : woken) wake();
    if (last_round) return;
  }
}

}  // namespace ringback::ingest
