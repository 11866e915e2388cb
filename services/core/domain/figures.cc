#include "core/domain/figures.h"

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/input.h"

namespace ringback::domain {
namespace {

constexpr int kWeeksDefault = 12;
constexpr int kWeeksMost = 53;

constexpr std::array<int64_t, 20> kBounds = {60,    120,   300,   600,   900,   1200,  1800,  2700,   3600,   5400,
                                             7200,  10800, 14400, 21600, 28800, 43200, 86400, 172800, 259200, 604800};

std::string Name(std::string_view what, int64_t bound) { return absl::StrCat(std::string(what), ":", bound); }
std::string Longest(std::string_view what) { return absl::StrCat(std::string(what), ":more"); }

// The Monday of "2026-W48"; nullopt for what is no week of the calendar ("2026-W54", "2025-W53").
std::optional<absl::CivilDay> MondayOf(const std::string& week) {
  int year = 0, number = 0;
  if (week.size() != 8 || week.substr(4, 2) != "-W" || !absl::SimpleAtoi(week.substr(0, 4), &year) ||
      !absl::SimpleAtoi(week.substr(6), &number) || year < 1970 || number < 1) {
    return std::nullopt;
  }
  // The first week is the one with 4 January in it.
  const absl::CivilDay in_first(year, 1, 4);
  const absl::CivilDay monday = in_first - static_cast<int>(absl::GetWeekday(in_first)) + 7 * (number - 1);
  const bool of_that_year = (monday + 3).year() == year;  // its Thursday says whose week it is
  return of_that_year ? std::optional(monday) : std::nullopt;
}

std::string WeekOf(absl::CivilDay day) { return IsoWeek(absl::FromCivil(day, absl::UTCTimeZone()), absl::UTCTimeZone()); }

absl::StatusOr<absl::CivilDay> Monday(const std::string& week, std::string_view field) {
  const auto monday = MondayOf(week);
  if (!monday) return InvalidField(field, "WEEK_INVALID", "an ISO week like 2026-W48");
  return *monday;
}

}  // namespace

std::string SpanCounter(std::string_view what, absl::Duration took) {
  for (const int64_t bound : kBounds) {
    if (took <= absl::Seconds(bound)) return Name(what, bound);
  }
  return Longest(what);
}

int64_t CountOf(const Counts& counts, std::string_view name, std::string_view member_id) {
  const std::string whole =
      member_id.empty() ? std::string(name) : absl::StrCat(std::string(name), "/", std::string(member_id));
  const auto found = counts.find(whole);
  return found == counts.end() ? 0 : found->second;
}

std::optional<absl::Duration> MedianOf(const Counts& counts, std::string_view what, std::string_view member_id) {
  int64_t all = CountOf(counts, Longest(what), member_id);
  for (const int64_t bound : kBounds) all += CountOf(counts, Name(what, bound), member_id);
  if (all <= 0) return std::nullopt;
  const double half = static_cast<double>(all) / 2;
  int64_t below = 0, from = 0;
  for (const int64_t bound : kBounds) {
    const int64_t within = CountOf(counts, Name(what, bound), member_id);
    if (within > 0 && static_cast<double>(below + within) >= half) {
      const double share = (half - static_cast<double>(below)) / static_cast<double>(within);
      return absl::Seconds(from) + absl::Trunc(absl::Seconds(bound - from) * share, absl::Seconds(1));
    }
    below += within;
    from = bound;
  }
  return absl::Seconds(from);
}

std::set<std::string> MembersIn(const Counts& counts) {
  std::set<std::string> members;
  for (const auto& [name, count] : counts) {
    const size_t slash = name.find('/');
    if (slash != std::string::npos && count != 0) members.insert(name.substr(slash + 1));
  }
  return members;
}

absl::StatusOr<std::vector<std::string>> WeeksOf(const std::string& from, const std::string& to, absl::Time now,
                                                 absl::TimeZone zone) {
  RB_ASSIGN_OR_RETURN(const absl::CivilDay last, Monday(to.empty() ? IsoWeek(now, zone) : to, "to_week"));
  absl::CivilDay week = last - 7 * (kWeeksDefault - 1);
  if (!from.empty()) {
    RB_ASSIGN_OR_RETURN(week, Monday(from, "from_week"));
  }
  if (week > last) return InvalidField("from_week", "NOT_IN_ORDER", absl::StrCat("not after ", WeekOf(last)));
  if ((last - week) / 7 + 1 > kWeeksMost) {
    return InvalidField("from_week", "TOO_MANY_WEEKS", absl::StrCat("at most ", kWeeksMost, " weeks at a time"));
  }
  std::vector<std::string> weeks;
  for (; week <= last; week += 7) weeks.push_back(WeekOf(week));
  return weeks;
}

}  // namespace ringback::domain
