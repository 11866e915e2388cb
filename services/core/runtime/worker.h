// The worker loop: claims due entries of one stage, hands them to handlers on its own threads, sleeps until the store's
// next due time, a nudge or one second. Every stage of the pipeline runs in it; it knows none of them.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/store/store.h"

namespace ringback::runtime {

struct WorkerOptions {
  std::string name;                           // in metrics and logs: "transcode"
  store::Stage stage = store::Stage::kTranscode;
  int slots = 1;                              // entries in hand at once, one thread each
  absl::Duration lease = absl::Seconds(30);
  int attempts_max = 8;                       // beyond it the entry goes to DeadLetter instead of Handle
  int team_in_flight_max = 64;
  absl::Duration backoff_min = absl::Seconds(1);   // after an error: doubled per attempt, with jitter
  absl::Duration backoff_max = absl::Minutes(5);
};

// What a handler gets.
struct Job {
  store::Lease lease;
  // The bytes that travelled with the hand-off; nullptr when the job was found by a poll: fetch them then.
  std::shared_ptr<const std::string> payload;
  bool handed_off = false;
};

// To be called once the record is read: this thread's lines carry its trace id ("": the one they have) from here to the
// job's end, however the job was found, and the first of them is written (debug).
void JobBegins(const Job& job, const std::string& trace_id);

// Called from several threads at once, each under the trace id (TraceScope) that the job came with, or a new one.
class JobHandler {
 public:
  virtual ~JobHandler() = default;
  // Does the work and commits it fenced by the lease; that commit moves or removes the due entry. An error gives the
  // entry back with a back-off (ABORTED: at once, without counting; LeftToNewer: likewise, a second later).
  virtual absl::Status Handle(const Job& job) = 0;
  // The retries are used up: move the work to the dead letters, visible, with the reason; removes the entry.
  virtual absl::Status DeadLetter(const store::Lease& lease, const std::string& reason) = 0;
};

}  // namespace ringback::runtime
