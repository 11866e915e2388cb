// How much waits in each stage, and for how long: asked of the store, for the metrics. Every program reports every stage, so
// that a stage whose own workers are all gone is still seen.
#pragma once

#include <atomic>
#include <chrono>

#include "absl/status/status.h"
#include "core/runtime/metrics.h"
#include "core/store/store.h"

namespace ringback::runtime {

// Counting costs the store something, so that it is done only for whoever looks: at most once per look, and never more
// than a hundredth of the time.
class BacklogReport {
 public:
  BacklogReport(store::Store* store, Metrics* metrics) : store_(*store), metrics_(*metrics) {}

  // Somebody looks. Thread-safe, does not block.
  void Wanted() { wanted_ = true; }
  // Asks the store if somebody has looked since; blocks. One caller at a time.
  absl::Status Refresh();

 private:
  store::Store& store_;
  Metrics& metrics_;
  std::atomic<bool> wanted_{true};  // the first look finds something
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace ringback::runtime
