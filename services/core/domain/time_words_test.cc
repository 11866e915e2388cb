// The words in tables: day boundaries, daylight saving, both languages.
#include "core/domain/time_words.h"

#include <gtest/gtest.h>

namespace ringback::domain {
namespace {

constexpr Language kDe = Language::kGerman;
constexpr Language kEn = Language::kEnglish;

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

absl::Time Utc(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

TEST(TimeWords, TimesAreSaidAsPeopleSayThem) {
  struct Case { const char* now; const char* time; const char* zone; const char* german; const char* english; };
  for (const Case& c : {
           Case{"2026-11-23T08:30:00Z", "2026-11-23T12:00:00Z", "Europe/Berlin", "heute um 13:00 Uhr",
                "today at 1:00 pm"},
           Case{"2026-11-23T08:30:00Z", "2026-11-24T08:30:00Z", "Europe/Berlin", "morgen um 9:30 Uhr",
                "tomorrow at 9:30 am"},
           Case{"2026-11-21T08:30:00Z", "2026-11-24T08:30:00Z", "Europe/Berlin",
                "am Dienstag, 24. November um 9:30 Uhr", "on Tuesday, 24 November at 9:30 am"},
           Case{"2026-12-30T08:30:00Z", "2027-01-05T08:30:00Z", "Europe/Berlin",
                "am Dienstag, 5. Januar 2027 um 9:30 Uhr", "on Tuesday, 5 January 2027 at 9:30 am"},
           Case{"2026-11-23T08:30:00Z", "2026-11-22T12:00:00Z", "Europe/Berlin", "gestern um 13:00 Uhr",
                "yesterday at 1:00 pm"},
           // Midnight belongs to the new day, and the zone decides which day it is.
           Case{"2026-11-23T22:59:59Z", "2026-11-23T23:00:00Z", "Europe/Berlin", "morgen um 0:00 Uhr",
                "tomorrow at 12:00 am"},
           Case{"2026-11-23T22:59:59Z", "2026-11-23T23:00:00Z", "Europe/London", "heute um 23:00 Uhr",
                "today at 11:00 pm"},
           Case{"2026-11-23T12:00:00Z", "2026-11-24T01:00:00Z", "America/New_York", "heute um 20:00 Uhr",
                "today at 8:00 pm"},
           // The night before the clocks go forward: tomorrow has 23 hours and is still tomorrow.
           Case{"2026-03-28T22:30:00Z", "2026-03-29T21:30:00Z", "Europe/Berlin", "morgen um 23:30 Uhr",
                "tomorrow at 11:30 pm"},
           Case{"2026-12-31T22:30:00Z", "2027-01-01T08:00:00Z", "Europe/Berlin", "morgen um 9:00 Uhr",
                "tomorrow at 9:00 am"},
       }) {
    EXPECT_EQ(SpokenTime(kDe, Utc(c.time), Utc(c.now), Zone(c.zone)), c.german);
    EXPECT_EQ(SpokenTime(kEn, Utc(c.time), Utc(c.now), Zone(c.zone)), c.english);
  }
}

TEST(TimeWords, AnHourThatOccursTwiceSaysWhichOne) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T00:30:00Z"), berlin), "2:30 Uhr (Sommerzeit)");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T01:30:00Z"), berlin), "2:30 Uhr (Winterzeit)");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T02:00:00Z"), berlin), "3:00 Uhr");
  EXPECT_EQ(ClockTime(kEn, Utc("2026-11-01T05:30:00Z"), Zone("America/New_York")), "1:30 am (daylight saving time)");
  EXPECT_EQ(ClockTime(kEn, Utc("2026-11-01T06:30:00Z"), Zone("America/New_York")), "1:30 am (standard time)");
}

TEST(TimeWords, TheFullTimeIsTrueOnAnyDayItIsRead) {
  EXPECT_EQ(FullTime(kDe, Utc("2026-11-23T12:00:00Z"), Zone("Europe/Berlin")), "Montag, 23. November 2026, 13:00 Uhr");
  EXPECT_EQ(FullTime(kEn, Utc("2026-03-01T12:00:00Z"), Zone("Europe/Berlin")), "Sunday, 1 March 2026, 1:00 pm");
  EXPECT_EQ(ZoneWords(kDe, Zone("America/New_York")), "Ortszeit New York");
  EXPECT_EQ(ZoneWords(kEn, Zone("America/New_York")), "New York time");
}

TEST(TimeWords, ADayIsNamedFromWhereTheCustomerStands) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  const absl::Time now = Utc("2026-11-23T09:00:00+01:00");
  const auto german = [&](const char* at) { return SpokenTime(Language::kGerman, Utc(at), now, berlin); };
  EXPECT_EQ(german("2026-11-23T13:00:00+01:00"), "heute um 13:00 Uhr");
  EXPECT_EQ(german("2026-11-24T09:30:00+01:00"), "morgen um 9:30 Uhr");
  EXPECT_EQ(german("2026-11-22T09:30:00+01:00"), "gestern um 9:30 Uhr");
  EXPECT_EQ(german("2026-12-01T09:05:00+01:00"), "am Dienstag, 1. Dezember um 9:05 Uhr");
  EXPECT_EQ(german("2027-01-04T09:05:00+01:00"), "am Montag, 4. Januar 2027 um 9:05 Uhr");
  const auto english = [&](const char* at) { return SpokenTime(Language::kEnglish, Utc(at), now, berlin); };
  EXPECT_EQ(english("2026-11-23T13:00:00+01:00"), "today at 1:00 pm");
  EXPECT_EQ(english("2026-11-24T00:15:00+01:00"), "tomorrow at 12:15 am");
  EXPECT_EQ(english("2026-12-01T12:00:00+01:00"), "on Tuesday, 1 December at 12:00 pm");
  // The same moment is still the day before in New York.
  EXPECT_EQ(SpokenTime(Language::kEnglish, Utc("2026-11-24T02:00:00Z"), now, Zone("America/New_York")),
            "today at 9:00 pm");
}

}  // namespace
}  // namespace ringback::domain
