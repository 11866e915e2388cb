// Busy times out of calendars as Google, Outlook, Apple and Nextcloud write them, read by the real child.
#include "core/calendars/busy_calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace ringback::calendars {
namespace {

using ::testing::HasSubstr;

absl::TimeZone Berlin() {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  return zone;
}
absl::Time At(int month, int day, int hour, int minute = 0) {
  return absl::FromCivil(absl::CivilMinute(2026, month, day, hour, minute), Berlin());
}

const char kBerlinZone[] = R"(BEGIN:VTIMEZONE
TZID:Own Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
)";

std::string Calendar(const std::string& inside) {
  return absl::StrReplaceAll(absl::StrCat("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n", kBerlinZone, inside,
                                          "END:VCALENDAR\n"), {{"\n", "\r\n"}});
}
std::string Event(const std::string& lines, const std::string& uid = "a@b") {
  return absl::StrCat("BEGIN:VEVENT\nUID:", uid, "\nDTSTAMP:20261101T000000Z\nSUMMARY:Geheim\n", lines, "\nEND:VEVENT\n");
}

class BusyCalendarTest : public testing::Test {
 protected:
  // From Monday 23 November 2026 on, for a fortnight: "23 09:00-10:00, …" in Berlin.
  std::string Busy(const std::string& calendar, absl::Time from = At(11, 23, 0), absl::Time until = At(12, 7, 0)) {
    const auto times = parser_.Parse(calendar, Berlin(), from, until);
    if (!times.ok()) return std::string(times.status().message());
    return absl::StrJoin(*times, ", ", [](std::string* out, const BusyTimes& one) {
      absl::StrAppend(out, absl::FormatTime("%d %H:%M", one.start, Berlin()), "-",
                      absl::FormatTime("%H:%M", one.end, Berlin()));
    });
  }
  BusyParser parser_{RINGBACK_CALENDAR_PARSER};
};

TEST_F(BusyCalendarTest, ATimeIsInUtcInADescribedZoneInANamedOneOrInTheMembersOwn) {
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:20261123T080000Z\nDTEND:20261123T090000Z"))), "23 09:00-10:00");
  EXPECT_EQ(Busy(Calendar(Event("DTSTART;TZID=Own Berlin:20261123T090000\nDTEND;TZID=Own Berlin:20261123T100000"))),
            "23 09:00-10:00");
  EXPECT_EQ(Busy(Calendar(Event("DTSTART;TZID=America/New_York:20261123T090000\nDURATION:PT30M"))), "23 15:00-15:30");
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:20261123T090000\nDURATION:PT1H"))), "23 09:00-10:00");
}

TEST_F(BusyCalendarTest, ADayIsAWholeOneAndNextToEachOtherIsOneSpan) {
  EXPECT_EQ(Busy(Calendar(Event("DTSTART;VALUE=DATE:20261125") + Event("DTSTART;VALUE=DATE:20261126\nDTEND;VALUE=DATE:20261127", "b"))),
            "25 00:00-00:00");
}

TEST_F(BusyCalendarTest, TransparentCancelledAndEndlesslyShortIsFree) {
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:20261123T080000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT") +
                          Event("DTSTART:20261123T080000Z\nDURATION:PT1H\nSTATUS:CANCELLED", "b") +
                          Event("DTSTART:20261123T080000Z", "c"))), "");
}

TEST_F(BusyCalendarTest, ARowGoesOnInLocalTimeWithItsExceptions) {
  // Since long ago, Tuesdays at nine; the 24th is left out, 1 December is moved to eleven.
  const std::string row = Event("DTSTART;TZID=Own Berlin:20260602T090000\nDTEND;TZID=Own Berlin:20260602T093000\n"
                                "RRULE:FREQ=WEEKLY;BYDAY=TU\nEXDATE;TZID=Own Berlin:20261124T090000");
  const std::string moved = Event("RECURRENCE-ID:20261201T080000Z\n"
                                  "DTSTART;TZID=Own Berlin:20261201T110000\nDTEND;TZID=Own Berlin:20261201T113000");
  EXPECT_EQ(Busy(Calendar(row)), "01 09:00-09:30");
  EXPECT_EQ(Busy(Calendar(row + moved)), "01 11:00-11:30");
  EXPECT_EQ(Busy(Calendar(row), At(6, 1, 0), At(6, 4, 0)), "02 09:00-09:30") << "nine in summer too";
}

