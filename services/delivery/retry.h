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
// last (2 s to 5 min, `jitter` in [0, 1) spreads it by a fifth either way), sooner when the promise is at stake.
// Before a promise is at stake no number of tries ends that (law 4); once it is, the next channel fires, and behind the
// last one `tries_max` further tries are made. Without a stake `tries_max` counts them all; a member's message changes
// to the next channel once this one has failed for a minute, but to the desk only after `tries_max`.
NextStep After(const store::v1::DeliveryRecord& delivery, const SendOutcome& outcome, absl::Time now, double jitter,
               int tries_max);

// Keeps a record small that is tried for days: of many tries before the stake only the first and the newest stay.
void ForgetMiddleTries(store::v1::DeliveryRecord* delivery, absl::Time now);

}  // namespace ringback::delivery
