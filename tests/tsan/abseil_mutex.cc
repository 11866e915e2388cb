// For ThreadSanitizer builds only, linked into every program: tells ThreadSanitizer what abseil's locks order.
// Debian's gRPC locks with absl::Mutex, which is built uninstrumented on futexes, so ThreadSanitizer sees neither lock
// nor unlock and takes correct hand-overs through gRPC for races. The definitions here stand before the library's for
// the dynamic linker; each does the library's own work and reports it. Only what gRPC calls is here (nm -D libgrpc.so).
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <string>

#include "absl/base/config.h"
#include "absl/synchronization/mutex.h"

namespace {

// The library's own function: "NN4Name" as it is mangled between namespace and argument types.
void* Real(const char* name) {
#if ABSL_OPTION_USE_INLINE_NAMESPACE == 1
#define RB_TEXT_OF(x) #x
#define RB_TEXT(x) RB_TEXT_OF(x)
  constexpr char kInline[] = RB_TEXT(ABSL_OPTION_INLINE_NAMESPACE_NAME);
  const std::string in = std::to_string(sizeof kInline - 1) + kInline;
#else
  const std::string in;
#endif
  std::string mangled = std::string("_ZN4absl") + in + name;
  // A second mention of the namespace is a back reference where the compiler saw one.
  void* const found = dlsym(RTLD_NEXT, mangled.c_str());
  if (found == nullptr) __builtin_trap();
  return found;
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  static const auto real = reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex4LockEv"));
  real(this);
  __tsan_acquire(this);
}

bool Mutex::TryLock() {
  static const auto real = reinterpret_cast<bool (*)(Mutex*)>(Real("5Mutex7TryLockEv"));
  const bool locked = real(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::Unlock() {
  static const auto real = reinterpret_cast<void (*)(Mutex*)>(Real("5Mutex6UnlockEv"));
  __tsan_release(this);
  real(this);
}

void CondVar::Wait(Mutex* mutex) {
  static const auto real = reinterpret_cast<void (*)(CondVar*, Mutex*)>(Real("7CondVar4WaitEPNS0_5MutexE"));
  __tsan_release(mutex);
  real(this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static const auto real = reinterpret_cast<bool (*)(CondVar*, Mutex*, Duration)>(
      Real("7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE"));
  __tsan_release(mutex);
  const bool timed_out = real(this, mutex, timeout);
  __tsan_acquire(mutex);
  return timed_out;
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const auto real = reinterpret_cast<bool (*)(CondVar*, Mutex*, Time)>(
      Real("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE"));
  __tsan_release(mutex);
  const bool timed_out = real(this, mutex, deadline);
  __tsan_acquire(mutex);
  return timed_out;
}

ABSL_NAMESPACE_END
}  // namespace absl
