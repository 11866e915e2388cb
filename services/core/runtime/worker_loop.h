// The loop behind worker.h: looking, taking what is handed off, claiming, dispatching, keeping leases, draining.
// What happens to one claimed job is job_run.h's.
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/handoff/handoff.h"
#include "core/handoff/signals.h"
#include "core/runtime/due_job.h"
#include "core/runtime/job_run.h"
#include "core/runtime/metrics.h"
#include "core/runtime/worker.h"
#include "core/store/store.h"

namespace ringback::runtime {

// What a worker works with; everything outlives it.
struct WorkerParts {
  store::Store* store = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  handoff::Signals* signals = nullptr;
  Metrics* metrics = nullptr;
  handoff::Handoff* handoff = nullptr;  // nullptr: jobs are found by looking alone
};

// One loop thread, one that keeps the leases of what is held, and up to `slots` handler threads that start when there is
// work for them.
class WorkerLoop {
 public:
  WorkerLoop(WorkerOptions options, std::unique_ptr<JobHandler> handler, WorkerParts parts);
  // Drains and waits for running handlers however long they take.
  ~WorkerLoop();

  void Start();
  // Stops claiming and gives back what no handler has begun. Returns at once.
  void BeginDrain();
  // True when all handlers have ended in time. Else their entries have been given back (their commits will be ABORTED
  // as soon as somebody else claims them) and the handlers still run: the program should end without them.
  bool WaitDrained(absl::Duration timeout);

  // Sets the gauges of slots and credits. For any thread.
  void ReportSlots();

 private:
  using Steady = std::chrono::steady_clock;
  struct Held {
    store::Lease lease;             // as prolonged; guarded by mutex_
    absl::Duration length;          // of that lease, when it was taken or prolonged; guarded by mutex_
    std::shared_ptr<const std::string> payload;
    std::string traceparent;        // "": none came with it
    bool handed_off = false;
    Steady::time_point renew_at;    // guarded by mutex_
    bool begun = false;             // guarded by mutex_
    bool lost = false;              // guarded by mutex_
  };
  using HeldPtr = std::shared_ptr<Held>;

  void Loop();
  // Claims what fits. False when nothing was claimed, or the store failed.
  bool ClaimSome(int free);
  // Takes what the hand-off brought; refuses what does not fit.
  void TakeOffered();
  // The lease it was born with, if that still holds, or one claimed by key; nullptr when somebody was quicker.
  HeldPtr Take(handoff::Job offered, const OfferedEntry& entry);
  void Dispatch(std::vector<HeldPtr> jobs);
  // Tells producers how many jobs they may send.
  void Announce(int free);
  // How long to sleep after a look that found nothing; sets claim_ for the wake-up.
  absl::Duration UntilNextLook();
  // True when nudged; also returns when it is time (unless `draining`) to drain.
  bool Sleep(absl::Duration longest, bool draining);
  // Prolongs leases while the loop waits for the store, or for something to do: a job that was handed off has a short one,
  // and a store that stands still must find this wish before that of whoever claims what has run out.
  void KeepLeases();
  // Prolongs what has half run out. The loop calls it, too, before it claims: else a clock that was set, or a machine that
  // slept, would let it claim its own work.
  void RenewHeld();
  void GiveBackQueued();
  void StoreFailed(const absl::Status& status);
  void StoreAnswered();

  void RunSlot();
  void RunJob(const HeldPtr& held);

  const WorkerOptions options_;
  JobRun job_run_;
  const WorkerParts parts_;
  const std::string stage_;  // its name, for metrics
  uint64_t subscription_ = 0;

  // Of the loop thread alone.
  bool claim_ = true;  // look by claiming; else ask for the next due time first, which costs the store less
  bool store_failing_ = false;
  absl::Duration blocked_sleep_;
  int announced_ = 0;

  Mutex mutex_;
  CondVar wake_loop_, wake_renewer_, wake_slots_, job_ended_;
  std::list<HeldPtr> held_ RB_GUARDED_BY(mutex_);   // taken and not ended
  std::deque<HeldPtr> queue_ RB_GUARDED_BY(mutex_);  // taken and not begun
  std::deque<handoff::Job> offered_ RB_GUARDED_BY(mutex_);  // brought by the hand-off and not taken
  int idle_slots_ RB_GUARDED_BY(mutex_) = 0;
  bool nudged_ RB_GUARDED_BY(mutex_) = false;
  bool draining_ RB_GUARDED_BY(mutex_) = false;
  bool abandoned_ RB_GUARDED_BY(mutex_) = false;
  bool loop_ended_ RB_GUARDED_BY(mutex_) = true;
  Steady::time_point renewer_sleeps_until_ RB_GUARDED_BY(mutex_) = Steady::time_point::min();
  std::vector<std::thread> slots_ RB_GUARDED_BY(mutex_);
  Mutex renewing_;  // while leases are prolonged; before mutex_
  std::thread loop_, renewer_;
};

}  // namespace ringback::runtime
