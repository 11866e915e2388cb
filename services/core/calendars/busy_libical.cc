// Busy times by libical. Runs in the child alone (busy_calendar.h): no file is opened here, so a zone is known only where
// the calendar describes it (VTIMEZONE).
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/calendars/busy_calendar.h"
#include "core/calendars/read_libical.h"

namespace ringback::calendars {
namespace {

absl::CivilSecond CivilOf(const icaltimetype& at) {
  if (at.is_date) return absl::CivilSecond(at.year, at.month, at.day);
  return absl::CivilSecond(at.year, at.month, at.day, at.hour, at.minute, at.second);
}

// A day of a row, as the row itself counts them: an exception may be written in UTC where the row has a zone.
std::string Mark(icaltimetype at, icaltimezone* zone) {
  if (icaltime_is_utc(at) && zone != nullptr) at = icaltime_convert_to_zone(at, zone);
  return absl::FormatCivilTime(CivilOf(at));
}

// A time of the calendar, with the zone that its property names.
struct CalendarTime {
  icaltimetype at = icaltime_null_time();
  std::string zone_name;
  icaltimezone* zone = nullptr;  // where the calendar describes it
};

CalendarTime TimeOf(icalproperty* property, const icaltimetype& at, icalcomponent* calendar) {
  CalendarTime time;
  time.at = at;
  if (icalparameter* named = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER)) {
    time.zone_name = icalparameter_get_tzid(named);
    time.zone = icalcomponent_get_timezone(calendar, time.zone_name.c_str());
  }
  return time;
}

class Finder {
 public:
  Finder(absl::Time from, absl::Time until)
      : first_(absl::ToCivilSecond(from - absl::Hours(24), absl::UTCTimeZone())),
        last_(absl::ToCivilSecond(until + absl::Hours(24), absl::UTCTimeZone())) {}

  absl::Status Calendar(icalcomponent* calendar) {
    CollectMoved(calendar);
    for (icalcomponent* event : Components(calendar, ICAL_VEVENT_COMPONENT)) RB_RETURN_IF_ERROR(Event(event, calendar));
    for (icalcomponent* busy : Components(calendar, ICAL_VFREEBUSY_COMPONENT)) RB_RETURN_IF_ERROR(FreeBusy(busy));
    return absl::OkStatus();
  }

  std::vector<FoundTime> Take() { return std::move(found_); }

 private:
  // Single days of a row that were moved or called off stand as events of their own.
  void CollectMoved(icalcomponent* calendar) {
    for (icalcomponent* event : Components(calendar, ICAL_VEVENT_COMPONENT)) {
      icalproperty* of = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY);
      if (of != nullptr) moved_[Uid(event)].push_back(icalproperty_get_recurrenceid(of));
    }
  }

  static std::string Uid(icalcomponent* event) {
    const char* uid = icalcomponent_get_uid(event);
    return uid == nullptr ? "" : uid;
  }

  static bool IsBusy(icalcomponent* event) {
    if (icalcomponent_get_status(event) == ICAL_STATUS_CANCELLED) return false;
    icalproperty* transparency = icalcomponent_get_first_property(event, ICAL_TRANSP_PROPERTY);
    if (transparency == nullptr) return true;
    const icalproperty_transp value = icalproperty_get_transp(transparency);
    return value != ICAL_TRANSP_TRANSPARENT && value != ICAL_TRANSP_TRANSPARENTNOCONFLICT;
  }

  static absl::Duration LengthOf(icalcomponent* event, const icaltimetype& start) {
    if (icalproperty* end = icalcomponent_get_first_property(event, ICAL_DTEND_PROPERTY)) {
      return absl::Seconds(CivilOf(icalproperty_get_dtend(end)) - CivilOf(start));
    }
    if (icalproperty* duration = icalcomponent_get_first_property(event, ICAL_DURATION_PROPERTY)) {
      return absl::Seconds(icaldurationtype_as_int(icalproperty_get_duration(duration)));
    }
    return start.is_date ? absl::Hours(24) : absl::ZeroDuration();  // RFC 5545, 3.6.1
  }

