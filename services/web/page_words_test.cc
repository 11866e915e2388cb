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

TEST(PageWordsTest, ADayIsSaidAsPeopleSayIt) {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  const auto at = [&zone](int year, int month, int day, int hour) {
    return absl::FromCivil(absl::CivilHour(year, month, day, hour), zone);
  };
  const absl::Time now = at(2026, 12, 31, 23);
  EXPECT_EQ(DayWords(Language::kGerman, at(2026, 12, 31, 23), now, zone), "Heute, Donnerstag, 31. Dezember");
  EXPECT_EQ(DayWords(Language::kGerman, at(2027, 1, 1, 0), now, zone), "Morgen, Freitag, 1. Januar");
  EXPECT_EQ(DayWords(Language::kEnglish, at(2027, 1, 1, 0), now, zone), "Tomorrow, Friday, 1 January");
  EXPECT_EQ(DayWords(Language::kEnglish, at(2027, 1, 4, 9), now, zone), "Monday, 4 January");
}

TEST(PageWordsTest, LengthIsMinutesAndSecondsRoundedUp) {
  EXPECT_EQ(Length(31.2), "0:32");
  EXPECT_EQ(Length(60), "1:00");
  EXPECT_EQ(Length(599.5), "10:00");
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
