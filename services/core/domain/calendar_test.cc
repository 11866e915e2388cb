#include "core/domain/calendar.h"

#include <gtest/gtest.h>

#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

absl::TimeZone NewYork() { return LoadZone("America/New_York").value(); }
std::string Rfc(absl::Time time, absl::TimeZone zone) { return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, zone); }

TEST(LoadZone, RefusesPathsAndUnknownNames) {
  for (const char* bad : {"", "Europe/Bonn", "/etc/localtime", "../../etc/passwd", "file:/etc/hosts", "Mars/Base"}) {
    EXPECT_EQ(DetailOf(LoadZone(bad).status()).reason, "UNKNOWN_TIME_ZONE") << bad;
  }
  EXPECT_TRUE(LoadZone("America/Argentina/Buenos_Aires").ok());
  EXPECT_TRUE(LoadZone("UTC").ok());
}

struct Typed {
  const char* text;
  const char* expected;  // RFC 3339 in the zone, or a reason in capitals
};

class ParseTimeInBerlin : public testing::TestWithParam<Typed> {};
TEST_P(ParseTimeInBerlin, ReadsWhatPeopleType) {
  const absl::Time now = At("2026-11-23 09:00");
  const auto time = ParseTime(GetParam().text, Berlin(), now);
  if (time.ok()) {
    EXPECT_EQ(Rfc(*time, Berlin()), GetParam().expected) << GetParam().text;
  } else {
    EXPECT_EQ(DetailOf(time.status()).reason, GetParam().expected) << GetParam().text << ": " << time.status();
  }
}
INSTANTIATE_TEST_SUITE_P(
    Forms, ParseTimeInBerlin,
    testing::Values(Typed{"13:00", "2026-11-23T13:00:00+01:00"}, Typed{" 13:00 ", "2026-11-23T13:00:00+01:00"},
                    Typed{"13:00 Uhr", "2026-11-23T13:00:00+01:00"}, Typed{"9:30", "2026-11-23T09:30:00+01:00"},
                    Typed{"08:59", "TIME_PASSED"}, Typed{"9:00", "TIME_PASSED"},
                    Typed{"today 17:05", "2026-11-23T17:05:00+01:00"},
                    Typed{"tomorrow 9:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"morgen 9:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"Morgen 09:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"+2h", "2026-11-23T11:00:00+01:00"}, Typed{"+90m", "2026-11-23T10:30:00+01:00"},
                    Typed{"+3d", "2026-11-26T09:00:00+01:00"}, Typed{"+100d", "2027-03-03T09:00:00+01:00"},
                    Typed{"+d", "NOT_A_TIME"}, Typed{"+99999d", "NOT_A_TIME"},
                    Typed{"24.11.2026 9:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"24.11.2026 9:30 Uhr", "2026-11-24T09:30:00+01:00"}, Typed{"31.2.2027 9:30", "NOT_A_TIME"},
                    Typed{"28.3.2027 2:30", "SKIPPED_BY_CLOCK_CHANGE"}, Typed{"24.11. 9:30", "NOT_A_TIME"},
                    Typed{"+1h30m", "2026-11-23T10:30:00+01:00"},
                    Typed{"2026-11-24 09:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"2026-11-24T09:30", "2026-11-24T09:30:00+01:00"},
                    Typed{"2026-11-24T09:30:00Z", "2026-11-24T10:30:00+01:00"},
                    Typed{"2026-11-24T09:30:00-05:00", "2026-11-24T15:30:00+01:00"},
                    Typed{"2026-11-24t09:30:00z", "2026-11-24T10:30:00+01:00"},
                    Typed{"25:00", "NOT_A_TIME"}, Typed{"13:60", "NOT_A_TIME"}, Typed{"13", "NOT_A_TIME"},
                    Typed{"1:2", "NOT_A_TIME"}, Typed{"", "NOT_A_TIME"}, Typed{"+", "NOT_A_TIME"},
                    Typed{"+-2h", "NOT_A_TIME"}, Typed{"+inf", "NOT_A_TIME"}, Typed{"-2h", "NOT_A_TIME"},
                    Typed{"infinite-future", "NOT_A_TIME"}, Typed{"2026-02-30 10:00", "NOT_A_TIME"},
                    Typed{"2026-13-01T10:00:00Z", "NOT_A_TIME"}, Typed{"soon", "NOT_A_TIME"},
                    Typed{"13:00; drop table", "NOT_A_TIME"}, Typed{"2027-03-28 02:30", "SKIPPED_BY_CLOCK_CHANGE"},
                    Typed{"2027-10-31 02:30", "2027-10-31T02:30:00+02:00"}));

TEST(ParseTime, NamesTheNextValidTimeInAGap) {
  const auto berlin = ParseTime("2027-03-28 02:30", Berlin(), At("2027-03-01 09:00"));
  EXPECT_NE(berlin.status().message().find("2027-03-28 03:00"), absl::string_view::npos) << berlin.status();
  const auto new_york = ParseTime("2027-03-14 02:15", NewYork(), At("2027-03-01 09:00"));
  EXPECT_NE(new_york.status().message().find("2027-03-14 03:00"), absl::string_view::npos) << new_york.status();
  EXPECT_EQ(Rfc(ParseTime("2026-11-01 01:30", NewYork(), At("2026-10-30 09:00")).value(), NewYork()),
            "2026-11-01T01:30:00-04:00");
}

TEST(ParseTime, TomorrowIsTheNextDateAlsoAcrossAClockChange) {
  const absl::Time saturday = At("2027-03-27 23:30");
  EXPECT_EQ(Rfc(ParseTime("tomorrow 9:00", Berlin(), saturday).value(), Berlin()), "2027-03-28T09:00:00+02:00");
  EXPECT_EQ(DetailOf(ParseTime("tomorrow 2:30", Berlin(), saturday).status()).reason, "SKIPPED_BY_CLOCK_CHANGE");
  // "+1d" is the same time on the next date.
  EXPECT_EQ(Rfc(ParseTime("+1d", Berlin(), saturday).value(), Berlin()), "2027-03-28T23:30:00+02:00");
  // "+24h" is elapsed time and lands on another local time.
  EXPECT_EQ(Rfc(ParseTime("+24h", Berlin(), saturday).value(), Berlin()), "2027-03-29T00:30:00+02:00");
}

TEST(ParseTime, SaysHowToMeanTheNextDay) {
  const auto status = ParseTime("8:15", Berlin(), At("2026-11-23 09:00")).status();
  EXPECT_NE(status.message().find("\"tomorrow 08:15\""), absl::string_view::npos) << status;
}

TEST(ParsePastTime, ReadsWhenACallWasMade) {
  const absl::Time now = At("2026-11-23 14:00");
  EXPECT_EQ(ParsePastTime("13:00", Berlin(), now).value(), At("2026-11-23 13:00"));
  EXPECT_EQ(ParsePastTime("14:00", Berlin(), now).value(), now);
  EXPECT_EQ(ParsePastTime("yesterday 17:30", Berlin(), now).value(), At("2026-11-22 17:30"));
  EXPECT_EQ(ParsePastTime("gestern 17:30", Berlin(), now).value(), At("2026-11-22 17:30"));
  EXPECT_EQ(ParsePastTime("-10m", Berlin(), now).value(), At("2026-11-23 13:50"));
  EXPECT_EQ(DetailOf(ParsePastTime("14:01", Berlin(), now).status()).reason, "TIME_AHEAD");
  EXPECT_EQ(DetailOf(ParsePastTime("+10m", Berlin(), now).status()).reason, "NOT_A_TIME");
}

struct Hours {
  const char* from;
  double hours;
  const char* expected;
};
class TeamHours : public testing::TestWithParam<Hours> {};
TEST_P(TeamHours, AreCountedWhileTheTeamIsOpen) {
  auto calendar = DefaultCalendar();
  calendar.add_holidays("2026-12-25");
  EXPECT_EQ(AddTeamHours(calendar, Berlin(), At(GetParam().from), absl::Hours(GetParam().hours)),
            At(GetParam().expected))
      << GetParam().from;
}
INSTANTIATE_TEST_SUITE_P(
    Weeks, TeamHours,
    testing::Values(Hours{"2026-11-23 09:00", 4, "2026-11-23 13:00"}, Hours{"2026-11-23 16:00", 4, "2026-11-24 10:00"},
                    Hours{"2026-11-23 14:00", 4, "2026-11-23 18:00"},  // exactly at closing
                    Hours{"2026-11-23 06:00", 4, "2026-11-23 12:00"}, Hours{"2026-11-23 20:00", 4, "2026-11-24 12:00"},
                    Hours{"2026-11-27 17:00", 4, "2026-11-30 11:00"},  // Friday to Monday
                    Hours{"2026-11-28 12:00", 4, "2026-11-30 12:00"}, Hours{"2026-12-24 17:00", 4, "2026-12-28 11:00"},
                    Hours{"2026-11-23 08:00", 25, "2026-11-25 13:00"},
                    Hours{"2026-11-23 09:00", 0, "2026-11-23 09:00"}));

record::Calendar NightShift() {  // every day 22:00 to 6:00
  record::Calendar calendar;
  for (int weekday = 1; weekday <= 7; ++weekday) {
    for (const auto& [start, end] : {std::pair(0, 360), std::pair(1320, 1440)}) {
      auto* hours = calendar.add_hours();
      hours->set_weekday(weekday);
      hours->set_start_minute(start);
      hours->set_end_minute(end);
    }
  }
  return calendar;
}

TEST(TeamHours, ADayOfClockChangeHasTheHoursItReallyHas) {
  // Night of 28 March 2027, 2:00 to 3:00 is skipped: 22:00 plus eight hours is 7:00, and the shift ended at 6:00.
  EXPECT_EQ(AddTeamHours(NightShift(), Berlin(), At("2027-03-27 22:00"), absl::Hours(7)), At("2027-03-28 06:00"));
  EXPECT_EQ(AddTeamHours(NightShift(), Berlin(), At("2027-03-27 22:00"), absl::Hours(8)), At("2027-03-28 23:00"));
  // Night of 31 October 2027, 2:00 to 3:00 comes twice: nine hours until 6:00.
  EXPECT_EQ(AddTeamHours(NightShift(), Berlin(), At("2027-10-30 22:00"), absl::Hours(9)), At("2027-10-31 06:00"));
  const auto zone = NewYork();
  EXPECT_EQ(AddTeamHours(NightShift(), zone, At("2027-03-13 22:00", zone), absl::Hours(7)),
            At("2027-03-14 06:00", zone));
  EXPECT_EQ(AddTeamHours(NightShift(), zone, At("2026-10-31 22:00", zone), absl::Hours(9)),
            At("2026-11-01 06:00", zone));
}

TEST(TeamHours, OpeningInsideAGapIsTheMomentOfTheChange) {
  record::Calendar calendar;
  auto* hours = calendar.add_hours();
  hours->set_weekday(7);
  hours->set_start_minute(150);  // 2:30
  hours->set_end_minute(240);
  EXPECT_EQ(NextOpen(calendar, Berlin(), At("2027-03-28 00:00")), At("2027-03-28 03:00"));
}

TEST(IsOpen, ClosesAtTheMinuteOfTheEnd) {
  const auto calendar = DefaultCalendar();
  EXPECT_FALSE(IsOpen(calendar, Berlin(), At("2026-11-23 07:59:59")));
  EXPECT_TRUE(IsOpen(calendar, Berlin(), At("2026-11-23 08:00")));
  EXPECT_TRUE(IsOpen(calendar, Berlin(), At("2026-11-23 17:59:59")));
  EXPECT_FALSE(IsOpen(calendar, Berlin(), At("2026-11-23 18:00")));
  EXPECT_FALSE(IsOpen(calendar, Berlin(), At("2026-11-28 12:00")));
}

TEST(NextOpen, NeverLiesBeforeAndIsOpenOrNowhere) {
  const auto calendar = DefaultCalendar();
  for (int i = 0; i < 4000; ++i) {
    const absl::Time at = At("2026-10-20 00:00") + absl::Minutes(37) * i;
    const absl::Time open = NextOpen(calendar, Berlin(), at);
    ASSERT_GE(open, at);
    ASSERT_TRUE(IsOpen(calendar, Berlin(), open));
    if (IsOpen(calendar, Berlin(), at)) {
      ASSERT_EQ(open, at);
    }
    ASSERT_FALSE(open > at && IsOpen(calendar, Berlin(), open - absl::Nanoseconds(1)));
  }
}

TEST(NextOpen, ACalendarWithoutHoursIsOpenAllDayButOnHolidays) {
  record::Calendar calendar;
  const absl::Time night = At("2026-12-24 03:00");
  EXPECT_EQ(NextOpen(calendar, Berlin(), night), night);
  calendar.add_holidays("2026-12-24");
  EXPECT_EQ(NextOpen(calendar, Berlin(), night), At("2026-12-25 00:00"));
}

TEST(NextOpen, ACalendarThatNeverOpensHoldsNothing) {
  record::Calendar calendar;
  auto* hours = calendar.add_hours();
  hours->set_weekday(1);
  hours->set_start_minute(480);
  hours->set_end_minute(481);
  absl::CivilDay day(2026, 11, 23);
  for (int i = 0; i < 70; ++i, day += 7) calendar.add_holidays(absl::FormatCivilTime(day));
  const absl::Time at = At("2026-11-23 09:00");
  EXPECT_EQ(NextOpen(calendar, Berlin(), at), at);
  EXPECT_EQ(AddTeamHours(calendar, Berlin(), at, absl::Hours(4)), at + absl::Hours(4));
}

TEST(CheckCalendar, NamesTheField) {
  const auto field_of = [](auto change) {
    auto calendar = DefaultCalendar();
    change(calendar);
    return DetailOf(CheckCalendar(calendar)).field;
  };
  EXPECT_EQ(field_of([](auto&) {}), "");
  EXPECT_EQ(field_of([](auto& c) { c.mutable_hours(1)->set_weekday(8); }), "hours[1].weekday");
  EXPECT_EQ(field_of([](auto& c) { c.mutable_hours(2)->set_end_minute(480); }), "hours[2]");
  EXPECT_EQ(field_of([](auto& c) { c.mutable_hours(2)->set_end_minute(1441); }), "hours[2]");
  EXPECT_EQ(field_of([](auto& c) { c.add_holidays("2026-02-30"); }), "holidays[0]");
  EXPECT_EQ(field_of([](auto& c) { c.add_holidays("25.12.2026"); }), "holidays[0]");
}

TEST(IsoWeek, BelongsToTheYearOfItsThursday) {
  struct {
    const char* day;
    const char* week;
  } const table[] = {{"2026-11-23 09:00", "2026-W48"}, {"2027-01-01 12:00", "2026-W53"},
                     {"2027-01-04 00:00", "2027-W01"}, {"2024-12-30 10:00", "2025-W01"},
                     {"2023-01-01 10:00", "2022-W52"}, {"2026-11-22 23:59", "2026-W47"}};
  for (const auto& row : table) EXPECT_EQ(IsoWeek(At(row.day), Berlin()), row.week) << row.day;
  EXPECT_EQ(IsoWeek(At("2026-11-23 00:30"), absl::UTCTimeZone()), "2026-W47");  // still Sunday in UTC
}

}  // namespace
}  // namespace ringback::domain
