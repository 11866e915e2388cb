// The help lines of the metrics that runtime itself keeps. "Of the store": every program reports the same, so that a
// dashboard takes the maximum; everything else is of the one process, and is summed.
#pragma once

#include "core/runtime/metrics.h"

namespace ringback::runtime {

inline void DescribeMetrics(Metrics& metrics) {
  constexpr struct {
    const char* name;
    const char* help;
  } kHelp[] = {
      {"ringback_build_info", "1, with this program's name and version."},
      {"ringback_ready", "1 when store, clocks and blobs let this program work, else 0; /readyz says why."},
      {"ringback_backlog",
       "Of the store (take the max): entries of a stage that wait (due now), are leased (in work), or lie in the future. "
       "As of the look before, at most every 5 s."},
      {"ringback_oldest_age_seconds",
       "Of the store (take the max): how long the oldest entry that is due and not in work has been due. As ringback_backlog."},
      {"ringback_claims_total", "Entries that this process claimed: brought by the hand-off, or found by a poll of the store."},
      {"ringback_offers_total", "Jobs that the hand-off brought to this process: claimed, or gone (another was quicker)."},
      {"ringback_handoff_total",
       "What happened in this process's hand-off: jobs sent, received, refused, let go to be found by a poll; credits that "
       "came; peers lost; producers unanswered (called in vain: the log names them); strangers turned away; frames ignored."},
      {"ringback_credits_held", "Free slots of workers that this process, as a producer, may send jobs to."},
      {"ringback_credits_given", "Free slots of this process that producers may send jobs to."},
      {"ringback_slots", "Places for entries in work in this process: busy and free."},
      {"ringback_jobs_total",
       "Entries that this process ended: done, retry (failed, to be tried again), aborted (changed meanwhile, at once again), "
       "lost (the lease), dead (the retries are used up), or left to a newer version."},
      {"ringback_lost_leases_total", "Entries that somebody else had claimed before this process ended its work on them."},
      {"ringback_dead_letters_total", "Entries that this process put among the dead letters: nobody works on them until somebody acts."},
      {"ringback_timer_lateness_seconds", "From an entry's due time to its claim; the stage promise is the customers' promises."},
      {"ringback_store_calls_total", "Calls of the store by this process, by status code: ABORTED is a race, UNAVAILABLE an outage."},
      {"ringback_store_seconds", "How long the store took; a commit is on disk at its end."},
      {"ringback_store_errors_total", "Looks for work that the store failed, as each worker loop saw it."},
      {"ringback_rpc_total", "Finished calls of the API by method and status code."},
      {"ringback_rpc_seconds", "Duration of finished calls of the API."},
      {"ringback_periodic_total", "Runs of periodic work in this process, done or failed."},
      {"ringback_clock_skew_seconds", "Between this machine's clock and the store's; above 0.25 the program is not ready."},
  };
  for (const auto& each : kHelp) metrics.Describe(each.name, each.help);
}

}  // namespace ringback::runtime
