// Holidays by libical. Runs in the child alone (holidays.h): whole days have no zone, so none is needed.
#include <libical/ical.h>

#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/holidays/holidays.h"

namespace ringback::holidays {
namespace {

constexpr size_t kDaysMost = 4000;
constexpr int kStepsMost = 200000;  // of one row, from its beginning on
constexpr int kLongestDays = 366;   // of one event: school holidays, not eternity

struct ComponentFree {
  void operator()(icalcomponent* component) const { icalcomponent_free(component); }
};
struct IteratorFree {
  void operator()(icalrecur_iterator* iterator) const { icalrecur_iterator_free(iterator); }
};

absl::CivilDay DayOf(const icaltimetype& at) { return absl::CivilDay(at.year, at.month, at.day); }

class Finder {
 public:
  Finder(absl::CivilDay from, absl::CivilDay until) : from_(from), until_(until) {}

  absl::Status Calendar(icalcomponent* calendar) {
    for (icalcomponent* event = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT); event != nullptr;
         event = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
      RB_RETURN_IF_ERROR(Event(event));
    }
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
    for (icalproperty* one = icalcomponent_get_first_property(event, ICAL_EXDATE_PROPERTY); one != nullptr;
         one = icalcomponent_get_next_property(event, ICAL_EXDATE_PROPERTY)) {
      not_on.insert(DayOf(icalproperty_get_exdate(one)));
    }
    const std::unique_ptr<icalrecur_iterator, IteratorFree> dates(
        icalrecur_iterator_new(icalproperty_get_rrule(row), start));
    if (dates == nullptr) return absl::InvalidArgumentError("the calendar has a row of dates that cannot be read");
    for (int step = 0;; ++step) {
      const icaltimetype next = icalrecur_iterator_next(dates.get());
      if (icaltime_is_null_time(next) || DayOf(next) >= until_) return absl::OkStatus();
      if (step == kStepsMost) return absl::ResourceExhaustedError("the calendar has a row of dates without an end in sight");
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
      if (found_.size() == kDaysMost) {
        return absl::ResourceExhaustedError(absl::StrCat("the calendar has more than ", kDaysMost, " whole days in these years"));
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
  const std::unique_ptr<icalcomponent, ComponentFree> parsed(icalparser_parse_string(calendar.c_str()));
  const auto none = [] { return absl::InvalidArgumentError("this is no calendar file (iCalendar, RFC 5545)"); };
  if (parsed == nullptr) return none();
  Finder finder(from, until);
  if (icalcomponent_isa(parsed.get()) == ICAL_VCALENDAR_COMPONENT) {
    RB_RETURN_IF_ERROR(finder.Calendar(parsed.get()));
    return finder.Take();
  }
  icalcomponent* one = icalcomponent_get_first_component(parsed.get(), ICAL_VCALENDAR_COMPONENT);
  if (one == nullptr) return none();
  for (; one != nullptr; one = icalcomponent_get_next_component(parsed.get(), ICAL_VCALENDAR_COMPONENT)) {
    RB_RETURN_IF_ERROR(finder.Calendar(one));
  }
  return finder.Take();
}

}  // namespace ringback::holidays
