// Holidays out of an iCalendar file (RFC 5545) that an admin has from wherever: whole days and what they are called. Foreign
// bytes are parsed in a child program (ringback-calendar-parser: holidays_libical.cc) that has no files, no network and two
// seconds; this is the parent's side, and the words between the two. When a member is busy says delivery's busy_calendar.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "core/sandbox/child_pool.h"

namespace ringback::holidays {

struct Holiday {
  absl::CivilDay day;
  std::string name;  // one line as the file has it, at most 200 bytes, which need not be UTF-8
  bool operator==(const Holiday&) const = default;
};

// What a child is asked: the days in question, and the calendar behind them.
std::string EncodeQuestion(absl::CivilDay from, absl::CivilDay until);
struct Question {
  absl::CivilDay from, until;  // exclusive
};
// nullopt for what asks for something else.
std::optional<Question> DecodeQuestion(std::string_view request, size_t* calendar_begins);
std::string EncodeHolidays(const std::vector<Holiday>& found);
// nullopt for what no child of ours says.
std::optional<std::vector<Holiday>> DecodeHolidays(std::string_view text);

// In the child: every day of every event that lasts whole days and is not cancelled; rows (RRULE) are followed with their
// exceptions (EXDATE). INVALID_ARGUMENT when it is no iCalendar, RESOURCE_EXHAUSTED beyond 4,000 days. libical, one thread.
absl::StatusOr<std::vector<Holiday>> FindHolidays(const std::string& calendar, absl::CivilDay from, absl::CivilDay until);

// Thread-safe; the child starts with the first calendar.
class HolidayReader {
 public:
  explicit HolidayReader(std::string program);
  // In the order of their days, each day once. INVALID_ARGUMENT with words for whoever chose the file; UNAVAILABLE when no
  // child could be had.
  absl::StatusOr<std::vector<Holiday>> Read(const std::string& calendar, absl::CivilDay from, absl::CivilDay until);

 private:
  sandbox::ChildPool pool_;
};

// ringback-calendar-parser in the folder of the running program.
std::string CalendarParserBesideThisProgram();

}  // namespace ringback::holidays
