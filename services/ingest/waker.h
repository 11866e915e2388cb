// Wakes those who wait for a team's changes without holding a thread each: one thread, woken by nudges and the clock.
// What a woken one does is its own business; this knows no store.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include "core/base/mutex.h"
#include "core/handoff/signals.h"

namespace ringback::ingest {

// Thread-safe.
class Waker {
 public:
  Waker(handoff::Signals& signals, int waiters_max) : signals_(signals), waiters_max_(waiters_max) {}
  ~Waker() { Drain(); }
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  void Start();
  // Wakes everybody who waits; Arm refuses from then on. Returns when the last was woken.
  void Drain();
  bool draining();

  // The topic's count of nudges: take it before looking at the store, hand it to Arm, and none between is missed.
  uint64_t Seen(const std::string& topic) { return signals_.Seen(topic); }
  // Calls `wake` once, on the waker's thread: when the topic is nudged beyond `seen`, after `at_most`, by Fire, or when
  // draining. `wake` must not block. Returns a handle, or 0 (and never calls `wake`) when draining or when too many wait.
  uint64_t Arm(const std::string& topic, uint64_t seen, std::chrono::milliseconds at_most, std::function<void()> wake);
  // Wakes one early; nothing happens when it was woken already.
  void Fire(uint64_t handle);

 private:
  struct Waiter {
    std::string topic;
    std::chrono::steady_clock::time_point deadline;
    bool ready = false;
    std::function<void()> wake;
  };

  void Run();
  void Nudged(const std::string& topic);

  handoff::Signals& signals_;
  const size_t waiters_max_;
  Mutex mutex_;
  CondVar changed_;
  std::map<uint64_t, Waiter> waiters_ RB_GUARDED_BY(mutex_);
  bool any_ready_ RB_GUARDED_BY(mutex_) = false;
  uint64_t last_handle_ RB_GUARDED_BY(mutex_) = 0;
  bool started_ RB_GUARDED_BY(mutex_) = false;
  bool draining_ RB_GUARDED_BY(mutex_) = false;
  uint64_t subscription_ = 0;  // set by Start, used by Drain
  std::thread thread_;         // the same
};

}  // namespace ringback::ingest
