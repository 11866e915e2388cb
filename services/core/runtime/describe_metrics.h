// The help lines of the metrics that runtime itself keeps.
#pragma once

#include "core/runtime/metrics.h"

namespace ringback::runtime {

inline void DescribeMetrics(Metrics& metrics) {
  metrics.Describe("ringback_rpc_total", "Finished calls by method and status code.");
  metrics.Describe("ringback_rpc_seconds", "Duration of finished calls.");
  metrics.Describe("ringback_claims_total", "Due entries claimed.");
  metrics.Describe("ringback_offers_total", "Jobs that the hand-off brought: claimed, or gone (another was quicker).");
  metrics.Describe("ringback_handoff_total", "What happened in the hand-off: jobs sent, received, refused, let go to be found by a poll; peers lost; frames ignored.");
  metrics.Describe("ringback_jobs_total", "Handled entries: done, retry, aborted, lost, dead, or left to a newer version.");
  metrics.Describe("ringback_lost_leases_total", "Entries that somebody else had claimed before the work ended.");
  metrics.Describe("ringback_dead_letters_total", "Entries that used up their retries.");
  metrics.Describe("ringback_timer_lateness_seconds", "From an entry's due time to its claim.");
  metrics.Describe("ringback_backlog", "Entries waiting (due now), leased and future.");
  metrics.Describe("ringback_oldest_age_seconds", "Age of the oldest entry that is due and not claimed.");
  metrics.Describe("ringback_store_errors_total", "Failed looks of a worker at the store.");
  metrics.Describe("ringback_orphans_total",
                   "Recordings whose bytes no record named: found, removed, or kept because the record came after all.");
  metrics.Describe("ringback_periodic_total", "Runs of periodic work.");
  metrics.Describe("ringback_clock_skew_seconds", "Between this machine's clock and the store's.");
}

}  // namespace ringback::runtime
