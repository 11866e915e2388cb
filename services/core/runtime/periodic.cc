#include "core/runtime/periodic.h"

#include <utility>

#include "core/base/log.h"

namespace ringback::runtime {

Periodic::Periodic(std::string name, absl::Duration period, std::function<absl::Status()> work)
    : shared_(std::make_shared<Shared>()), period_(period) {
  shared_->name = std::move(name);
  shared_->work = std::move(work);
}

absl::Time Periodic::Tick(absl::Time now, rpc::Executor& executor, Metrics& metrics) {
  if (last_ > now) last_ = now;  // the clock was set back
  if (now < last_ + period_) return last_ + period_;
  if (shared_->running.exchange(true)) return now + absl::Seconds(1);
  last_ = now;
  const bool submitted = executor.Submit([shared = shared_, &metrics] {
    const absl::Status status = shared->work();
    metrics.Count("ringback_periodic_total", {{"work", shared->name}, {"outcome", status.ok() ? "done" : "failed"}});
    if (!status.ok()) RB_LOG_ERROR("{}: {}", shared->name, status.ToString());
    shared->running = false;
  });
  if (!submitted) shared_->running = false;
  return now + period_;
}

}  // namespace ringback::runtime
