// The times that a customer is offered when the promised one does not suit: those at which the assignee is still free. Pure;
// who is asked for them reads promises and busy times beforehand.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

inline constexpr absl::Duration kSlotLengthDefault = absl::Minutes(15);

// A time at which a member is not free.
struct BusySpan {
  absl::Time start;
  absl::Time end;  // exclusive
};

// The team's slot_length, or the default.
absl::Duration SlotLength(const store::v1::TeamRecord& team);

// Up to `count_max` times, soonest first, spread over today and the next open days (five at most), from the first free one
// of each day on. A time is offered when
//   - it lies on the raster (whole slots since local midnight in the team's zone) and 30 minutes ahead or more,
//   - a whole slot from it on lies within the team's hours, and of a team without hours, or for a customer in another time
//     zone, between 7:00 and 20:00 where the customer is: nobody is to be called at night,
//   - the member is not away, not busy, and owes no other call (`own_promises`) less than a slot before or after it,
//   - it is not what the customer is promised anyway.
// With `from`: one after the other from then on instead of spread, for whoever promises several calls in a row.
// `member_id` "" or unknown: nobody's absences count. A time that a clock change skips is none; one that comes twice is
// offered once. Empty when there is none within 90 days.
std::vector<absl::Time> FreeSlots(const store::v1::CallbackRecord& callback, const store::v1::TeamRecord& team,
                                  const std::string& member_id, const std::vector<absl::Time>& own_promises,
                                  const std::vector<BusySpan>& busy, absl::Time now, int count_max,
                                  std::optional<absl::Time> from = std::nullopt);

}  // namespace ringback::domain