TEST_F(BusyCalendarTest, ARowEndsWithUntilAndCountAndHasExtraDays) {
  const std::string until = "DTSTART;TZID=Own Berlin:20261123T090000\nDURATION:PT15M\nRRULE:FREQ=DAILY;UNTIL=20261124T080000Z";
  EXPECT_EQ(Busy(Calendar(Event(until))), "23 09:00-09:15, 24 09:00-09:15");
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:20261120T080000Z\nDURATION:PT15M\nRRULE:FREQ=DAILY;COUNT=4\n"
                                "RDATE:20261128T080000Z"))), "23 09:00-09:15, 28 09:00-09:15");
}

TEST_F(BusyCalendarTest, FreeBusySaysWhenAndFreeIsFree) {
  EXPECT_EQ(Busy(Calendar("BEGIN:VFREEBUSY\nUID:f\nDTSTAMP:20261101T000000Z\n"
                          "FREEBUSY:20261123T080000Z/20261123T090000Z,20261123T100000Z/PT30M\n"
                          "FREEBUSY;FBTYPE=FREE:20261124T080000Z/20261124T090000Z\nEND:VFREEBUSY\n")),
            "23 09:00-10:00, 23 11:00-11:30");
}

TEST_F(BusyCalendarTest, WhatIsNoCalendarIsSaidInWords) {
  EXPECT_THAT(Busy("<html>please sign in</html>"), HasSubstr("no calendar"));
  EXPECT_THAT(Busy(""), HasSubstr("no calendar"));
  EXPECT_THAT(Busy(std::string("\0\xff\xfe", 3)), HasSubstr("no calendar"));
}

TEST_F(BusyCalendarTest, ARowWithoutAnEndInSightHoldsNobodyUp) {
  EXPECT_THAT(Busy(Calendar(Event("DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"))),
              ::testing::AnyOf(HasSubstr("without an end"), HasSubstr("cannot be read")));
  std::string many;
  for (int i = 0; i < 25000; ++i) {
    absl::StrAppend(&many, Event(absl::StrCat("DTSTART:20261124T0800", i % 60 < 10 ? "0" : "", i % 60, "Z\nDURATION:PT1S"),
                                 absl::StrCat(i)));
  }
  EXPECT_THAT(Busy(Calendar(many)), ::testing::AnyOf(HasSubstr("more than"), HasSubstr("cannot be read")));
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:20261123T080000Z\nDTEND:20261123T090000Z"))), "23 09:00-10:00")
      << "the next calendar has a child of its own";
}

TEST_F(BusyCalendarTest, NonsenseInsideIsPassedOver) {
  EXPECT_EQ(Busy(Calendar(Event("DTSTART:99999999T999999Z\nDURATION:PT1H") + Event("DTSTART:gestern\nDTEND:morgen", "b") +
                          Event("DTSTART:20261123T080000Z\nDTEND:20261122T080000Z", "c") +
                          Event("DTSTART:20261123T100000Z\nDURATION:PT1H\nRRULE:FREQ=NEVER", "d"))),
            "23 11:00-12:00");
}

TEST(BusyWire, NothingButItsOwnWordsIsUnderstood) {
  std::vector<FoundTime> found(2);
  found[0].start = At(11, 23, 9);
  found[0].length = absl::Hours(1);
  found[1].local = absl::CivilSecond(2026, 11, 24, 9, 30, 0);
  found[1].length = absl::Minutes(5);
  found[1].zone = "W. Europe Standard Time";
  const auto again = DecodeFound(EncodeFound(found));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(EncodeFound(*again), EncodeFound(found));
  EXPECT_EQ((*again)[1].zone, "W. Europe Standard Time");
  const std::string bytes = EncodeFound(found);
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeFound(bytes.substr(0, size))) << size;
  EXPECT_FALSE(DecodeFound(bytes + "x"));
  found[0].length = -absl::Seconds(5);
  EXPECT_FALSE(DecodeFound(EncodeFound(found)));
}

}  // namespace
}  // namespace ringback::calendars
