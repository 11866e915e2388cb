// Several alarms to one member in one message. One of them leads and is the delivery that leaves; the others follow:
// SENDING, without a due entry of their own, named in the leader's bundle_ids. Who joins, who is still to be told when
// the message is tried again, and how those that are not told get free again: here. What becomes of them all with the
// message's outcome is the worker's.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/runtime/host.h"
#include "core/store/records.h"
#include "delivery/compose.h"

namespace ringback::delivery {

// A delivery with what it is about; a sign-in's mail has no callback.
struct Work {
  store::Loaded<store::v1::DeliveryRecord> delivery;
  store::Loaded<store::v1::CallbackRecord> callback;
  store::v1::TeamRecord team;
};
// NOT_FOUND when the delivery or its callback was erased.
absl::StatusOr<Work> LoadWork(store::Store& store, const std::string& delivery_id);

struct Bundle {
  std::vector<Work> lines;    // followers that are still to be told
  std::vector<Work> settled;  // followers that somebody acted on meanwhile
};

// The leader's followers as they are at `now`; those that were erased are in neither list.
absl::StatusOr<Bundle> LoadBundle(store::Store& store, const store::v1::DeliveryRecord& leader, absl::Time now);

// Takes the settled ones out of the message: WITHDRAWN, and the leader names only the lines. The leader's own put is the
// caller's.
void DropSettled(const Bundle& bundle, store::v1::DeliveryRecord* leader, store::Commit* commit);

// An alarm that has not been tried yet: only such ones wait for others and join them.
bool IsFreshAlarm(const store::v1::DeliveryRecord& delivery);

// When the delivery may leave: alarms to one member within the window after the last one wait for its end, a morning's
// digest for its gathering. In the past or now for everything else.
absl::StatusOr<absl::Time> BundleReady(runtime::Host& host, const store::v1::DeliveryRecord& delivery, absl::Time now);

// The fresh alarms that wait for the leader's member join it. Their changes, and the note of when this member was last
// alarmed, go into `commit`; the leader's own put is the caller's.
absl::Status GatherBundle(store::Store& store, absl::Time now, store::v1::DeliveryRecord* leader, Bundle* bundle,
                          store::Commit* commit);

}  // namespace ringback::delivery
