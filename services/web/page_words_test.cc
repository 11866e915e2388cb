#include "web/page_words.h"

#include <gtest/gtest.h>

namespace ringback::web {
namespace {

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone));
  return zone;
}

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

TEST(PageWordsTest, ADayIsNamedFromWhereTheCustomerStands) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  const absl::Time now = At("2026-11-23T09:00:00+01:00");
  const auto german = [&](const char* at) { return SpokenTime(Language::kGerman, At(at), now, berlin); };
  EXPECT_EQ(german("2026-11-23T13:00:00+01:00"), "heute um 13:00 Uhr");
  EXPECT_EQ(german("2026-11-24T09:30:00+01:00"), "morgen um 9:30 Uhr");
  EXPECT_EQ(german("2026-11-22T09:30:00+01:00"), "gestern um 9:30 Uhr");
  EXPECT_EQ(german("2026-12-01T09:05:00+01:00"), "am Dienstag, 1. Dezember um 9:05 Uhr");
  EXPECT_EQ(german("2027-01-04T09:05:00+01:00"), "am Montag, 4. Januar 2027 um 9:05 Uhr");
  const auto english = [&](const char* at) { return SpokenTime(Language::kEnglish, At(at), now, berlin); };
  EXPECT_EQ(english("2026-11-23T13:00:00+01:00"), "today at 1:00 pm");
  EXPECT_EQ(english("2026-11-24T00:15:00+01:00"), "tomorrow at 12:15 am");
  EXPECT_EQ(english("2026-12-01T12:00:00+01:00"), "on Tuesday, 1 December at 12:00 pm");
  // The same moment is still the day before in New York.
  EXPECT_EQ(SpokenTime(Language::kEnglish, At("2026-11-24T02:00:00Z"), now, Zone("America/New_York")),
            "today at 9:00 pm");
}

TEST(PageWordsTest, TheRepeatedHourOfAutumnSaysWhichHalf) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  const absl::Time now = At("2026-10-24T12:00:00Z");
  EXPECT_EQ(SpokenTime(Language::kGerman, At("2026-10-25T00:30:00Z"), now, berlin), "morgen um 2:30 Uhr (Sommerzeit)");
  EXPECT_EQ(SpokenTime(Language::kGerman, At("2026-10-25T01:30:00Z"), now, berlin), "morgen um 2:30 Uhr (Winterzeit)");
}

TEST(PageWordsTest, TheLanguageIsTheCallersThenTheBrowsersThenTheTeams) {
  EXPECT_EQ(ChooseLanguage("en", "de", "de"), Language::kEnglish);
  EXPECT_EQ(ChooseLanguage("", "en-GB,en;q=0.9,de;q=0.8", "de"), Language::kEnglish);
  EXPECT_EQ(ChooseLanguage("", "fr,en;q=0.5,de;q=0.7", "en"), Language::kGerman);
  EXPECT_EQ(ChooseLanguage("", "en;q=0,de;q=0.1", "en"), Language::kGerman);
  EXPECT_EQ(ChooseLanguage("", "fr-FR", "en"), Language::kEnglish);
  EXPECT_EQ(ChooseLanguage("", "", ""), Language::kGerman);
  EXPECT_EQ(ChooseLanguage("", "english;;q=,;q=nan,en;q=nan,\xff", ""), Language::kGerman);
  EXPECT_EQ(ChooseLanguage("", "DE-at", "en"), Language::kGerman);
}

TEST(PageWordsTest, LengthIsMinutesAndSecondsRoundedUp) {
  EXPECT_EQ(Length(31.2), "0:32");
  EXPECT_EQ(Length(60), "1:00");
  EXPECT_EQ(Length(599.5), "10:00");
}

TEST(PageWordsTest, ZonesAreNamedByTheirCity) {
  EXPECT_EQ(ZoneWords(Language::kGerman, Zone("America/New_York")), "Ortszeit New York");
  EXPECT_EQ(ZoneWords(Language::kEnglish, Zone("America/New_York")), "New York time");
}

TEST(PageWordsTest, FileNamesSpeakAndCannotBreakTheHeader) {
  const absl::Time at = At("2026-11-23T12:00:00Z");
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(Attachment(Language::kGerman, "Jörg Müller", at, berlin, "mp3"),
            "attachment; filename=\"Rueckruf-Joerg-Mueller-23-11-13-00.mp3\"; "
            "filename*=UTF-8''R%C3%BCckruf-J%C3%B6rg-M%C3%BCller-23-11-13-00.mp3");
  const std::string hostile = Attachment(Language::kEnglish, "\"; x=\r\nSet-Cookie: a=b/../\\", at, berlin, "mp3");
  EXPECT_EQ(hostile,
            "attachment; filename=\"Callback-x-Set-Cookie-a-b-23-11-13-00.mp3\"; "
            "filename*=UTF-8''Callback-x-Set-Cookie-a-b-23-11-13-00.mp3");
  EXPECT_EQ(Attachment(Language::kEnglish, "", at, berlin, "opus").substr(0, 40),
            "attachment; filename=\"Callback-23-11-13-");
}

}  // namespace
}  // namespace ringback::web
