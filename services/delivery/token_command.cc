// Runs the token command as a child in its own process group.
#include "delivery/token_command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"

extern char** environ;

namespace ringback::delivery {
namespace {

constexpr absl::Duration kKeep = absl::Minutes(5);  // providers give an hour; a revoked token is soon noticed
constexpr size_t kTokenBytesMax = 16 << 10;

// Reads until the end, `deadline` or too many bytes; false on the latter two.
bool ReadAll(int fd, absl::Time deadline, std::string* out) {
  char buffer[4096];
  while (out->size() <= kTokenBytesMax) {
    const int64_t left_ms = absl::ToInt64Milliseconds(deadline - absl::Now());
    if (left_ms <= 0) return false;
    pollfd ready{fd, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(left_ms)) < 0 && errno != EINTR) return false;
    if (ready.revents == 0) continue;
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n == 0) return true;
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) out->append(buffer, static_cast<size_t>(n));
  }
  return false;
}

absl::StatusOr<std::string> Run(const std::string& command, absl::Duration deadline) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::UnavailableError("the token command cannot be started");
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const char* argv[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t child = 0;
  const int error = posix_spawn(&child, "/bin/sh", &files, &attributes, const_cast<char**>(argv), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return absl::UnavailableError("the token command cannot be started");
  }
  std::string output;
  const bool ended = ReadAll(ends[0], absl::Now() + deadline, &output);
  close(ends[0]);
  if (!ended) kill(-child, SIGKILL);  // its whole group: a shell's children too
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return absl::UnavailableError("the token command did not end in time");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return absl::UnavailableError("the token command failed");
  return output;
}

}  // namespace

absl::StatusOr<std::string> TokenCommand::Get(absl::Duration deadline) {
  MutexLock lock(&mutex_);
  if (!token_.empty() && absl::Now() - taken_ < kKeep) return token_;
  RB_ASSIGN_OR_RETURN(const std::string output, Run(command_, std::min(deadline, absl::Seconds(10))));
  const std::string token(absl::StripAsciiWhitespace(output));
  const bool printable = std::all_of(token.begin(), token.end(), absl::ascii_isgraph);
  if (token.empty() || !printable) return absl::UnavailableError("the token command printed no token");
  token_ = token;
  taken_ = absl::Now();
  return token_;
}

void TokenCommand::Forget() {
  MutexLock lock(&mutex_);
  token_.clear();
}

}  // namespace ringback::delivery
