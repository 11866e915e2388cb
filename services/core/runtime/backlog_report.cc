#include "core/runtime/backlog_report.h"

#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/runtime/notifying_store.h"

namespace ringback::runtime {

absl::Status BacklogReport::Refresh() {
  const auto begin = std::chrono::steady_clock::now();
  if (begin < next_ || !wanted_.exchange(false)) return absl::OkStatus();
  for (const store::Stage stage :
       {store::Stage::kTranscode, store::Stage::kDelivery, store::Stage::kPromise, store::Stage::kRetention,
        store::Stage::kMailbox, store::Stage::kBusy}) {
    const auto stats = store_.Stats(stage);
    if (!stats.ok()) {
      wanted_ = true;
      return stats.status();
    }
    const auto gauge = [&](const char* state, int64_t n) {
      metrics_.Gauge("ringback_backlog", {{"stage", StageName(stage)}, {"state", state}}, static_cast<double>(n));
    };
    gauge("waiting", stats->waiting);
    gauge("leased", stats->leased);
    gauge("future", stats->future);
    metrics_.Gauge("ringback_oldest_age_seconds", {{"stage", StageName(stage)}}, absl::ToDoubleSeconds(stats->oldest_age));
  }
  const auto end = std::chrono::steady_clock::now();
  next_ = end + (end - begin) * 100;
  return absl::OkStatus();
}

}  // namespace ringback::runtime
