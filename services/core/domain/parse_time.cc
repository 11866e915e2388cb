// Times as people type them. See calendar.h.
#include <cctype>
#include <string>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/input.h"

namespace ringback::domain {
namespace {

constexpr char kForms[] =
    "use 13:00, \"tomorrow 9:30\", +2h, +90m, +3d, \"2026-11-24 09:30\", \"24.11.2026 9:30\" or "
    "2026-11-24T09:30:00+01:00";
constexpr char kPastForms[] =
    "use 13:00, \"yesterday 17:30\", -10m, \"2026-11-24 09:30\" or 2026-11-24T09:30:00+01:00";

enum class Side { kFuture, kPast };

absl::Status NotATime(std::string_view text, Side side) {
  const std::string shown(text.substr(0, 60));
  return InvalidField("", "NOT_A_TIME",
                      absl::StrCat("\"", shown, "\" is not a time; ", side == Side::kPast ? kPastForms : kForms));
}

std::string Local(absl::Time at, absl::TimeZone zone) { return absl::FormatTime("%Y-%m-%d %H:%M", at, zone); }

// "9:30", "09:30", "09:30:15"; nothing else.
bool ParseClock(absl::string_view text, int* hour, int* minute, int* second) {
  int* const parts[] = {hour, minute, second};
  *second = 0;
  for (int i = 0; i < 3; ++i) {
    size_t digits = 0;
    while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
    if (digits == 0 || digits > 2 || (i > 0 && digits != 2)) return false;
    if (!absl::SimpleAtoi(text.substr(0, digits), parts[i])) return false;
    text.remove_prefix(digits);
    if (text.empty()) return i >= 1 && *hour < 24 && *minute < 60 && *second < 60;
    if (!absl::ConsumePrefix(&text, ":")) return false;
  }
  return false;
}

absl::StatusOr<absl::Time> AtLocal(absl::CivilSecond local, absl::TimeZone zone) {
  const auto info = zone.At(local);
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) {
    return InvalidField("", "SKIPPED_BY_CLOCK_CHANGE",
                        absl::StrCat(absl::FormatCivilTime(absl::CivilMinute(local)),
                                     " does not exist there: the clocks go forward; the next valid time is ",
                                     Local(info.trans, zone)));
  }
  return info.pre;  // of a time that happens twice the first
}

// "28.3.2027 2:30": day, month and year with a time behind.
bool ParseDottedDate(absl::string_view text, absl::CivilDay* day, absl::string_view* clock) {
  int parts[3];
  for (int i = 0; i < 3; ++i) {
    const char end = i < 2 ? '.' : ' ';
    const size_t at = text.find(end);
    if (at == 0 || at == absl::string_view::npos || at > 4 || !absl::c_all_of(text.substr(0, at), absl::ascii_isdigit)) {
      return false;
    }
    if (!absl::SimpleAtoi(text.substr(0, at), &parts[i])) return false;
    text.remove_prefix(at + 1);
  }
  *day = absl::CivilDay(parts[2], parts[1], parts[0]);
  *clock = absl::StripAsciiWhitespace(text);
  // CivilDay carries over what no calendar has, such as 31.2.
  return parts[2] >= 1970 && day->month() == parts[1] && day->day() == parts[0];
}

// "+3d": that many calendar days, at the same time of day.
absl::StatusOr<absl::Time> DaysFromNow(int days, absl::TimeZone zone, absl::Time now) {
  const absl::CivilSecond local = absl::ToCivilSecond(now, zone);
  const absl::CivilDay day = absl::CivilDay(local) + days;
  const absl::CivilSecond then(day.year(), day.month(), day.day(), local.hour(), local.minute(), local.second());
  return AtLocal(then, zone);
}

absl::StatusOr<absl::Time> Parse(std::string_view typed, absl::TimeZone zone, absl::Time now, Side side) {
  absl::string_view text = absl::StripAsciiWhitespace(absl::string_view(typed.data(), typed.size()));
  if (text.empty() || text.size() > 60) return NotATime(typed, side);

  const char sign = side == Side::kFuture ? '+' : '-';
  if (text[0] == sign) {
    absl::Duration span;
    absl::string_view count = text.substr(1);
    int days = 0;
    if (side == Side::kFuture && absl::ConsumeSuffix(&count, "d") && count.size() <= 4 &&
        absl::c_all_of(count, absl::ascii_isdigit) && absl::SimpleAtoi(count, &days)) {
      return DaysFromNow(days, zone, now);
    }
    if (text.size() < 2 || !absl::ascii_isdigit(text[1]) || !absl::ParseDuration(text.substr(1), &span) ||
        span == absl::InfiniteDuration()) {
      return NotATime(typed, side);
    }
    return side == Side::kFuture ? now + span : now - span;
  }

  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  int hour, minute, second;

  struct Word {
    const char* text;
    int days;
  };
  const std::string lower = absl::AsciiStrToLower(text);
  for (const Word word : {Word{"today ", 0}, {"heute ", 0}, {"tomorrow ", 1}, {"morgen ", 1}, {"yesterday ", -1},
                          {"gestern ", -1}, {"", 0}}) {
    absl::string_view rest = lower;
    if (!absl::ConsumePrefix(&rest, word.text)) continue;
    rest = absl::StripAsciiWhitespace(rest);
    absl::ConsumeSuffix(&rest, " uhr");
    if (!ParseClock(rest, &hour, &minute, &second)) continue;
    const absl::CivilDay day = today + word.days;
    RB_ASSIGN_OR_RETURN(const absl::Time at,
                        AtLocal(absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, second), zone));
    if (side == Side::kFuture && at <= now) {
      return InvalidField("", "TIME_PASSED",
                          absl::StrFormat("%s has passed (it is %s); for the next day say \"tomorrow %02d:%02d\"",
                                          Local(at, zone), absl::FormatTime("%H:%M", now, zone), hour, minute));
    }
    if (side == Side::kPast && at > now) {
      return InvalidField("", "TIME_AHEAD",
                          absl::StrFormat("%s is still to come (it is %s); for the day before: \"yesterday %02d:%02d\"",
                                          Local(at, zone), absl::FormatTime("%H:%M", now, zone), hour, minute));
    }
    return at;
  }

