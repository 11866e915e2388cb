// What follows a try of a delivery. Pure.
#pragma once

#include "absl/time/time.h"
#include "delivery/mail_transport.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

struct NextStep {
  enum class Kind { kDone, kAgain, kNextChannel, kFailed } kind = Kind::kDone;
  absl::Time when;  // for kAgain
};

// The delivery already holds the try that ended with `outcome`. Accepted is done. A permanent refusal means the next
// channel of the list, or failed behind the last. Everything else is tried again, each time twice as long after the
// last (2 s to 5 min, `jitter` in [0, 1) spreads it by a fifth either way), sooner when the promise is at stake; a
// member's message changes to the next channel once this one has failed for a minute, but to the desk, and a
// customer's to failed, only after `tries_max` tries.
NextStep After(const store::v1::DeliveryRecord& delivery, const SendOutcome& outcome, absl::Time now, double jitter,
               int tries_max);

}  // namespace ringback::delivery
