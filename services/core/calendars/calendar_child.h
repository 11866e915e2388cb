// Calendars from outside (iCalendar, RFC 5545) are parsed in a child program, ringback-calendar-parser (parser_main.cc), that
// has no files, no network and two seconds. This is the parent's side, and the words between the two; what is looked for in a
// calendar is in holidays.h and busy_calendar.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/sandbox/child_pool.h"

namespace ringback::calendars {

// What precedes the calendar in a request.
struct Question {
  enum class For : uint8_t { kBusyTimes = 1, kHolidays };
  For what = For::kBusyTimes;
  int64_t from = 0, until = 0;  // busy times: seconds since 1970; holidays: days since 1970, until exclusive
};
std::string EncodeQuestion(const Question& question);
// nullopt for what no parent of ours asks.
std::optional<Question> DecodeQuestion(std::string_view request, size_t* calendar_begins);

// What was found when `status` is OK, else its message for whoever chose the calendar.
std::string EncodeAnswer(const absl::Status& status, std::string_view found);

// Thread-safe; the child starts with the first calendar.
class CalendarChild {
 public:
  explicit CalendarChild(std::string program);
  // What was found. INVALID_ARGUMENT with words for whoever chose the calendar; UNAVAILABLE when no child could be had.
  absl::StatusOr<std::string> Ask(const Question& question, const std::string& calendar);

 private:
  sandbox::ChildPool pool_;
};

// INVALID_ARGUMENT: what was found makes no sense, so the calendar has taken the child over.
absl::Status Nonsense();

// ringback-calendar-parser in the folder of the running program.
std::string CalendarParserBesideThisProgram();

}  // namespace ringback::calendars
