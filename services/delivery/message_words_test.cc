// The words in tables: day boundaries, daylight saving, both languages.
#include "delivery/message_words.h"

#include <gtest/gtest.h>

namespace ringback::delivery {
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

TEST(MessageWords, GreetingFollowsTheHourInTheReadersZone) {
  struct Case { const char* now; const char* zone; const char* german; const char* english; };
  for (const Case& c : {
           Case{"2026-11-23T07:00:00Z", "Europe/Berlin", "Guten Morgen", "Good morning"},
           Case{"2026-11-23T09:59:59Z", "Europe/Berlin", "Guten Morgen", "Good morning"},
           Case{"2026-11-23T10:00:00Z", "Europe/Berlin", "Guten Tag", "Good morning"},
           Case{"2026-11-23T11:00:00Z", "Europe/Berlin", "Guten Tag", "Good afternoon"},
           Case{"2026-11-23T16:59:59Z", "Europe/Berlin", "Guten Tag", "Good afternoon"},
           Case{"2026-11-23T17:00:00Z", "Europe/Berlin", "Guten Abend", "Good evening"},
           Case{"2026-11-23T17:00:00Z", "America/New_York", "Guten Tag", "Good afternoon"},
           Case{"2026-11-22T23:30:00Z", "Europe/Berlin", "Guten Morgen", "Good morning"},  // 00:30
       }) {
    EXPECT_EQ(Greeting(kDe, Utc(c.now), Zone(c.zone)), c.german) << c.now;
    EXPECT_EQ(Greeting(kEn, Utc(c.now), Zone(c.zone)), c.english) << c.now;
  }
}

TEST(MessageWords, TimesAreSaidAsPeopleSayThem) {
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

TEST(MessageWords, AnHourThatOccursTwiceSaysWhichOne) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T00:30:00Z"), berlin), "2:30 Uhr (Sommerzeit)");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T01:30:00Z"), berlin), "2:30 Uhr (Winterzeit)");
  EXPECT_EQ(ClockTime(kDe, Utc("2026-10-25T02:00:00Z"), berlin), "3:00 Uhr");
  EXPECT_EQ(ClockTime(kEn, Utc("2026-11-01T05:30:00Z"), Zone("America/New_York")), "1:30 am (daylight saving time)");
  EXPECT_EQ(ClockTime(kEn, Utc("2026-11-01T06:30:00Z"), Zone("America/New_York")), "1:30 am (standard time)");
}

TEST(MessageWords, TheFullTimeIsTrueOnAnyDayItIsRead) {
  EXPECT_EQ(FullTime(kDe, Utc("2026-11-23T12:00:00Z"), Zone("Europe/Berlin")), "Montag, 23. November 2026, 13:00 Uhr");
  EXPECT_EQ(FullTime(kEn, Utc("2026-03-01T12:00:00Z"), Zone("Europe/Berlin")), "Sunday, 1 March 2026, 1:00 pm");
  EXPECT_EQ(ZoneWords(kDe, Zone("America/New_York")), "Ortszeit New York");
  EXPECT_EQ(ZoneWords(kEn, Zone("America/New_York")), "New York time");
}

TEST(MessageWords, DurationsUseTheTwoUnitsThatMatter) {
  struct Case { absl::Duration duration; const char* german; const char* english; };
  for (const Case& c : {
           Case{absl::Seconds(59), "weniger als 1 Minute", "less than 1 minute"},
           Case{absl::Minutes(1), "1 Minute", "1 minute"},
           Case{absl::Minutes(15), "15 Minuten", "15 minutes"},
           Case{-absl::Minutes(65), "1 Stunde 5 Minuten", "1 hour 5 minutes"},
           Case{absl::Hours(2), "2 Stunden", "2 hours"},
           Case{absl::Hours(51) + absl::Minutes(7), "2 Tagen 3 Stunden", "2 days 3 hours"},
           Case{absl::Hours(24) + absl::Minutes(7), "1 Tag", "1 day"},
       }) {
    EXPECT_EQ(SpokenDuration(kDe, c.duration), c.german);
    EXPECT_EQ(SpokenDuration(kEn, c.duration), c.english);
  }
}

TEST(MessageWords, NamesAreJoinedAsInASentence) {
  EXPECT_EQ(JoinNames(kDe, {}), "");
  EXPECT_EQ(JoinNames(kDe, {"Anna"}), "Anna");
  EXPECT_EQ(JoinNames(kDe, {"Anna", "Jonas"}), "Anna und Jonas");
  EXPECT_EQ(JoinNames(kEn, {"Anna", "Jonas", "Mia"}), "Anna, Jonas and Mia");
}

TEST(MessageWords, FileNamesSpeakInAscii) {
  const absl::Time time = Utc("2026-11-23T12:00:00Z");
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(SpeakingFileName(kDe, "Anna Schmidt", time, berlin, "mp3"), "Rueckruf-Anna-Schmidt-23-11-13-00.mp3");
  EXPECT_EQ(SpeakingFileName(kEn, "../../Jörg \"Łuk\"\r\n", time, berlin, "mp3"), "Callback-Joerg-Luk-23-11-13-00.mp3");
  EXPECT_EQ(SpeakingFileName(kDe, "王小明 😀", time, berlin, "mp3"), "Rueckruf-23-11-13-00.mp3");
  EXPECT_EQ(AsciiName("Müller-Weiß & Söhne"), "Mueller-Weiss-Soehne");
  EXPECT_EQ(AsciiName(std::string(500, 'x')).size(), 60u);
}

TEST(MessageWords, LanguagesAreFoundByTheirTag) {
  EXPECT_EQ(LanguageOf("de-AT", kEn), kDe);
  EXPECT_EQ(LanguageOf("EN", kDe), kEn);
  EXPECT_EQ(LanguageOf("fr", kEn), kEn);
  EXPECT_EQ(LanguageOf("", kDe), kDe);
}

}  // namespace
}  // namespace ringback::delivery
