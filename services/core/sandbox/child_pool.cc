#include "core/sandbox/child_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/sandbox/frame.h"

extern char** environ;

namespace ringback::sandbox {
namespace {

absl::Duration CpuUsed(pid_t pid) {
  clockid_t clock;
  timespec used;
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return absl::ZeroDuration();
  return absl::DurationFromTimespec(used);
}

// What a program does to itself; any other signal comes from somebody else: an operator, a service manager that stops
// the whole group, the kernel short of memory.
bool IsCrash(int signal) {
  for (const int own : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP}) {
    if (signal == own) return true;
  }
  return false;
}

// Never waits for a child that is alive: kills first.
absl::Status KillAndExplain(pid_t pid, const absl::Status& why) {
  int state = 0;
  pid_t reaped = 0;
  if (absl::IsUnavailable(why)) {
    // The socket closed, so the child is on its way out; its own exit says more than our SIGKILL would.
    for (int tries = 0; reaped == 0 && tries < 200; ++tries) {
      reaped = waitpid(pid, &state, WNOHANG);
      if (reaped == 0) {
        const timespec pause{0, 1'000'000};
        nanosleep(&pause, nullptr);
      }
    }
  }
  if (reaped == 0) {
    kill(pid, SIGKILL);
    while (waitpid(pid, &state, 0) < 0 && errno == EINTR) {
    }
    if (absl::IsDeadlineExceeded(why)) return why;
    return absl::InternalError(absl::StrCat("child misbehaved: ", why.message()));
  }
  if (WIFSIGNALED(state)) {
    if (WTERMSIG(state) == SIGXCPU) return absl::ResourceExhaustedError("child used up its CPU time");
    if (IsCrash(WTERMSIG(state))) return absl::InternalError(absl::StrCat("child crashed: signal ", WTERMSIG(state)));
    return absl::UnavailableError(absl::StrCat("child was ended from outside: signal ", WTERMSIG(state)));
  }
  const int code = WEXITSTATUS(state);
  if (code == kExitOutOfMemory) return absl::ResourceExhaustedError("child reached its memory limit");
  if (code == kExitFilterRefused) return absl::UnavailableError("the kernel refused the child's system call filter");
  if (code == 127) return absl::UnavailableError("the child program cannot be started");
  return absl::InternalError(absl::StrCat("child exited with code ", code));
}

void AllowCpu(pid_t pid, absl::Duration more) {
  const auto seconds = static_cast<rlim_t>(absl::ToInt64Seconds(absl::Ceil(CpuUsed(pid) + more, absl::Seconds(1))));
  rlimit limit;
  if (prlimit(pid, RLIMIT_CPU, nullptr, &limit) != 0) return;
  limit.rlim_cur = std::min(seconds, limit.rlim_max);
  prlimit(pid, RLIMIT_CPU, &limit, nullptr);
}

absl::Status Greet(int fd, const Limits& limits) {
  Hello hello;
  hello.parent_pid = getpid();
  hello.memory_bytes = limits.memory_bytes;
  hello.response_bytes_max = limits.response_bytes_max;
  hello.cpu_per_job_s = absl::ToInt64Seconds(limits.cpu_per_job);
  const absl::Duration deadline = MonotonicNow() + limits.start_timeout;
  RB_RETURN_IF_ERROR(SendFrame(fd, {{reinterpret_cast<const char*>(&hello), sizeof hello}}, deadline));
  return ReceiveFrame(fd, 0, deadline).status();
}

// A child that fails before its first job has run nothing, whatever the reason.
absl::Status StartFailure(const std::string& program, const absl::Status& why) {
  return absl::UnavailableError(absl::StrCat(program, " does not start: ", why.message()));
}

}  // namespace

struct ChildPool::Child {
  pid_t pid = 0;
  int fd = -1;
  int jobs = 0;
  absl::Duration idle_since;
};

struct ChildPool::SpawnOrder {
  bool done = false;
  absl::StatusOr<std::unique_ptr<Child>> result = absl::UnavailableError("not started");
};

ChildPool::ChildPool(PoolOptions options) : options_(std::move(options)) { RB_CHECK(options_.children_max > 0); }

ChildPool::~ChildPool() {
  std::thread keeper;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    keeper = std::move(keeper_);
  }
  changed_.NotifyAll();
  if (keeper.joinable()) keeper.join();
}

absl::StatusOr<std::string> ChildPool::Run(std::initializer_list<std::string_view> request, absl::Duration timeout) {
  const absl::Duration deadline = MonotonicNow() + timeout;
  RB_ASSIGN_OR_RETURN(std::unique_ptr<Child> child, Acquire(deadline));
  AllowCpu(child->pid, options_.limits.cpu_per_job);
  absl::Status sent = SendFrame(child->fd, request, deadline);
  if (!sent.ok()) {
    const absl::Status why = KillAndExplain(child->pid, sent);
    Return(std::move(child), false);
    return why;
  }
  auto response = ReceiveFrame(child->fd, options_.limits.response_bytes_max, deadline);
  if (!response.ok()) {
    const absl::Status why = KillAndExplain(child->pid, response.status());
    Return(std::move(child), false);
    return why;
  }
  ++child->jobs;
  const bool worn_out = child->jobs >= options_.jobs_per_child;
  if (worn_out) (void)KillAndExplain(child->pid, absl::OkStatus());
  Return(std::move(child), !worn_out);
  return response;
}

