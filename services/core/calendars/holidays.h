// Holidays out of an iCalendar file (RFC 5545) that an admin has from wherever: whole days and what they are called. When a
// member is busy says busy_calendar.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "core/calendars/calendar_child.h"

namespace ringback::calendars {

inline constexpr size_t kHolidaysMost = 4000;

struct Holiday {
  absl::CivilDay day;
  std::string name;  // one line as the file has it, at most 200 bytes, which need not be UTF-8
  bool operator==(const Holiday&) const = default;
};
std::string EncodeHolidays(const std::vector<Holiday>& found);
// In the order of their days, of two names for one day the first; nullopt for what no child of ours finds.
std::optional<std::vector<Holiday>> DecodeHolidays(std::string_view bytes);

// In the child: every day of every event that lasts whole days and is not cancelled; rows (RRULE) are followed with their
// exceptions (EXDATE). INVALID_ARGUMENT when it is no iCalendar, RESOURCE_EXHAUSTED beyond 4,000 days. libical, one thread.
absl::StatusOr<std::vector<Holiday>> FindHolidays(const std::string& calendar, absl::CivilDay from, absl::CivilDay until);

// Thread-safe; the child starts with the first calendar.
class HolidayReader {
 public:
  explicit HolidayReader(std::string program) : child_(std::move(program)) {}
  // In the order of their days, each day once. INVALID_ARGUMENT with words for whoever chose the file; UNAVAILABLE when no
  // child could be had.
  absl::StatusOr<std::vector<Holiday>> Read(const std::string& calendar, absl::CivilDay from, absl::CivilDay until);

 private:
  CalendarChild child_;
};

}  // namespace ringback::calendars
