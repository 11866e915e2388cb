#include "core/domain/time_words.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace ringback::domain {
namespace {

constexpr std::array<absl::string_view, 7> kWeekdays[2] = {
    {"Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"},
    {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}};
constexpr std::array<absl::string_view, 12> kMonths[2] = {
    {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
     "Dezember"},
    {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
     "December"}};

int Index(Language language) { return language == Language::kGerman ? 0 : 1; }

absl::string_view Weekday(Language language, absl::CivilDay day) {
  return kWeekdays[Index(language)][static_cast<int>(absl::GetWeekday(day))];
}

// "24. November", "24 November".
std::string DayAndMonth(Language language, absl::CivilDay day) {
  return absl::StrCat(day.day(), language == Language::kGerman ? ". " : " ",
                      kMonths[Index(language)][day.month() - 1]);
}

}  // namespace

const char* LanguageTag(Language language) { return language == Language::kGerman ? "de" : "en"; }

std::string ClockTime(Language language, absl::Time time, absl::TimeZone zone) {
  const absl::TimeZone::CivilInfo info = zone.At(time);
  const int hour = info.cs.hour();
  const int minute = info.cs.minute();
  std::string words = language == Language::kGerman
                          ? absl::StrFormat("%d:%02d Uhr", hour, minute)
                          : absl::StrFormat("%d:%02d %s", hour % 12 == 0 ? 12 : hour % 12, minute,
                                            hour < 12 ? "am" : "pm");
  if (zone.At(info.cs).kind == absl::TimeZone::TimeInfo::REPEATED) {
    if (language == Language::kGerman) {
      absl::StrAppend(&words, info.is_dst ? " (Sommerzeit)" : " (Winterzeit)");
    } else {
      absl::StrAppend(&words, info.is_dst ? " (daylight saving time)" : " (standard time)");
    }
  }
  return words;
}

std::string SpokenTime(Language language, absl::Time time, absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay day(zone.At(time).cs);
  const absl::CivilDay today(zone.At(now).cs);
  const bool german = language == Language::kGerman;
  const absl::string_view at = german ? " um " : " at ";
  const std::string clock = ClockTime(language, time, zone);
  if (day == today) return absl::StrCat(german ? "heute" : "today", at, clock);
  if (day == today + 1) return absl::StrCat(german ? "morgen" : "tomorrow", at, clock);
  if (day == today - 1) return absl::StrCat(german ? "gestern" : "yesterday", at, clock);
  std::string date = absl::StrCat(german ? "am " : "on ", Weekday(language, day), ", ", DayAndMonth(language, day));
  if (day.year() != today.year()) absl::StrAppend(&date, " ", day.year());
  return absl::StrCat(date, at, clock);
}

std::string FullTime(Language language, absl::Time time, absl::TimeZone zone) {
  const absl::CivilDay day(zone.At(time).cs);
  return absl::StrCat(Weekday(language, day), ", ", DayAndMonth(language, day), " ", day.year(), ", ",
                      ClockTime(language, time, zone));
}

std::string ZoneWords(Language language, const absl::TimeZone& zone) {
  const std::string name = zone.name();
  const size_t slash = name.rfind('/');
  if (slash == std::string::npos) return name;
  const std::string city = absl::StrReplaceAll(name.substr(slash + 1), {{"_", " "}});
  return language == Language::kGerman ? absl::StrCat("Ortszeit ", city) : absl::StrCat(city, " time");
}

}  // namespace ringback::domain