absl::StatusOr<std::unique_ptr<ChildPool::Child>> ChildPool::Acquire(absl::Duration steady_deadline) {
  MutexLock lock(&mutex_);
  for (;;) {
    while (!idle_.empty()) {
      std::unique_ptr<Child> child = std::move(idle_.back());
      idle_.pop_back();
      int state;
      if (waitpid(child->pid, &state, WNOHANG) == 0) return child;
      // It died with no job: no job is lost, take another.
      close(child->fd);
      std::erase(pids_, child->pid);
      --alive_;
    }
    if (alive_ < options_.children_max) {
      ++alive_;
      auto child = SpawnOnKeeper();
      if (!child.ok()) {
        --alive_;
        changed_.NotifyAll();
      } else {
        pids_.push_back((*child)->pid);
      }
      return child;
    }
    const absl::Duration left = steady_deadline - MonotonicNow();
    if (left <= absl::ZeroDuration()) return absl::UnavailableError("no free child in time");
    changed_.WaitFor(&mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
  }
}

// Holds mutex_ on entry and exit; waiting lets it go. The order lives on this stack, so this waits for the keeper, whose
// work is bounded by start_timeout.
absl::StatusOr<std::unique_ptr<ChildPool::Child>> ChildPool::SpawnOnKeeper() {
  if (!keeper_.joinable()) keeper_ = std::thread([this] { Keeper(); });
  SpawnOrder order;
  orders_.push_back(&order);
  changed_.NotifyAll();
  while (!order.done) changed_.Wait(&mutex_);
  return std::move(order.result);
}

void ChildPool::Return(std::unique_ptr<Child> child, bool healthy) {
  {
    MutexLock lock(&mutex_);
    if (healthy) {
      child->idle_since = MonotonicNow();
      idle_.push_back(std::move(child));
    } else {
      close(child->fd);
      std::erase(pids_, child->pid);
      --alive_;
    }
  }
  changed_.NotifyAll();
}

namespace {

absl::StatusOr<std::pair<pid_t, int>> Spawn(const PoolOptions& options) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return absl::ErrnoToStatus(errno, "socketpair");
  // Larger buffers: a recording goes over in few system calls.
  const int buffer_bytes = 1 << 20;
  for (int end : ends) setsockopt(end, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);

  std::vector<char*> argv{const_cast<char*>(options.program.c_str())};
  for (const std::string& arg : options.args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // dup2 onto itself would keep close-on-exec, so the socket goes through a number of its own.
  const int moved = fcntl(ends[1], F_DUPFD_CLOEXEC, 64);
  posix_spawn_file_actions_adddup2(&actions, moved, kChildSocket);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A group of its own: Ctrl-C at the terminal is for the parent, which finishes the job first.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, options.program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  // From here on only the child holds its end, so its death is an end of file.
  close(moved);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return StartFailure(options.program, absl::ErrnoToStatus(error, "posix_spawn"));
  }
  if (absl::Status greeted = Greet(ends[0], options.limits); !greeted.ok()) {
    const absl::Status why = KillAndExplain(pid, greeted);
    close(ends[0]);
    return StartFailure(options.program, why);
  }
  return std::make_pair(pid, ends[0]);
}

}  // namespace

void ChildPool::Keeper() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    if (!orders_.empty()) {
      SpawnOrder* order = orders_.front();
      orders_.erase(orders_.begin());
      mutex_.Unlock();
      auto spawned = Spawn(options_);
      mutex_.Lock();
      if (spawned.ok()) {
        order->result = std::make_unique<Child>(Child{spawned->first, spawned->second});
      } else {
        order->result = spawned.status();
      }
      order->done = true;
      changed_.NotifyAll();
      continue;
    }
    if (idle_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const absl::Duration left = idle_.front()->idle_since + options_.idle_timeout - MonotonicNow();
    if (left > absl::ZeroDuration()) {
      changed_.WaitFor(&mutex_, absl::ToChronoMilliseconds(std::min(left, absl::Hours(1)) + absl::Milliseconds(1)));
      continue;
    }
    std::unique_ptr<Child> child = std::move(idle_.front());
    idle_.erase(idle_.begin());
    (void)KillAndExplain(child->pid, absl::OkStatus());
    close(child->fd);
    std::erase(pids_, child->pid);
    --alive_;
    changed_.NotifyAll();
  }
  for (std::unique_ptr<Child>& child : idle_) {
    (void)KillAndExplain(child->pid, absl::OkStatus());
    close(child->fd);
  }
  idle_.clear();
  pids_.clear();
}

std::vector<int> ChildPool::Pids() const {
  MutexLock lock(&mutex_);
  return pids_;
}

std::string BesideThisProgram(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? name : (self.parent_path() / name).string();
}

absl::StatusOr<std::string> RunForked(const Handler& handler, const std::function<void()>& warm_up,
                                      const Limits& limits, std::string_view request, absl::Duration timeout) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return absl::ErrnoToStatus(errno, "socketpair");
  const pid_t pid = fork();
  if (pid < 0) return absl::ErrnoToStatus(errno, "fork");
  if (pid == 0) ServeSandboxed(handler, warm_up, ends[1]);
  close(ends[1]);
  absl::Cleanup close_end = [&] { close(ends[0]); };
  const absl::Duration deadline = MonotonicNow() + timeout;
  // The copy of this process holds the request once already, unused.
  Limits forked = limits;
  forked.memory_bytes += request.size();
  if (absl::Status greeted = Greet(ends[0], forked); !greeted.ok()) return KillAndExplain(pid, greeted);
  AllowCpu(pid, limits.cpu_per_job);
  if (absl::Status sent = SendFrame(ends[0], {request}, deadline); !sent.ok()) return KillAndExplain(pid, sent);
  auto response = ReceiveFrame(ends[0], limits.response_bytes_max, deadline);
  if (!response.ok()) return KillAndExplain(pid, response.status());
  (void)KillAndExplain(pid, absl::OkStatus());
  return response;
}

}  // namespace ringback::sandbox
