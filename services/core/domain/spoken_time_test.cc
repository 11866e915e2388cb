#include "core/domain/spoken_time.h"

#include "absl/strings/str_cat.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

// "13:00", and "1:30*" where it may be either half of the day.
std::string Read(const std::string& text) {
  std::string words;
  for (const ClockTime24& one : ClockTimesIn(text)) {
    absl::StrAppend(&words, words.empty() ? "" : " ", one.hour, ":", one.minute < 10 ? "0" : "", one.minute,
                    one.either_half ? "*" : "");
  }
  return words;
}

TEST(SpokenTimeTest, GermanTimesAreRead) {
  EXPECT_EQ(Read("Ich rufe Sie heute um 13 Uhr an. Versprochen!"), "13:00");
  EXPECT_EQ(Read("um 13:30 Uhr"), "13:30");
  EXPECT_EQ(Read("um 13.30 Uhr"), "13:30");
  EXPECT_EQ(Read("um 13 Uhr 30"), "13:30");
  EXPECT_EQ(Read("um dreizehn Uhr dreißig"), "13:30");
  EXPECT_EQ(Read("um 13 Uhr zwei Kollegen"), "13:00");
  EXPECT_EQ(Read("um 9:30"), "9:30*");
  EXPECT_EQ(Read("gegen zwei Uhr"), "2:00*");
  EXPECT_EQ(Read("um ein Uhr"), "1:00*");
  EXPECT_EQ(Read("um halb zwei"), "1:30*");
  EXPECT_EQ(Read("Halb eins"), "0:30*");
  EXPECT_EQ(Read("um Viertel nach drei"), "3:15*");
  EXPECT_EQ(Read("Viertel vor eins"), "0:45*");
  EXPECT_EQ(Read("um viertel drei, um dreiviertel drei"), "2:15* 2:45*");
  EXPECT_EQ(Read("um zwölf Uhr"), "12:00*");
  EXPECT_EQ(Read("0 Uhr, 24 Uhr"), "0:00* 0:00");
  EXPECT_EQ(Read("am Dienstag, 24. November um 9:30 Uhr"), "9:30*");
}

TEST(SpokenTimeTest, EnglishTimesAreRead) {
  EXPECT_EQ(Read("I will call you at 1 pm."), "13:00");
  EXPECT_EQ(Read("at 1:30 p.m."), "13:30");
  EXPECT_EQ(Read("at 1:30 PM, or 9am"), "13:30 9:00");
  EXPECT_EQ(Read("at 1:30\u202fpm, 13\u00a0Uhr"), "13:30 13:00");
  EXPECT_EQ(Read("at 13:00"), "13:00");
  EXPECT_EQ(Read("12 am, 12 pm"), "0:00 12:00");
  EXPECT_EQ(Read("at one o’clock"), "1:00*");
  EXPECT_EQ(Read("half past one, a quarter to three"), "1:30* 2:45*");
  EXPECT_EQ(Read("at noon"), "12:00");
}

TEST(SpokenTimeTest, WhatIsNoTimeIsPassedOver) {
  for (const char* text :
       {"", "Bitte 2 bis 3 Sätze", "noch zwei Angelegenheiten", "am 24.11.2026", "Auftrag 13", "Nummer 0171 2345678",
        "in 2 Stunden", "ein halbes Dutzend", "99 Uhr", "13:75 Uhr", "13:5", "um 25:00", "die Seite 12 am Montag und", "\xff\xfe 1"}) {
    EXPECT_EQ(Read(text), "") << text;
  }
}

TEST(SpokenTimeTest, OnlyATimeThatFitsNoneOfThemIsAnother) {
  const absl::Time at = At("2026-11-23 13:30");
  for (const char* text : {"um 13:30 Uhr", "um halb zwei", "1:30 pm", "nicht um 9 Uhr, sondern um 13.30 Uhr", "bis später"}) {
    EXPECT_FALSE(OtherTimeNamed(text, at, Berlin()).has_value()) << text;
  }
  EXPECT_EQ(OtherTimeNamed("um 13 Uhr", at, Berlin()), "13:00");
  EXPECT_EQ(OtherTimeNamed("um halb drei", at, Berlin()), "2:30");
  EXPECT_EQ(OtherTimeNamed("1:30 am", at, Berlin()), "1:30");
  EXPECT_EQ(OtherTimeNamed("um 13:30 Uhr", at, absl::UTCTimeZone()), "13:30") << "there it is 12:30";
}

TEST(SpokenTimeTest, APromiseWarnsOfAnotherTimeInItsWordsAsTheCallersClockHasIt) {
  Story story;
  story.Open();
  const auto promise = [&](const std::string& words) {
    story.Do(MakePromise{At("2026-11-23 13:00"), record::PromiseRecord::CHANNEL_SPOKEN, "", false, words});
    return story.warnings;
  };
  EXPECT_EQ(promise("Ich rufe Sie um 14 Uhr an"),
            std::vector<std::string>{"spoken text says 14:00, the promise is for 13:00"});
  EXPECT_TRUE(promise("Ich rufe Sie um eins an, also um 13 Uhr").empty());
  record::Caller caller = story.callback.caller();
  caller.set_time_zone("Europe/Lisbon");
  story.Do(UpdateCaller{caller});
  EXPECT_TRUE(promise("Ich rufe Sie um 12 Uhr an").empty());
  EXPECT_EQ(promise("Ich rufe Sie um 13 Uhr an"),
            std::vector<std::string>{"spoken text says 13:00, the promise is for 12:00"});
}

}  // namespace
}  // namespace ringback::domain
