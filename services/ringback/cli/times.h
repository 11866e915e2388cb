// Times and spans in words, and spans as typed. Times as typed are domain's (core/domain/calendar.h).
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::cli {

// "45 s", "12 min", "1 h 20 min", "3 d 4 h": two units at most, rounded down. A negative span is shown without its sign.
std::string SpanWords(absl::Duration span);

// "13:00", "tomorrow 9:30", "yesterday 17:30", "Tue 24 Nov 13:00", "2027-01-05 13:00", in `zone`.
std::string ClockWords(absl::Time at, absl::Time now, absl::TimeZone zone);

// "in 12 min", "12 min ago", "now" (less than a second away).
std::string RelativeWords(absl::Time at, absl::Time now);

// "13:00 (in 12 min)".
std::string WhenWords(absl::Time at, absl::Time now, absl::TimeZone zone);

// "45s", "10m", "10 min", "1h30m", "1 h 30 min", "2d", "1w"; above zero and at most 366 days. INVALID_ARGUMENT saying
// what would be right.
absl::StatusOr<absl::Duration> ParseSpan(std::string_view text);
// The same with "0", "0s" allowed.
absl::StatusOr<absl::Duration> ParseSpanOrZero(std::string_view text);

// "10m", "1h30m", "0s": what ParseSpanOrZero reads back.
std::string SpanText(absl::Duration span);

}  // namespace ringback::cli
