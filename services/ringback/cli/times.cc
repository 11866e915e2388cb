// See times.h.
#include "ringback/cli/times.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/civil_time.h"

namespace ringback::cli {
namespace {

struct Unit {
  const char* word;
  const char* letter;
  int64_t seconds;
};
constexpr Unit kUnits[] = {{"d", "d", 86400}, {"h", "h", 3600}, {"min", "m", 60}, {"s", "s", 1}};

absl::Status NotASpan(std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(text.substr(0, 40)), "\" is not a span of time; use 45s, 10m, 1h30m or 2d"));
}

int64_t SecondsOf(std::string_view unit) {
  for (const auto& [word, seconds] : std::initializer_list<std::pair<std::string_view, int64_t>>{
           {"s", 1}, {"sec", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400}}) {
    if (unit == word) return seconds;
  }
  return 0;
}

}  // namespace

std::string SpanWords(absl::Duration span) {
  int64_t rest = absl::ToInt64Seconds(absl::AbsDuration(span));
  std::string words;
  int shown = 0;
  for (const Unit& unit : kUnits) {
    const int64_t count = rest / unit.seconds;
    rest %= unit.seconds;
    if (count == 0 && (shown == 0 || shown == 2)) continue;
    if (shown == 2 || (shown == 1 && unit.seconds == 1)) break;  // "12 min", not "12 min 5 s"
    if (count > 0) absl::StrAppend(&words, shown > 0 ? " " : "", count, " ", unit.word);
    ++shown;
  }
  return words.empty() ? "0 s" : words;
}

std::string ClockWords(absl::Time at, absl::Time now, absl::TimeZone zone) {
  const absl::CivilSecond local = absl::ToCivilSecond(at, zone);
  const absl::CivilDay day(local);
  const absl::CivilDay today = absl::ToCivilDay(now, zone);
  const std::string clock = absl::FormatTime("%H:%M", at, zone);
  if (day == today) return clock;
  if (day == today + 1) return "tomorrow " + clock;
  if (day == today - 1) return "yesterday " + clock;
  const int64_t days = day - today;
  if (days > -180 && days < 180) return absl::FormatTime("%a %e %b %H:%M", at, zone);
  return absl::FormatTime("%Y-%m-%d %H:%M", at, zone);
}

std::string RelativeWords(absl::Time at, absl::Time now) {
  if (absl::AbsDuration(at - now) < absl::Seconds(1)) return "now";
  return at > now ? "in " + SpanWords(at - now) : SpanWords(now - at) + " ago";
}

std::string WhenWords(absl::Time at, absl::Time now, absl::TimeZone zone) {
  return absl::StrCat(ClockWords(at, now, zone), " (", RelativeWords(at, now), ")");
}

absl::StatusOr<absl::Duration> ParseSpanOrZero(std::string_view text) {
  const std::string_view whole = text;
  int64_t seconds = 0;
  bool any = false;
  const auto skip_spaces = [&] {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  };
  for (skip_spaces(); !text.empty(); skip_spaces()) {
    int64_t count = 0;
    size_t digits = 0;
    while (digits < text.size() && absl::ascii_isdigit(text[digits]) && digits < 9) {
      count = count * 10 + (text[digits++] - '0');
    }
    if (digits == 0) return NotASpan(whole);
    text.remove_prefix(digits);
    skip_spaces();
    size_t letters = 0;
    while (letters < text.size() && absl::ascii_isalpha(text[letters])) ++letters;
    const int64_t unit = SecondsOf(text.substr(0, letters));
    if (unit == 0 && !(letters == 0 && text.empty() && count == 0 && !any)) return NotASpan(whole);
    text.remove_prefix(letters);
    seconds += count * unit;
    any = true;
    if (seconds > 366LL * 86400) return NotASpan(whole);
  }
  if (!any) return NotASpan(whole);
  return absl::Seconds(seconds);
}

absl::StatusOr<absl::Duration> ParseSpan(std::string_view text) {
  absl::StatusOr<absl::Duration> span = ParseSpanOrZero(text);
  if (span.ok() && *span == absl::ZeroDuration()) return NotASpan(text);
  return span;
}

std::string SpanText(absl::Duration span) {
  int64_t rest = absl::ToInt64Seconds(span);
  std::string text;
  for (const Unit& unit : kUnits) {
    if (rest >= unit.seconds) absl::StrAppend(&text, rest / unit.seconds, unit.letter);
    rest %= unit.seconds;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace ringback::cli
