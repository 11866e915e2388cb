// The parent's side: runs a risky parser in child programs, a job at a time each, and survives whatever they do.
// What a job means is the caller's business; the child's side is serve.h.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/sandbox/limits.h"
#include "core/sandbox/serve.h"

namespace ringback::sandbox {

struct PoolOptions {
  std::string program;            // Path of a program that calls ServeSandboxed.
  std::vector<std::string> args;  // After the program's name.
  Limits limits;
  int children_max = 1;           // Jobs that run at the same time.
  int jobs_per_child = 200;       // Then the child is replaced, so that a slow leak never matters.
  // A child without work for this long is stopped and its memory given back; the next job starts another.
  absl::Duration idle_timeout = absl::Seconds(60);
};

// Thread-safe. Children start with the first job that needs them. The destructor stops them; no Run may be in progress.
class ChildPool {
 public:
  explicit ChildPool(PoolOptions options);
  ~ChildPool();
  ChildPool(const ChildPool&) = delete;
  ChildPool& operator=(const ChildPool&) = delete;

  // Sends the parts, joined, as one request and returns the response. Blocks up to `timeout`, waiting for a free child
  // included. A child that fails is killed and the next job gets a new one; the job itself is never run twice.
  //   DEADLINE_EXCEEDED   the child took the job and did not answer within `timeout`
  //   RESOURCE_EXHAUSTED  memory or CPU limit reached
  //   INTERNAL            "child crashed: signal 11", exit without answer, or a malformed answer
  //   UNAVAILABLE         the program does not start, no child was free in time, or somebody else ended the child
  //                       (a kill, the kernel short of memory): not the request's fault
  absl::StatusOr<std::string> Run(std::initializer_list<std::string_view> request, absl::Duration timeout);

  // Process ids of the children now alive. For metrics and tests.
  std::vector<int> Pids() const;

 private:
  struct Child;
  struct SpawnOrder;

  absl::StatusOr<std::unique_ptr<Child>> Acquire(absl::Duration steady_deadline);
  absl::StatusOr<std::unique_ptr<Child>> SpawnOnKeeper() RB_REQUIRES(mutex_);
  void Return(std::unique_ptr<Child> child, bool healthy);
  void Keeper();

  const PoolOptions options_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<Child>> idle_ RB_GUARDED_BY(mutex_);  // Most recently used last.
  std::vector<int> pids_ RB_GUARDED_BY(mutex_);
  std::vector<SpawnOrder*> orders_ RB_GUARDED_BY(mutex_);
  int alive_ RB_GUARDED_BY(mutex_) = 0;  // Idle, busy and being started.
  bool stopping_ RB_GUARDED_BY(mutex_) = false;
  // Starts the children and stops idle ones. The kernel ties PR_SET_PDEATHSIG to the thread that started the child,
  // so that thread has to live as long as the pool. Started with the first job.
  std::thread keeper_ RB_GUARDED_BY(mutex_);
};

// Where a child's program is installed: `name` in the folder of the running program.
std::string BesideThisProgram(const std::string& name);

// One job in a forked copy of this process under the same limits, for a command-line program. The calling process must
// have one thread. Errors as ChildPool::Run.
absl::StatusOr<std::string> RunForked(const Handler& handler, const std::function<void()>& warm_up,
                                      const Limits& limits, std::string_view request, absl::Duration timeout);

}  // namespace ringback::sandbox
