// The words in tables, in both languages.
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
