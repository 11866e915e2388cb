// Holidays out of calendar files as the sites for them write them, read by the real child.
#include "core/calendars/holidays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace ringback::calendars {
namespace {

using ::testing::HasSubstr;

std::string Calendar(const std::string& inside) {
  return absl::StrReplaceAll(absl::StrCat("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n", inside, "END:VCALENDAR\n"),
                             {{"\n", "\r\n"}});
}
std::string Event(const std::string& lines, const std::string& name) {
  return absl::StrCat("BEGIN:VEVENT\nUID:", name, "@b\nDTSTAMP:20261101T000000Z\nSUMMARY:", name, "\n", lines, "\nEND:VEVENT\n");
}

class HolidaysTest : public testing::Test {
 protected:
  // From December 2026 to January 2028: "2026-12-25 Weihnachten, …".
  std::string Days(const std::string& calendar) {
    const auto found = reader_.Read(calendar, absl::CivilDay(2026, 12, 1), absl::CivilDay(2028, 1, 1));
    if (!found.ok()) return std::string(found.status().message());
    return absl::StrJoin(*found, ", ", [](std::string* out, const Holiday& one) {
      absl::StrAppend(out, absl::FormatCivilTime(one.day), " ", one.name);
    });
  }
  HolidayReader reader_{RINGBACK_CALENDAR_PARSER};
};

TEST_F(HolidaysTest, WholeDaysAreFoundInOrderAlsoTransparentOnes) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART;VALUE=DATE:20261226\nDTEND;VALUE=DATE:20261227\nTRANSP:TRANSPARENT", "2. Feiertag") +
                          Event("DTSTART;VALUE=DATE:20261225\nTRANSP:TRANSPARENT", "1. Weihnachtstag"))),
            "2026-12-25 1. Weihnachtstag, 2026-12-26 2. Feiertag");
}

TEST_F(HolidaysTest, SeveralDaysAreEachOfThem) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART;VALUE=DATE:20261230\nDTEND;VALUE=DATE:20270102", "Betriebsferien"))),
            "2026-12-30 Betriebsferien, 2026-12-31 Betriebsferien, 2027-01-01 Betriebsferien");
}

TEST_F(HolidaysTest, ARowIsFollowedWithItsExceptions) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART;VALUE=DATE:20101003\nRRULE:FREQ=YEARLY", "Einheit") +
                          Event("DTSTART;VALUE=DATE:20101224\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20271224", "Heiligabend"))),
            "2026-12-24 Heiligabend, 2027-10-03 Einheit");
}

TEST_F(HolidaysTest, WhatIsNoHolidayIsLeftOut) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART:20261225T080000Z\nDURATION:PT1H", "Termin") +
                          Event("DTSTART;VALUE=DATE:20261225\nSTATUS:CANCELLED", "Abgesagt") +
                          Event("DTSTART;VALUE=DATE:20261130", "Davor") + Event("DTSTART;VALUE=DATE:20280101", "Danach") +
                          Event("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261220", "Rückwärts"))),
            "");
}

TEST_F(HolidaysTest, ADayIsListedOnceByItsFirstName) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART;VALUE=DATE:20261225", "Christmas") + Event("DTSTART;VALUE=DATE:20261225", "Noel"))),
            "2026-12-25 Christmas");
}

TEST_F(HolidaysTest, WhatIsNoCalendarIsRefusedInWords) {
  EXPECT_THAT(Days("<html>"), HasSubstr("no calendar file"));
  EXPECT_THAT(Days(""), HasSubstr("no calendar file"));
  EXPECT_THAT(Days(Calendar(Event("DTSTART;VALUE=DATE:20261201\nRRULE:FREQ=DAILY", std::string(100, 'x')) +
                            Event("DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20370101\nRRULE:FREQ=DAILY", "zu viele"))),
              HasSubstr("more than 4000"));
}

TEST_F(HolidaysTest, ANameCannotSayMoreThanOneDay) {
  EXPECT_EQ(Days(Calendar(Event("DTSTART;VALUE=DATE:20261225", "Fest\\n2026-12-28 Erfunden"))), "2026-12-25 Fest 2026-12-28 Erfunden");
}

TEST_F(HolidaysTest, WhatNoChildOfOursFindsIsRefused) {
  const std::string found = EncodeHolidays({{absl::CivilDay(2026, 12, 25), "Weihnachten"}});
  EXPECT_TRUE(DecodeHolidays(found).has_value());
  EXPECT_FALSE(DecodeHolidays(found + "x").has_value());
  for (size_t size = 0; size < found.size(); ++size) EXPECT_FALSE(DecodeHolidays(found.substr(0, size)).has_value()) << size;
  EXPECT_FALSE(DecodeHolidays(absl::StrReplaceAll(found, {{"ih", "\n1"}})).has_value()) << "a name is one line";
}

}  // namespace
}  // namespace ringback::calendars
