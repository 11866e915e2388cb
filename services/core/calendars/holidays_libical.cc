// Holidays by libical. Runs in the child alone (holidays.h): whole days have no zone, so none is needed.
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/calendars/holidays.h"
#include "core/calendars/read_libical.h"

namespace ringback::calendars {
namespace {

constexpr int kLongestDays = 366;  // of one event: school holidays, not eternity

absl::CivilDay DayOf(const icaltimetype& at) { return absl::CivilDay(at.year, at.month, at.day); }

class Finder {
 public:
  Finder(absl::CivilDay from, absl::CivilDay until) : from_(from), until_(until) {}

  absl::Status Calendar(icalcomponent* calendar) {
    for (icalcomponent* event : Components(calendar, ICAL_VEVENT_COMPONENT)) RB_RETURN_IF_ERROR(Event(event));
    return absl::OkStatus();
  }

  std::vector<Holiday> Take() { return std::move(found_); }

 private:
  absl::Status Event(icalcomponent* event) {
    if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED) return absl::OkStatus();
    icalproperty* begins = icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY);
    if (begins == nullptr) return absl::OkStatus();
    const icaltimetype start = icalproperty_get_dtstart(begins);
    if (!start.is_date || icaltime_is_null_time(start) || !icaltime_is_valid_time(start)) return absl::OkStatus();
    const char* summary = icalcomponent_get_summary(event);
    const std::string name = summary == nullptr ? "" : summary;
    const int days = DaysOf(event, start);

    icalproperty* row = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
    if (row == nullptr) return Add(DayOf(start), days, name);
    std::set<absl::CivilDay> not_on;
    for (icalproperty* one : Properties(event, ICAL_EXDATE_PROPERTY)) not_on.insert(DayOf(icalproperty_get_exdate(one)));
    RB_ASSIGN_OR_RETURN(DateRow dates, DateRow::Begin(icalproperty_get_rrule(row), start));
    for (;;) {
      RB_ASSIGN_OR_RETURN(const icaltimetype next, dates.Next());
      if (icaltime_is_null_time(next) || DayOf(next) >= until_) return absl::OkStatus();
      if (!not_on.contains(DayOf(next))) RB_RETURN_IF_ERROR(Add(DayOf(next), days, name));
    }
  }

  // RFC 5545, 3.6.1: DTEND is the day after; without one it is a day.
  static int DaysOf(icalcomponent* event, const icaltimetype& start) {
    icalproperty* end = icalcomponent_get_first_property(event, ICAL_DTEND_PROPERTY);
    if (end != nullptr) return static_cast<int>(DayOf(icalproperty_get_dtend(end)) - DayOf(start));
    icalproperty* duration = icalcomponent_get_first_property(event, ICAL_DURATION_PROPERTY);
    return duration == nullptr ? 1 : icaldurationtype_as_int(icalproperty_get_duration(duration)) / 86400;
  }

  absl::Status Add(absl::CivilDay first, int days, const std::string& name) {
    for (int i = 0; i < days && i < kLongestDays; ++i) {
      if (first + i < from_ || first + i >= until_) continue;
      if (found_.size() == kHolidaysMost) {
        return absl::ResourceExhaustedError(absl::StrCat("the calendar has more than ", kHolidaysMost, " whole days in these years"));
      }
      found_.push_back({first + i, name});
    }
    return absl::OkStatus();
  }

  const absl::CivilDay from_, until_;
  std::vector<Holiday> found_;
};

}  // namespace

absl::StatusOr<std::vector<Holiday>> FindHolidays(const std::string& calendar, absl::CivilDay from, absl::CivilDay until) {
  const ParsedText parsed = ParseCalendars(calendar);
  if (parsed.calendars.empty()) return absl::InvalidArgumentError("this is no calendar file (iCalendar, RFC 5545)");
  Finder finder(from, until);
  for (icalcomponent* one : parsed.calendars) RB_RETURN_IF_ERROR(finder.Calendar(one));
  return finder.Take();
}

}  // namespace ringback::calendars
