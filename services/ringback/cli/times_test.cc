#include "ringback/cli/times.h"

#include <gtest/gtest.h>

namespace ringback::cli {
namespace {

const absl::TimeZone kBerlin = [] {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  return zone;
}();

absl::Time At(int year, int month, int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, 0), kBerlin);
}

TEST(Times, SpansShowTwoUnitsAtMost) {
  EXPECT_EQ(SpanWords(absl::Seconds(0)), "0 s");
  EXPECT_EQ(SpanWords(absl::Seconds(59.9)), "59 s");
  EXPECT_EQ(SpanWords(absl::Seconds(725)), "12 min");
  EXPECT_EQ(SpanWords(absl::Minutes(80)), "1 h 20 min");
  EXPECT_EQ(SpanWords(absl::Hours(2) + absl::Seconds(30)), "2 h");
  EXPECT_EQ(SpanWords(absl::Hours(76) + absl::Minutes(5)), "3 d 4 h");
  EXPECT_EQ(SpanWords(absl::Hours(48) + absl::Minutes(5)), "2 d");
  EXPECT_EQ(SpanWords(-absl::Minutes(5)), "5 min");
}

TEST(Times, DaysNearByHaveNames) {
  const absl::Time now = At(2026, 11, 23, 12, 0);
  EXPECT_EQ(ClockWords(At(2026, 11, 23, 13, 0), now, kBerlin), "13:00");
  EXPECT_EQ(ClockWords(At(2026, 11, 24, 9, 30), now, kBerlin), "tomorrow 09:30");
  EXPECT_EQ(ClockWords(At(2026, 11, 22, 23, 59), now, kBerlin), "yesterday 23:59");
  EXPECT_EQ(ClockWords(At(2026, 12, 1, 8, 0), now, kBerlin), "Tue  1 Dec 08:00");
  EXPECT_EQ(ClockWords(At(2027, 11, 23, 8, 0), now, kBerlin), "2027-11-23 08:00");
}

TEST(Times, TheDayBeforeAClockChangeIsStillTheDayBefore) {
  EXPECT_EQ(ClockWords(At(2026, 10, 25, 23, 30), At(2026, 10, 24, 23, 45), kBerlin), "tomorrow 23:30");
}

TEST(Times, RelativeWordsSayWhichSide) {
  const absl::Time now = At(2026, 11, 23, 12, 0);
  EXPECT_EQ(WhenWords(At(2026, 11, 23, 13, 20), now, kBerlin), "13:20 (in 1 h 20 min)");
  EXPECT_EQ(WhenWords(At(2026, 11, 23, 11, 48), now, kBerlin), "11:48 (12 min ago)");
  EXPECT_EQ(RelativeWords(now, now), "now");
}

TEST(Times, SpansAsPeopleTypeThem) {
  EXPECT_EQ(ParseSpan("45s").value(), absl::Seconds(45));
  EXPECT_EQ(ParseSpan("10m").value(), absl::Minutes(10));
  EXPECT_EQ(ParseSpan(" 1 h 30 min ").value(), absl::Minutes(90));
  EXPECT_EQ(ParseSpan("1h30m").value(), absl::Minutes(90));
  EXPECT_EQ(ParseSpan("1w").value(), absl::Hours(168));
  EXPECT_EQ(ParseSpanOrZero("0").value(), absl::ZeroDuration());
  EXPECT_EQ(ParseSpanOrZero("0s").value(), absl::ZeroDuration());
}

TEST(Times, WhatIsNoSpanIsRefusedWithWhatWouldBeRight) {
  for (const char* bad : {"", "10", "m", "10x", "-5m", "0m", "1h30", "1e9s", "999999999d", "5m;", "1.5h"}) {
    const auto span = ParseSpan(bad);
    EXPECT_EQ(span.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_NE(std::string(span.status().message()).find("use 45s, 10m"), std::string::npos) << bad;
  }
}

TEST(Times, SpanTextReadsBack) {
  for (const auto span : {absl::ZeroDuration(), absl::Seconds(59), absl::Minutes(90), absl::Hours(49) + absl::Seconds(1)}) {
    EXPECT_EQ(ParseSpanOrZero(SpanText(span)).value(), span) << SpanText(span);
  }
  EXPECT_EQ(SpanText(absl::Minutes(90)), "1h30m");
}

}  // namespace
}  // namespace ringback::cli
