// The weeks' figures: names of the counters that decisions add to (Draft::Count), and what a report makes of them. Pure; the
// counters themselves are the store's, commutative and without a caller in them, so that they survive every erasure.
//
// How long something took is counted by span: "late_by:900" is how many took up to 900 seconds (and longer than the span
// below), "late_by:more" the rest. A median of any number of weeks comes from their sums, and nobody reads a callback for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::domain {

// What is counted by span.
inline constexpr std::string_view kLateBy = "late_by";              // a late attempt: called_time after the promised time
inline constexpr std::string_view kFirstPromise = "first_promise";  // from the request until the first promise is armed

// "late_by:900": the counter for one that took `took`. The bounds are fixed, for weeks that lie behind us are counted by them:
// 1, 2, 5, 10, 15, 20, 30, 45 min, 1, 1.5, 2, 3, 4, 6, 8, 12 h, 1, 2, 3, 7 d.
std::string SpanCounter(std::string_view what, absl::Duration took);

// A week's counters by name: "kept" of the team, "kept/mb07…" of a member.
using Counts = std::map<std::string, int64_t, std::less<>>;
// Of the team for `member_id` "". 0 for what was never counted.
int64_t CountOf(const Counts& counts, std::string_view name, std::string_view member_id);
// Half of them took less. Within a span in proportion; the last bound stands for all that is longer. nullopt without any.
std::optional<absl::Duration> MedianOf(const Counts& counts, std::string_view what, std::string_view member_id);
// Members that something was counted for.
std::set<std::string> MembersIn(const Counts& counts);

// From `from` to `to`, both included, ISO 8601 ("2026-W31"). Empty: eleven before `to`; the week of `now` in `zone`.
// INVALID_ARGUMENT naming from_week or to_week: no week of the calendar, not in order, more than 53.
absl::StatusOr<std::vector<std::string>> WeeksOf(const std::string& from, const std::string& to, absl::Time now,
                                                 absl::TimeZone zone);

}  // namespace ringback::domain
