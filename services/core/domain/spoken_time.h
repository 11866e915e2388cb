// Clock times named in what a rep speaks or types, German and English: "13 Uhr", "halb zwei", "viertel nach drei", "1:30 pm".
// To tell a slip of the tongue from the promise, no more: what is not understood is passed over. Pure; time_words.h is the
// other way round.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace ringback::domain {

struct ClockTime24 {
  int hour = 0;  // 0 to 23
  int minute = 0;
  bool either_half = false;  // "halb zwei" is 1:30 and 13:30
  bool operator==(const ClockTime24&) const = default;
};

// In the order in which they stand there.
std::vector<ClockTime24> ClockTimesIn(std::string_view text);

// "14:00": the first one, when the text names clock times and none of them is that of `at` in `zone`.
std::optional<std::string> OtherTimeNamed(std::string_view text, absl::Time at, absl::TimeZone zone);

}  // namespace ringback::domain
