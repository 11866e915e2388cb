// One claimed job from its handler's begin to its end: under its trace, to the dead letters when its attempts are used up,
// given back with a back-off when it failed, and counted. Claiming and leases are the worker loop's.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/runtime/metrics.h"
#include "core/runtime/worker.h"
#include "core/store/store.h"

namespace ringback::runtime {

struct JobRunParts {
  store::Store* store = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Metrics* metrics = nullptr;
};

// Thread-safe.
class JobRun {
 public:
  // `options` and all of `parts` outlive it.
  JobRun(const WorkerOptions& options, std::unique_ptr<JobHandler> handler, JobRunParts parts);

  // `traceparent`: as it came with the job; "": none did.
  void Run(const Job& job, const std::string& traceparent);

 private:
  // Hands the entry back to the store after an error; returns the outcome's word.
  const char* GiveBack(const store::Lease& lease, const absl::Status& status);
  // False when it has been so too often in a row.
  bool MayAbortAgain(const std::string& id);
  void ForgetAborts(const std::string& id);
  absl::Duration BackOff(int attempts);

  const WorkerOptions& options_;
  const std::unique_ptr<JobHandler> handler_;
  const JobRunParts parts_;
  const std::string stage_;

  std::atomic<bool> told_of_newer_{false};
  Mutex mutex_;
  std::map<std::string, int> aborted_ RB_GUARDED_BY(mutex_);  // by id: how often in a row; bounded
};

}  // namespace ringback::runtime
