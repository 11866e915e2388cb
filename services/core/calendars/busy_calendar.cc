#include "core/calendars/busy_calendar.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "core/sandbox/fields.h"

namespace ringback::calendars {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 366);

}  // namespace

std::string EncodeFound(const std::vector<FoundTime>& found) {
  sandbox::FieldWriter w;
  w.Count(found.size());
  for (const FoundTime& one : found) {
    w.Flag(one.start.has_value());
    w.Number<int64_t>(one.start.has_value() ? absl::ToUnixSeconds(*one.start) : one.local - absl::CivilSecond());
    w.Bytes(one.zone);
    w.Number(absl::ToInt64Seconds(one.length));
  }
  return w.Take();
}

std::optional<std::vector<FoundTime>> DecodeFound(std::string_view bytes) {
  sandbox::FieldReader r(bytes);
  std::vector<FoundTime> found(r.Count(kBusyTimesMost));
  for (FoundTime& one : found) {
    const bool in_time = r.Flag();
    const auto seconds = r.Number<int64_t>();
    if (in_time) {
      one.start = absl::FromUnixSeconds(seconds);
    } else {
      one.local = absl::CivilSecond() + seconds;
    }
    one.zone = r.Bytes();
    const auto length = r.Number<int64_t>();
    r.Expect(length >= 0);
    one.length = std::min(absl::Seconds(length), kLongest);
  }
  if (!r.AtEnd()) return std::nullopt;
  return found;
}

std::vector<BusyTimes> Joined(const std::vector<FoundTime>& found, absl::TimeZone own_zone, absl::Time from,
                              absl::Time until) {
  std::vector<BusyTimes> times;
  for (const FoundTime& one : found) {
    absl::Time start;
    if (one.start.has_value()) {
      start = *one.start;
    } else {
      absl::TimeZone zone = own_zone;
      // A zone is a name; the tz library also opens files by path.
      const bool is_name = !one.zone.empty() && one.zone.find_first_of(":.\\") == std::string::npos && one.zone[0] != '/';
      if (is_name && !absl::LoadTimeZone(one.zone, &zone)) zone = own_zone;
      start = absl::FromCivil(one.local, zone);
    }
    const BusyTimes clipped{std::max(start, from), std::min(start + one.length, until)};
    if (clipped.start < clipped.end) times.push_back(clipped);
  }
  std::sort(times.begin(), times.end(), [](const BusyTimes& a, const BusyTimes& b) { return a.start < b.start; });
  std::vector<BusyTimes> joined;
  for (const BusyTimes& one : times) {
    if (!joined.empty() && one.start <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, one.end);
    } else {
      joined.push_back(one);
    }
  }
  return joined;
}

absl::StatusOr<std::vector<BusyTimes>> BusyParser::Parse(const std::string& calendar, absl::TimeZone own_zone,
                                                         absl::Time from, absl::Time until) {
  const Question question{Question::For::kBusyTimes, absl::ToUnixSeconds(from), absl::ToUnixSeconds(until)};
  RB_ASSIGN_OR_RETURN(const std::string answer, child_.Ask(question, calendar));
  const auto found = DecodeFound(answer);
  if (!found.has_value()) return Nonsense();
  return Joined(*found, own_zone, from, until);
}

}  // namespace ringback::calendars
