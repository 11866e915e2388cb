// Whether this program can take work: store, clocks and blobs. Asking looks afresh and may block; what is known already can
// be had at any time.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/blob/blob_store.h"
#include "core/runtime/metrics.h"
#include "core/store/store.h"

namespace ringback::runtime {

struct ReadinessParts {
  store::Store* store = nullptr;
  blob::BlobStore* blobs = nullptr;
  Clock* clock = nullptr;
  Metrics* metrics = nullptr;
};

// Thread-safe. Tells time by the machine's clock, not by the one for tests.
class Readiness {
 public:
  explicit Readiness(ReadinessParts parts) : parts_(parts) {}

  // OK, or why not; at most a second old. Blocks on the store, once a second.
  absl::Status Ask();
  // The newest answer, without asking and without blocking. UNAVAILABLE when there is none yet, or when it is so old that
  // whoever should have asked since must be waiting for a store that hangs.
  absl::Status Known();

 private:
  absl::Status Examine();
  void Keep(const absl::Status& status);

  const ReadinessParts parts_;
  Mutex asking_;  // held while the store is asked; guards nothing else
  Mutex mutex_;
  absl::Status known_ RB_GUARDED_BY(mutex_) = absl::UnavailableError("starting");
  absl::Time known_at_ RB_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace ringback::runtime
