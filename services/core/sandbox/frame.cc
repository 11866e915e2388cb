#include "core/sandbox/frame.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::sandbox {
namespace {

absl::Status WaitFor(int fd, short events, absl::Duration steady_deadline) {
  for (;;) {
    int timeout_ms = -1;
    if (steady_deadline < absl::InfiniteDuration()) {
      const absl::Duration left = steady_deadline - MonotonicNow();
      if (left <= absl::ZeroDuration()) return absl::DeadlineExceededError("the child did not answer in time");
      timeout_ms = static_cast<int>(std::min<int64_t>(absl::ToInt64Milliseconds(left) + 1, 1 << 30));
    }
    pollfd entry{fd, events, 0};
    const int ready = poll(&entry, 1, timeout_ms);
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
  }
}

// write() and read() rather than sendmsg and recvmsg: the child's system call filter knows only these. The parent
// sets the socket non-blocking and ignores SIGPIPE through MSG_NOSIGNAL, which needs send().
absl::Status WriteAll(int fd, std::string_view bytes, absl::Duration steady_deadline) {
  while (!bytes.empty()) {
    const ssize_t n = steady_deadline == absl::InfiniteDuration()
                          ? write(fd, bytes.data(), bytes.size())
                          : send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (n < 0 && errno == EAGAIN) {
      RB_RETURN_IF_ERROR(WaitFor(fd, POLLOUT, steady_deadline));
    } else if (n < 0 && errno != EINTR) {
      return absl::UnavailableError(absl::StrCat("the other end is gone: ", strerror(errno)));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadAll(int fd, char* out, size_t size, absl::Duration steady_deadline) {
  while (size > 0) {
    if (steady_deadline < absl::InfiniteDuration()) RB_RETURN_IF_ERROR(WaitFor(fd, POLLIN, steady_deadline));
    const ssize_t n = read(fd, out, size);
    if (n > 0) {
      out += n;
      size -= static_cast<size_t>(n);
    } else if (n == 0) {
      return absl::UnavailableError("the other end closed");
    } else if (errno != EINTR && errno != EAGAIN) {
      return absl::UnavailableError(absl::StrCat("the other end is gone: ", strerror(errno)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SendFrame(int fd, std::initializer_list<std::string_view> parts, absl::Duration steady_deadline) {
  uint64_t size = 0;
  for (std::string_view part : parts) size += part.size();
  RB_RETURN_IF_ERROR(WriteAll(fd, {reinterpret_cast<const char*>(&size), sizeof size}, steady_deadline));
  for (std::string_view part : parts) RB_RETURN_IF_ERROR(WriteAll(fd, part, steady_deadline));
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReceiveFrame(int fd, uint64_t bytes_max, absl::Duration steady_deadline) {
  uint64_t size = 0;
  RB_RETURN_IF_ERROR(ReadAll(fd, reinterpret_cast<char*>(&size), sizeof size, steady_deadline));
  if (size > bytes_max) return absl::InvalidArgumentError(absl::StrCat("frame of ", size, " bytes is too long"));
  std::string frame;
  frame.resize(size);
  RB_RETURN_IF_ERROR(ReadAll(fd, frame.data(), size, steady_deadline));
  return frame;
}

absl::Duration MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

}  // namespace ringback::sandbox
