#include "core/runtime/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "core/base/check.h"

namespace ringback::runtime {
namespace {

// A signal handler can reach nothing but what is global.
std::atomic<int> stop_fd{-1};
struct sigaction old_term, old_int;

void Raise() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = write(stop_fd.load(), &one, sizeof one);  // async-signal-safe
}

void OnSignal(int) {
  const int saved = errno;
  Raise();
  errno = saved;
}

}  // namespace

StopSignal::StopSignal() {
  RB_CHECK(stop_fd.load() < 0);
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  RB_CHECK(stop_fd.load() >= 0);
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, &old_term);
  sigaction(SIGINT, &action, &old_int);
  std::signal(SIGPIPE, SIG_IGN);
}

StopSignal::~StopSignal() {
  sigaction(SIGTERM, &old_term, nullptr);
  sigaction(SIGINT, &old_int, nullptr);
  close(stop_fd.exchange(-1));
}

bool StopSignal::WaitFor(absl::Duration timeout) {
  pollfd waited{stop_fd.load(), POLLIN, 0};
  const int64_t ms = std::clamp<int64_t>(absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))), 0, 60'000);
  return poll(&waited, 1, static_cast<int>(ms)) > 0;
}

void StopSignal::Stop() { Raise(); }

}  // namespace ringback::runtime
