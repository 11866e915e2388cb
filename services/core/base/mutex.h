// std::mutex with Clang's thread annotations. abseil's Mutex, as Debian builds it, gives false ThreadSanitizer
// reports on correct code, so the project locks with this one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define RB_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define RB_THREAD_ANNOTATION(x)
#endif
#define RB_CAPABILITY RB_THREAD_ANNOTATION(capability("mutex"))
#define RB_SCOPED_CAPABILITY RB_THREAD_ANNOTATION(scoped_lockable)
#define RB_GUARDED_BY(x) RB_THREAD_ANNOTATION(guarded_by(x))
#define RB_REQUIRES(...) RB_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define RB_ACQUIRE(...) RB_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RB_RELEASE(...) RB_THREAD_ANNOTATION(release_capability(__VA_ARGS__))

namespace ringback {

class RB_CAPABILITY Mutex {
 public:
  void Lock() RB_ACQUIRE() { mutex_.lock(); }
  void Unlock() RB_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class RB_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) RB_ACQUIRE(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() RB_RELEASE() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// Waits with a Mutex held by the caller; wakes may be spurious, so callers loop on their condition.
class CondVar {
 public:
  void Wait(Mutex* mutex) RB_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when `timeout` passed without a wake.
  template <typename Rep, typename Period>
  bool WaitFor(Mutex* mutex, std::chrono::duration<Rep, Period> timeout) RB_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace ringback
