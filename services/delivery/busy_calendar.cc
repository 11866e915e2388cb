#include "delivery/busy_calendar.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ringback::delivery {
namespace {

constexpr absl::Duration kParseTimeout = absl::Seconds(15);
constexpr absl::Duration kLongest = absl::Hours(24 * 366);

sandbox::PoolOptions Options(std::string program) {
  sandbox::PoolOptions options;
  options.program = std::move(program);
  options.limits.memory_bytes = 200ull << 20;
  options.limits.cpu_per_job = absl::Seconds(2);
  options.limits.response_bytes_max = 4ull << 20;
  return options;
}

// What the child answers when the calendar is the trouble.
constexpr std::string_view kRefused = "refused ";

}  // namespace

// A line each: "@<seconds since 1970> <length>" or "<civil time> <length> <zone>".
std::string EncodeFound(const std::vector<FoundTime>& found) {
  std::string text;
  for (const FoundTime& one : found) {
    const int64_t length = absl::ToInt64Seconds(one.length);
    if (one.start.has_value()) {
      absl::StrAppend(&text, "@", absl::ToUnixSeconds(*one.start), " ", length, "\n");
    } else {
      absl::StrAppend(&text, absl::FormatCivilTime(one.local), " ", length, " ", one.zone, "\n");
    }
  }
  return text;
}

std::optional<std::vector<FoundTime>> DecodeFound(std::string_view text) {
  std::vector<FoundTime> found;
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    if (line.empty()) continue;
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 2));
    FoundTime one;
    int64_t length = 0, start = 0;
    if (parts.size() < 2 || !absl::SimpleAtoi(parts[1], &length) || length < 0) return std::nullopt;
    one.length = std::min(absl::Seconds(length), kLongest);
    absl::string_view when = parts[0];
    if (absl::ConsumePrefix(&when, "@")) {
      if (!absl::SimpleAtoi(when, &start)) return std::nullopt;
      one.start = absl::FromUnixSeconds(start);
    } else {
      if (!absl::ParseCivilTime(when, &one.local)) return std::nullopt;
      if (parts.size() > 2) one.zone = std::string(parts[2]);
    }
    found.push_back(std::move(one));
  }
  return found;
}

std::string EncodeWindow(absl::Time from, absl::Time until) {
  return absl::StrCat(absl::ToUnixSeconds(from), " ", absl::ToUnixSeconds(until), "\n");
}

std::optional<Window> DecodeWindow(std::string_view request, size_t* calendar_begins) {
  const size_t end = request.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::vector<absl::string_view> parts = absl::StrSplit(absl::string_view(request.data(), end), ' ');
  int64_t from = 0, until = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &from) || !absl::SimpleAtoi(parts[1], &until)) {
    return std::nullopt;
  }
  *calendar_begins = end + 1;
  return Window{absl::FromUnixSeconds(from), absl::FromUnixSeconds(until)};
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

BusyParser::BusyParser(std::string program) : pool_(Options(std::move(program))) {}

absl::StatusOr<std::vector<BusyTimes>> BusyParser::Parse(const std::string& calendar, absl::TimeZone own_zone,
                                                         absl::Time from, absl::Time until) {
  const absl::StatusOr<std::string> answer = pool_.Run({EncodeWindow(from, until), calendar}, kParseTimeout);
  if (absl::IsUnavailable(answer.status())) return answer.status();
  if (!answer.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("the calendar cannot be read: ", answer.status().message()));
  }
  absl::string_view text = *answer;
  if (absl::ConsumePrefix(&text, absl::string_view(kRefused.data(), kRefused.size()))) {
    return absl::InvalidArgumentError(text);
  }
  const auto found = DecodeFound(*answer);
  if (!found.has_value()) return absl::InvalidArgumentError("the calendar cannot be read: its reader answered nonsense");
  return Joined(*found, own_zone, from, until);
}

std::string CalendarParserBesideThisProgram() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  constexpr char kName[] = "ringback-calendar-parser";
  return error ? kName : (self.parent_path() / kName).string();
}

}  // namespace ringback::delivery
