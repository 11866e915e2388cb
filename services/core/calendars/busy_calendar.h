// A member's calendar subscription (RFC 5545) as times at which they are busy. What an appointment is about is not looked
// at. When the firm is closed says holidays.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "core/calendars/calendar_child.h"

namespace ringback::calendars {

inline constexpr size_t kBusyTimesMost = 20000;

// One appointment, or one of a row that repeats. The child has no time zone files: of a zone that the calendar itself does
// not describe it names the local time, and the parent knows when that is.
struct FoundTime {
  std::optional<absl::Time> start;  // else `local` in `zone`, "" for the member's own
  absl::CivilSecond local;
  std::string zone;
  absl::Duration length;
};
std::string EncodeFound(const std::vector<FoundTime>& found);
// nullopt for what no child of ours finds.
std::optional<std::vector<FoundTime>> DecodeFound(std::string_view bytes);

// In the child: every busy time that may lie in the window, a day more at either end. Events that are transparent or
// cancelled are none; rows (RRULE, RDATE) are followed with their exceptions (EXDATE, RECURRENCE-ID); VFREEBUSY counts
// unless FREE. INVALID_ARGUMENT when it is no iCalendar, RESOURCE_EXHAUSTED beyond 20,000 times. libical, one thread.
absl::StatusOr<std::vector<FoundTime>> FindBusy(const std::string& calendar, absl::Time from, absl::Time until);

struct BusyTimes {
  absl::Time start, end;
};
// Sorted, within the window, joined where they meet.
std::vector<BusyTimes> Joined(const std::vector<FoundTime>& found, absl::TimeZone own_zone, absl::Time from,
                              absl::Time until);

// Thread-safe; the child starts with the first calendar.
class BusyParser {
 public:
  explicit BusyParser(std::string program) : child_(std::move(program)) {}
  // INVALID_ARGUMENT with words for whoever set the subscription up; UNAVAILABLE when no child could be had.
  absl::StatusOr<std::vector<BusyTimes>> Parse(const std::string& calendar, absl::TimeZone own_zone, absl::Time from,
                                               absl::Time until);

 private:
  CalendarChild child_;
};

}  // namespace ringback::calendars
