#include "core/runtime/job_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/rpc/status.h"
#include "core/rpc/trace.h"
#include "core/runtime/notifying_store.h"
#include "core/store/newer.h"

namespace ringback::runtime {
namespace {

constexpr absl::Duration kLeftToNewer = absl::Seconds(1);  // until the next look at what this version must not touch
constexpr int kAbortedInARowMax = 20;  // beyond it something else is wrong: back off, and count
// Entries that another worker ended leave their count behind. One that is pushed out is counted from the start.
constexpr size_t kAbortedKept = 1000;

}  // namespace

void JobBegins(const Job& job, const std::string& trace_id) {
  TraceScope::GoOnUnder(trace_id);
  RB_LOG_DEBUG("{}: {} begins, {}", StageName(job.lease.key.stage), job.lease.key.id,
               job.handed_off ? "handed off" : "found by looking");
}

JobRun::JobRun(const WorkerOptions& options, std::unique_ptr<JobHandler> handler, JobRunParts parts)
    : options_(options), handler_(std::move(handler)), parts_(parts), stage_(StageName(options.stage)) {
  // A rate sees the first one only if it was 0 before.
  for (const char* const counter : {"ringback_lost_leases_total", "ringback_dead_letters_total"}) {
    parts_.metrics->Count(counter, {{"stage", stage_}}, 0);
  }
}

void JobRun::Run(const Job& job, const std::string& traceparent) {
  std::string trace_id = rpc::TraceIdOf(traceparent);
  const TraceScope trace(trace_id.empty() ? rpc::NewTraceId(*parts_.random) : std::move(trace_id));
  const store::Lease& lease = job.lease;
  bool dead = lease.attempts > options_.attempts_max;
  absl::Status status;
  if (dead) {
    status = handler_->DeadLetter(lease, absl::StrCat("no sign of life after ", lease.attempts - 1, " attempts"));
  } else {
    status = handler_->Handle(job);
    const bool counts = !status.ok() && !absl::IsAborted(status) && !store::IsLeftToNewer(status);
    if (counts && lease.attempts >= options_.attempts_max) {
      dead = true;
      status = handler_->DeadLetter(lease, std::string(status.message()));
    }
  }
  if (!absl::IsAborted(status)) ForgetAborts(lease.key.id);
  const char* outcome = dead ? "dead" : "done";
  if (!status.ok()) {
    outcome = GiveBack(lease, status);
  } else if (dead) {
    RB_LOG_WARN("{}: {} went to the dead letters", options_.name, lease.key.id);
    parts_.metrics->Count("ringback_dead_letters_total", {{"stage", stage_}});
  }
  parts_.metrics->Count("ringback_jobs_total", {{"stage", stage_}, {"outcome", outcome}});
}

const char* JobRun::GiveBack(const store::Lease& lease, const absl::Status& status) {
  if (store::IsLeftToNewer(status)) {
    // Once: there may be thousands of them, each looked at every second, until this program is replaced too.
    if (!told_of_newer_.exchange(true)) RB_LOG_WARN("{}: {}", options_.name, std::string(status.message()));
    parts_.store->Release(lease, parts_.clock->Now() + kLeftToNewer, /*uncount=*/true).IgnoreError();  // else its lease runs out
    return "left";
  }
  const bool aborted = absl::IsAborted(status) && MayAbortAgain(lease.key.id);
  absl::Status released;
  if (aborted) {
    released = parts_.store->Release(lease, std::nullopt, /*uncount=*/true);
  } else {
    RB_LOG_WARN("{}: {} failed in attempt {} of {}: {}", options_.name, lease.key.id, lease.attempts,
                options_.attempts_max, status.ToString());
    const absl::Duration wait = rpc::RetryAfterOf(status).value_or(BackOff(lease.attempts));
    released = parts_.store->Release(lease, parts_.clock->Now() + wait, /*uncount=*/false);
  }
  if (!absl::IsAborted(released)) return aborted ? "aborted" : "retry";
  RB_LOG_WARN("{}: the lease of {} was lost; whoever has it goes on", options_.name, lease.key.id);
  parts_.metrics->Count("ringback_lost_leases_total", {{"stage", stage_}});
  ForgetAborts(lease.key.id);
  return "lost";
}

bool JobRun::MayAbortAgain(const std::string& id) {
  MutexLock lock(&mutex_);
  if (aborted_.size() >= kAbortedKept && !aborted_.contains(id)) aborted_.erase(aborted_.begin());
  if (++aborted_[id] <= kAbortedInARowMax) return true;
  aborted_.erase(id);
  return false;
}

void JobRun::ForgetAborts(const std::string& id) {
  MutexLock lock(&mutex_);
  aborted_.erase(id);
}

absl::Duration JobRun::BackOff(int attempts) {
  absl::Duration wait = options_.backoff_min;
  for (int i = 1; i < attempts && wait < options_.backoff_max; ++i) wait *= 2;
  wait = std::min(wait, options_.backoff_max);
  // Between half of it and all: retries of one outage must not come back as one wave.
  return wait / 2 + wait / 2 * (static_cast<double>(parts_.random->Next() >> 11) / static_cast<double>(1ull << 53));
}

}  // namespace ringback::runtime
