// See hours.h.
#include "ringback/cli/hours.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace ringback::cli {
namespace {

constexpr const char* kDays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

// 1 Monday … 7 Sunday by English or German abbreviation or name; 0 for anything else.
int WeekdayOf(absl::string_view text) {
  const std::string day = absl::AsciiStrToLower(text);
  static constexpr const char* kNames[7][4] = {
      {"mon", "monday", "mo", "montag"},      {"tue", "tuesday", "di", "dienstag"},
      {"wed", "wednesday", "mi", "mittwoch"}, {"thu", "thursday", "do", "donnerstag"},
      {"fri", "friday", "fr", "freitag"},     {"sat", "saturday", "sa", "samstag"},
      {"sun", "sunday", "so", "sonntag"}};
  for (int i = 0; i < 7; ++i) {
    for (const char* name : kNames[i]) {
      if (day == name) return i + 1;
    }
  }
  return 0;
}

// "8", "8:00", "24:00" in minutes; -1 for anything else.
int MinuteOf(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ':');
  int hour = 0, minute = 0;
  if (parts.size() > 2 || !absl::SimpleAtoi(parts[0], &hour)) return -1;
  if (parts.size() == 2 && (parts[1].size() != 2 || !absl::SimpleAtoi(parts[1], &minute))) return -1;
  if (hour < 0 || minute < 0 || minute > 59 || hour * 60 + minute > 1440) return -1;
  return hour * 60 + minute;
}

std::string Clock(int minute) { return absl::StrFormat("%02d:%02d", minute / 60, minute % 60); }

}  // namespace

absl::Status AddHours(std::string_view text, v1::Calendar* calendar) {
  const std::string shown(text);
  const absl::Status wrong = absl::InvalidArgumentError(
      absl::StrCat("\"", shown, "\" are no hours; write them like \"Mon-Fri 8:00-18:00\" or \"Sat 9:00-12:30\""));
  const std::vector<std::string> parts = absl::StrSplit(shown, ' ', absl::SkipWhitespace());
  if (parts.size() != 2) return wrong;
  const std::vector<std::string> days = absl::StrSplit(parts[0], '-');
  const std::vector<std::string> times = absl::StrSplit(parts[1], '-');
  if (days.size() > 2 || times.size() != 2) return wrong;
  const int first = WeekdayOf(days.front()), last = WeekdayOf(days.back());
  const int start = MinuteOf(times[0]), end = MinuteOf(times[1]);
  if (first == 0 || last < first || start < 0 || end <= start) return wrong;
  for (int day = first; day <= last; ++day) {
    v1::Calendar::Hours* const hours = calendar->add_hours();
    hours->set_weekday(day);
    hours->set_start_minute(start);
    hours->set_end_minute(end);
  }
  return absl::OkStatus();
}

std::string HoursWords(const v1::Calendar& calendar) {
  std::string words;
  for (int i = 0; i < calendar.hours_size();) {
    const v1::Calendar::Hours& first = calendar.hours(i);
    int last = i;
    while (last + 1 < calendar.hours_size() &&
           calendar.hours(last + 1).weekday() == calendar.hours(last).weekday() + 1 &&
           calendar.hours(last + 1).start_minute() == first.start_minute() &&
           calendar.hours(last + 1).end_minute() == first.end_minute()) {
      ++last;
    }
    const auto name = [](int weekday) { return weekday >= 1 && weekday <= 7 ? kDays[weekday - 1] : "?"; };
    absl::StrAppend(&words, words.empty() ? "" : ", ", name(first.weekday()));
    if (last > i) absl::StrAppend(&words, "-", name(calendar.hours(last).weekday()));
    absl::StrAppend(&words, " ", Clock(first.start_minute()), "-", Clock(first.end_minute()));
    i = last + 1;
  }
  return words.empty() ? "always" : words;
}

}  // namespace ringback::cli