  absl::CivilDay dotted;
  if (absl::string_view clock; ParseDottedDate(lower, &dotted, &clock)) {
    absl::ConsumeSuffix(&clock, " uhr");
    if (!ParseClock(clock, &hour, &minute, &second)) return NotATime(typed, side);
    return AtLocal(absl::CivilSecond(dotted.year(), dotted.month(), dotted.day(), hour, minute, second), zone);
  }

  // "2026-11-24 09:30" and "2026-11-24T09:30[:00]" are local; with an offset it is RFC 3339.
  if (text.size() > 11 && (text[10] == ' ' || text[10] == 'T' || text[10] == 't')) {
    absl::CivilDay day;
    if (!absl::ParseCivilTime(text.substr(0, 10), &day)) return NotATime(typed, side);
    if (ParseClock(text.substr(11), &hour, &minute, &second)) {
      return AtLocal(absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, second), zone);
    }
    absl::Time at;
    std::string upper = absl::AsciiStrToUpper(text);
    upper[10] = 'T';
    if (absl::ParseTime(absl::RFC3339_full, upper, &at, nullptr) && at != absl::InfiniteFuture()) return at;
  }
  return NotATime(typed, side);
}

}  // namespace

absl::StatusOr<absl::Time> ParseTime(std::string_view text, absl::TimeZone zone, absl::Time now) {
  return Parse(text, zone, now, Side::kFuture);
}

absl::StatusOr<absl::Time> ParsePastTime(std::string_view text, absl::TimeZone zone, absl::Time now) {
  return Parse(text, zone, now, Side::kPast);
}

}  // namespace ringback::domain
