#include "ringback/cli/hours.h"

#include <gtest/gtest.h>

namespace ringback::cli {
namespace {

TEST(Hours, SpansOfDaysBecomeOneEntryEach) {
  v1::Calendar calendar;
  ASSERT_TRUE(AddHours("Mon-Fri 8:00-18:00", &calendar).ok());
  ASSERT_TRUE(AddHours("Sa 9-12:30", &calendar).ok());
  ASSERT_EQ(calendar.hours_size(), 6);
  EXPECT_EQ(calendar.hours(4).weekday(), 5);
  EXPECT_EQ(calendar.hours(4).end_minute(), 18 * 60);
  EXPECT_EQ(HoursWords(calendar), "Mon-Fri 08:00-18:00, Sat 09:00-12:30");
}

TEST(Hours, NoHoursMeanAlways) { EXPECT_EQ(HoursWords(v1::Calendar()), "always"); }

TEST(Hours, MidnightEndsADay) {
  v1::Calendar calendar;
  ASSERT_TRUE(AddHours("Sun 20:00-24:00", &calendar).ok());
  EXPECT_EQ(calendar.hours(0).end_minute(), 1440);
}

TEST(Hours, WhatAreNoHoursIsRefusedAndAddsNothing) {
  for (const char* bad : {"", "Mon", "Mon 8", "Foo 8-18", "Fri-Mon 8-18", "Mon 18-8", "Mon 8-25", "Mon 8:5-9", "Mon 8-18 x"}) {
    v1::Calendar calendar;
    EXPECT_FALSE(AddHours(bad, &calendar).ok()) << bad;
    EXPECT_EQ(calendar.hours_size(), 0) << bad;
  }
}

}  // namespace
}  // namespace ringback::cli
