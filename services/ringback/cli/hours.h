// A team's hours as people write them: "Mon-Fri 8:00-18:00".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::cli {

// Adds "Mon-Fri 8:00-18:00", "Sat 9:00-12:30", "Mo-Fr 8-18" to the calendar. INVALID_ARGUMENT saying what would be right.
absl::Status AddHours(std::string_view text, v1::Calendar* calendar);

// "Mon-Fri 08:00-18:00, Sat 09:00-12:30"; "always" without any.
std::string HoursWords(const v1::Calendar& calendar);

}  // namespace ringback::cli