  absl::Status Event(icalcomponent* event, icalcomponent* calendar) {
    icalproperty* begins = icalcomponent_get_first_property(event, ICAL_DTSTART_PROPERTY);
    if (begins == nullptr || !IsBusy(event)) return absl::OkStatus();
    const CalendarTime start = TimeOf(begins, icalproperty_get_dtstart(begins), calendar);
    if (icaltime_is_null_time(start.at) || !icaltime_is_valid_time(start.at)) return absl::OkStatus();
    const absl::Duration length = LengthOf(event, start.at);
    if (length <= absl::ZeroDuration()) return absl::OkStatus();

    std::set<std::string> not_on;
    for (icalproperty* one : Properties(event, ICAL_EXDATE_PROPERTY)) {
      not_on.insert(Mark(icalproperty_get_exdate(one), start.zone));
    }
    const bool is_exception = icalcomponent_get_first_property(event, ICAL_RECURRENCEID_PROPERTY) != nullptr;
    if (!is_exception) {
      for (const icaltimetype& day : moved_[Uid(event)]) not_on.insert(Mark(day, start.zone));
    }

    icalproperty* row = icalcomponent_get_first_property(event, ICAL_RRULE_PROPERTY);
    if (row == nullptr || is_exception) {
      RB_RETURN_IF_ERROR(Add(start, length, not_on));
    } else {
      RB_RETURN_IF_ERROR(Row(icalproperty_get_rrule(row), start, length, not_on));
    }
    for (icalproperty* one : Properties(event, ICAL_RDATE_PROPERTY)) {
      const icaldatetimeperiodtype also = icalproperty_get_rdate(one);
      const icaltimetype at = icaltime_is_null_time(also.time) ? also.period.start : also.time;
      if (!icaltime_is_null_time(at)) RB_RETURN_IF_ERROR(Add(TimeOf(one, at, calendar), length, not_on));
    }
    return absl::OkStatus();
  }

  // In local time, as it is meant: 9:00 stays 9:00 over a change of the clock.
  absl::Status Row(icalrecurrencetype rule, const CalendarTime& start, absl::Duration length,
                   const std::set<std::string>& not_on) {
    // UNTIL is in UTC where the row has a zone (RFC 5545, 3.3.10). Of one that is not known it is in time either way.
    if (icaltime_is_utc(rule.until) && !icaltime_is_utc(start.at)) {
      if (start.zone != nullptr) {
        rule.until = icaltime_convert_to_zone(rule.until, start.zone);
      } else {
        icaltime_adjust(&rule.until, 0, 14, 0, 0);
      }
      rule.until.zone = nullptr;
    }
    RB_ASSIGN_OR_RETURN(DateRow dates, DateRow::Begin(rule, start.at));
    for (;;) {
      CalendarTime next = start;
      RB_ASSIGN_OR_RETURN(next.at, dates.Next());
      if (icaltime_is_null_time(next.at) || CivilOf(next.at) > last_) return absl::OkStatus();
      RB_RETURN_IF_ERROR(Add(next, length, not_on));
    }
  }

  absl::Status FreeBusy(icalcomponent* component) {
    for (icalproperty* one : Properties(component, ICAL_FREEBUSY_PROPERTY)) {
      icalparameter* kind = icalproperty_get_first_parameter(one, ICAL_FBTYPE_PARAMETER);
      if (kind != nullptr && icalparameter_get_fbtype(kind) == ICAL_FBTYPE_FREE) continue;
      const icalperiodtype period = icalproperty_get_freebusy(one);
      if (icaltime_is_null_time(period.start)) continue;
      CalendarTime start;
      start.at = period.start;
      const absl::Duration length = icaltime_is_null_time(period.end)
                                        ? absl::Seconds(icaldurationtype_as_int(period.duration))
                                        : absl::Seconds(CivilOf(period.end) - CivilOf(period.start));
      if (length > absl::ZeroDuration()) RB_RETURN_IF_ERROR(Add(start, length, {}));
    }
    return absl::OkStatus();
  }

  absl::Status Add(const CalendarTime& start, absl::Duration length, const std::set<std::string>& not_on) {
    const absl::CivilSecond local = CivilOf(start.at);
    if (local > last_ || local + absl::ToInt64Seconds(length) < first_ || not_on.count(Mark(start.at, start.zone)) > 0) {
      return absl::OkStatus();
    }
    if (found_.size() == kBusyTimesMost) {
      return absl::ResourceExhaustedError(absl::StrCat("the calendar has more than ", kBusyTimesMost, " appointments ahead"));
    }
    FoundTime one;
    one.length = length;
    if (icaltime_is_utc(start.at)) {
      one.start = absl::FromCivil(local, absl::UTCTimeZone());
    } else if (start.zone != nullptr && !start.at.is_date) {
      one.start = absl::FromTimeT(icaltime_as_timet_with_zone(start.at, start.zone));
    } else {
      one.local = local;
      one.zone = start.zone_name.substr(0, start.zone_name.find('\n'));
    }
    found_.push_back(std::move(one));
    return absl::OkStatus();
  }

  const absl::CivilSecond first_, last_;
  std::map<std::string, std::vector<icaltimetype>> moved_;  // by UID: the days of its row that stand apart
  std::vector<FoundTime> found_;
};

}  // namespace

absl::StatusOr<std::vector<FoundTime>> FindBusy(const std::string& calendar, absl::Time from, absl::Time until) {
  const ParsedText parsed = ParseCalendars(calendar);
  if (parsed.calendars.empty()) {
    return absl::InvalidArgumentError("what came from there is no calendar (iCalendar, RFC 5545)");
  }
  Finder finder(from, until);
  for (icalcomponent* one : parsed.calendars) RB_RETURN_IF_ERROR(finder.Calendar(one));
  return finder.Take();
}

}  // namespace ringback::calendars
