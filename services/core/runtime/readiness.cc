#include "core/runtime/readiness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"

namespace ringback::runtime {
namespace {

constexpr absl::Duration kSkewMax = absl::Milliseconds(250);
constexpr absl::Duration kFresh = absl::Seconds(1);
constexpr absl::Duration kStale = absl::Seconds(30);  // asked every five seconds

}  // namespace

absl::Status Readiness::Ask() {
  MutexLock one_at_a_time(&asking_);
  {
    MutexLock lock(&mutex_);
    if (absl::Now() - known_at_ < kFresh) return known_;
  }
  absl::Status status = Examine();
  Keep(status);
  return status;
}

absl::Status Readiness::Known() {
  MutexLock lock(&mutex_);
  if (known_.ok() && absl::Now() - known_at_ > kStale) return absl::UnavailableError("the store or the blobs do not answer");
  return known_;
}

void Readiness::Keep(const absl::Status& status) {
  parts_.metrics->Gauge("ringback_ready", {}, status.ok() ? 1 : 0);
  MutexLock lock(&mutex_);
  known_ = status;
  known_at_ = absl::Now();
}

absl::Status Readiness::Examine() {
  RB_RETURN_IF_ERROR(parts_.store->Check());
  const absl::Time before = parts_.clock->Now();
  RB_ASSIGN_OR_RETURN(const absl::Time store_now, parts_.store->Now());
  const absl::Time after = parts_.clock->Now();
  // The store's time lies between the two readings; what is beyond them is skew.
  const absl::Duration skew = std::max(before - store_now, store_now - after);
  parts_.metrics->Gauge("ringback_clock_skew_seconds", {}, absl::ToDoubleSeconds(std::max(skew, absl::ZeroDuration())));
  if (skew > kSkewMax) {
    return absl::FailedPreconditionError(
        absl::StrCat("this machine's clock and the store's differ by ", absl::FormatDuration(skew), "; at most ",
                     absl::FormatDuration(kSkewMax), " is right: check the time synchronisation of both"));
  }
  return parts_.blobs->Check();
}

}  // namespace ringback::runtime
