#include "core/domain/figures.h"

#include "core/domain/input.h"
#include "core/domain/story.h"

namespace ringback::domain {
namespace {

std::string FieldOf(const absl::Status& status) { return DetailOf(status).field; }

TEST(FiguresTest, WhatTookLongIsCountedInTheSpanThatHoldsIt) {
  EXPECT_EQ(SpanCounter(kLateBy, absl::Seconds(1)), "late_by:60");
  EXPECT_EQ(SpanCounter(kLateBy, absl::Seconds(60)), "late_by:60");
  EXPECT_EQ(SpanCounter(kLateBy, absl::Seconds(61)), "late_by:120");
  EXPECT_EQ(SpanCounter(kFirstPromise, absl::Hours(4)), "first_promise:14400");
  EXPECT_EQ(SpanCounter(kLateBy, absl::Hours(24 * 7) + absl::Nanoseconds(1)), "late_by:more");
}

TEST(FiguresTest, TheMedianLiesWithinTheSpanInProportion) {
  Counts counts;
  EXPECT_FALSE(MedianOf(counts, kLateBy, "").has_value());
  counts["late_by:900"] = 1;  // between 10 and 15 minutes
  EXPECT_EQ(MedianOf(counts, kLateBy, ""), absl::Seconds(750));
  counts["late_by:3600"] = 3;  // the second of them is the middle: of 45 to 60 minutes a third of the way
  EXPECT_EQ(MedianOf(counts, kLateBy, ""), absl::Seconds(2700 + 300));
  EXPECT_FALSE(MedianOf(counts, kFirstPromise, "").has_value());
  EXPECT_FALSE(MedianOf(counts, kLateBy, "anna").has_value());
  counts["late_by:60/anna"] = 2;
  EXPECT_EQ(MedianOf(counts, kLateBy, "anna"), absl::Seconds(30));
}

TEST(FiguresTest, WeeksStandForEverythingLonger) {
  Counts counts;
  counts["late_by:more"] = 5;
  counts["late_by:60"] = 1;
  EXPECT_EQ(MedianOf(counts, kLateBy, ""), absl::Hours(24 * 7));
}

TEST(FiguresTest, TheSumOfTwoWeeksHasAMedianOfItsOwn) {
  Counts one{{"late_by:60", 3}}, both{{"late_by:60", 3}, {"late_by:7200", 4}};
  EXPECT_EQ(MedianOf(one, kLateBy, ""), absl::Seconds(30));
  EXPECT_GT(*MedianOf(both, kLateBy, ""), absl::Seconds(5400));
}

TEST(FiguresTest, WeeksRunOverTheTurnOfTheYear) {
  const absl::Time now = At("2027-01-06 12:00");
  const auto weeks = WeeksOf("2026-W52", "", now, Berlin());
  ASSERT_TRUE(weeks.ok()) << weeks.status();
  EXPECT_EQ(*weeks, (std::vector<std::string>{"2026-W52", "2026-W53", "2027-W01"}));
  EXPECT_EQ(WeeksOf("", "", now, Berlin())->size(), 12u);
  EXPECT_EQ(WeeksOf("", "2026-W12", now, Berlin())->front(), "2026-W01");
  EXPECT_EQ(WeeksOf("2026-W01", "2026-W53", now, Berlin())->size(), 53u);
}

TEST(FiguresTest, WhatIsNoWeekIsRefusedByName) {
  const absl::Time now = At("2026-11-23 12:00");
  for (const char* week : {"2026-48", "2026-W00", "2026-W54", "2025-W53", "1969-W01", "2026-W4x", "nonsense"}) {
    EXPECT_EQ(FieldOf(WeeksOf(week, "", now, Berlin()).status()), "from_week") << week;
    EXPECT_EQ(FieldOf(WeeksOf("", week, now, Berlin()).status()), "to_week") << week;
  }
  EXPECT_EQ(FieldOf(WeeksOf("2026-W10", "2026-W09", now, Berlin()).status()), "from_week");
  EXPECT_EQ(FieldOf(WeeksOf("2025-W48", "2026-W49", now, Berlin()).status()), "from_week");
}

TEST(FiguresTest, ALateCallIsCountedByHowLateItWasForTheTeamAndWhoOwedIt) {
  Story story;
  story.Open();
  story.PromiseSpoken("2026-11-23 13:00");
  EXPECT_EQ(story.Counted("first_promise:60"), 1) << "promised in the moment of the request";
  EXPECT_EQ(story.Counted("first_promise:60/anna"), 1);
  story.PassUntil("2026-11-23 13:12");
  story.Attempt(record::AttemptRecord::OUTCOME_NO_ANSWER);
  EXPECT_EQ(story.Counted("late_by:900"), 1);
  EXPECT_EQ(story.Counted("late_by:900/anna"), 1);
  // Only the first promise, and only what is late.
  story.PromiseSpoken("2026-11-23 15:00");
  story.PassUntil("2026-11-23 15:01");
  story.Attempt(record::AttemptRecord::OUTCOME_REACHED);
  EXPECT_EQ(story.Counted("first_promise:60"), 1);
  EXPECT_EQ(story.Counted("late"), 1);
  int spans = 0;
  for (const auto& counter : story.counters) spans += counter.name.find("late_by:") == 0 ? 1 : 0;
  EXPECT_EQ(spans, 2);
}

TEST(FiguresTest, TheFirstPromiseCountsOnceTheCustomerKnows) {
  Story story;
  story.Open();
  story.PassUntil("2026-11-23 09:20");
  const auto voice = story.PromiseByMail("2026-11-23 13:00");
  EXPECT_EQ(story.Counted("first_promise:1800"), 0);
  story.PassUntil("2026-11-23 09:25");
  story.Accept(voice);
  EXPECT_EQ(story.Counted("first_promise:1800"), 1);
}

}  // namespace
}  // namespace ringback::domain
