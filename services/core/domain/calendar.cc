#include "core/domain/calendar.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"
#include "core/domain/input.h"

namespace ringback::domain {
namespace {

using store::v1::Calendar;

constexpr int kHorizonDays = 400;

using Span = OpenSpan;

int IsoWeekday(absl::CivilDay day) { return static_cast<int>(absl::GetWeekday(day)) + 1; }

// A local minute as an instant. In a gap it is the moment of the change; of a minute that happens twice the first
// opens and the second closes, so that a changed clock never shortens the team's day.
absl::Time AtMinute(absl::CivilDay day, int minute, absl::TimeZone zone, bool closes) {
  const auto info = zone.At(absl::CivilSecond(absl::CivilMinute(day) + minute));
  switch (info.kind) {
    case absl::TimeZone::TimeInfo::SKIPPED: return info.trans;
    case absl::TimeZone::TimeInfo::REPEATED: return closes ? info.post : info.pre;
    default: return info.pre;
  }
}

bool IsHoliday(const Calendar& calendar, absl::CivilDay day) {
  if (calendar.holidays().empty()) return false;
  const std::string text = absl::FormatCivilTime(day);
  return std::find(calendar.holidays().begin(), calendar.holidays().end(), text) != calendar.holidays().end();
}

// The open spans of one local day, in order.
std::vector<Span> OpenSpans(const Calendar& calendar, absl::TimeZone zone, absl::CivilDay day) {
  if (IsHoliday(calendar, day)) return {};
  std::vector<Span> spans;
  if (calendar.hours().empty()) {
    spans.push_back({AtMinute(day, 0, zone, false), AtMinute(day, 1440, zone, false)});
  }
  for (const auto& hours : calendar.hours()) {
    if (hours.weekday() != IsoWeekday(day)) continue;
    spans.push_back({AtMinute(day, hours.start_minute(), zone, false),
                     AtMinute(day, hours.end_minute(), zone, hours.end_minute() < 1440)});
  }
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
  return spans;
}

// The open span that holds `at`, or else the first one after it; nullopt when there is none within the horizon.
std::optional<Span> SpanFrom(const Calendar& calendar, absl::TimeZone zone, absl::Time at) {
  absl::CivilDay day = absl::ToCivilDay(at, zone);
  for (int i = 0; i <= kHorizonDays; ++i, ++day) {
    for (const Span& span : OpenSpans(calendar, zone, day)) {
      if (at < span.end) return Span{std::max(span.start, at), span.end};
    }
  }
  return std::nullopt;
}

bool AlwaysOpen(const Calendar& calendar) { return calendar.hours().empty() && calendar.holidays().empty(); }

}  // namespace

absl::StatusOr<absl::TimeZone> LoadZone(const std::string& iana_name) {
  absl::TimeZone zone;
  // The tz library also opens files by path; a zone is a name.
  const bool is_path = iana_name.find_first_of(":.\\") != std::string::npos || iana_name.substr(0, 1) == "/";
  if (iana_name.empty() || is_path || iana_name.size() > 60 || !absl::LoadTimeZone(iana_name, &zone)) {
    return InvalidField("time_zone", "UNKNOWN_TIME_ZONE",
                        absl::StrCat("\"", iana_name.substr(0, 60),
                                     "\" is not a time zone; use a name like Europe/Berlin or UTC"));
  }
  return zone;
}

absl::Status CheckCalendar(const Calendar& calendar) {
  if (calendar.hours_size() > 70) {
    return InvalidField("hours", "TOO_MANY", "at most 70 open spans; join the ones that touch");
  }
  for (int i = 0; i < calendar.hours_size(); ++i) {
    const auto& hours = calendar.hours(i);
    if (hours.weekday() < 1 || hours.weekday() > 7) {
      return InvalidField(absl::StrCat("hours[", i, "].weekday"), "OUT_OF_RANGE", "1 (Monday) to 7 (Sunday)");
    }
    if (hours.start_minute() < 0 || hours.start_minute() >= hours.end_minute() || hours.end_minute() > 1440) {
      return InvalidField(absl::StrCat("hours[", i, "]"), "OUT_OF_RANGE",
                          "minutes since midnight with 0 <= start < end <= 1440; 480 to 1080 is 8:00 to 18:00");
    }
  }
  if (calendar.holidays_size() > 1000) return InvalidField("holidays", "TOO_MANY", "at most 1000 days");
  for (int i = 0; i < calendar.holidays_size(); ++i) {
    absl::CivilDay day;
    if (!absl::ParseCivilTime(calendar.holidays(i), &day) || absl::FormatCivilTime(day) != calendar.holidays(i)) {
      return InvalidField(absl::StrCat("holidays[", i, "]"), "NOT_A_DATE", "a day like 2026-12-25");
    }
  }
  return absl::OkStatus();
}

Calendar DefaultCalendar() {
  Calendar calendar;
  for (int weekday = 1; weekday <= 5; ++weekday) {
    auto* hours = calendar.add_hours();
    hours->set_weekday(weekday);
    hours->set_start_minute(8 * 60);
    hours->set_end_minute(18 * 60);
  }
  return calendar;
}

std::vector<OpenSpan> OpenSpansOf(const Calendar& calendar, absl::TimeZone zone, absl::CivilDay day) {
  std::vector<Span> joined;
  for (const Span& span : OpenSpans(calendar, zone, day)) {
    if (!joined.empty() && span.start <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, span.end);
    } else {
      joined.push_back(span);
    }
  }
  return joined;
}

bool IsOpen(const Calendar& calendar, absl::TimeZone zone, absl::Time at) {
  if (AlwaysOpen(calendar)) return true;
  for (const Span& span : OpenSpans(calendar, zone, absl::ToCivilDay(at, zone))) {
    if (span.start <= at && at < span.end) return true;
  }
  return false;
}

absl::Time NextOpen(const Calendar& calendar, absl::TimeZone zone, absl::Time at) {
  if (AlwaysOpen(calendar)) return at;
  const auto span = SpanFrom(calendar, zone, at);
  return span ? span->start : at;
}

absl::Time AddTeamHours(const Calendar& calendar, absl::TimeZone zone, absl::Time from, absl::Duration hours) {
  if (AlwaysOpen(calendar) || hours <= absl::ZeroDuration()) return from + hours;
  absl::Time at = from;
  while (true) {
    const auto span = SpanFrom(calendar, zone, at);
    if (!span) return at + hours;
    if (hours <= span->end - span->start) return span->start + hours;
    hours -= span->end - span->start;
    at = span->end;
  }
}

std::string IsoWeek(absl::Time at, absl::TimeZone zone) {
  const absl::CivilDay day = absl::ToCivilDay(at, zone);
  // A week belongs to the year that holds its Thursday (ISO 8601, 3.1.1.23).
  const absl::CivilDay thursday = day - IsoWeekday(day) + 4;
  return absl::StrFormat("%d-W%02d", thursday.year(), (absl::GetYearDay(thursday) - 1) / 7 + 1);
}

}  // namespace ringback::domain
