// The free times of a callback's assignee as the store knows them: what domain::FreeSlots needs, read and put together.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::store {

// What the assignee owes to other customers (armed or on its way) and when they are busy by their calendar subscription,
// then domain::FreeSlots. Reads the assignee's open callbacks, the soonest 500 of them; without an assignee none. Blocks;
// for a page that is asked for more than once in a while, keep the answer for some seconds.
absl::StatusOr<std::vector<absl::Time>> FreeSlotsOf(Store& store, const v1::CallbackRecord& callback,
                                                    const v1::TeamRecord& team, absl::Time now, int count_max,
                                                    std::optional<absl::Time> from = std::nullopt);

// For a commit that gives the customer of `callback` the time `slot`: of several customers who choose the same time of one
// member at once, whichever process they are at, one gets it; the commits of the others are ABORTED, and looking again
// finds it taken. FAILED_PRECONDITION (SLOT_TAKEN) when it is not free; OK when the callback is promised for it already.
// Blocks; thread-safe.
absl::Status AddSlotChoice(Store& store, const v1::CallbackRecord& callback, const v1::TeamRecord& team, absl::Time slot,
                           absl::Time now, Commit* commit);
inline constexpr char kSlotTaken[] = "SLOT_TAKEN";

}  // namespace ringback::store
