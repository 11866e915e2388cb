// The token bucket and its waiting room on a fake clock.
#include "delivery/rate_limit.h"

#include <gtest/gtest.h>

namespace ringback::delivery {
namespace {

// One that asks again and again.
absl::Duration Take(RateLimit& limit) { return limit.TryTake("one", {0, absl::UnixEpoch()}); }

Urgency At(int rank, int hour) { return {rank, absl::FromUnixSeconds(1000) + absl::Hours(hour)}; }

TEST(RateLimit, ABurstGoesAtOnceThenOneByOne) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(2.0, 3, &clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Take(limit), absl::ZeroDuration());
  EXPECT_EQ(Take(limit), absl::Milliseconds(500));
  clock.Advance(absl::Milliseconds(499));
  EXPECT_GT(Take(limit), absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(2));
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
  EXPECT_GT(Take(limit), absl::ZeroDuration());
}

TEST(RateLimit, AskingInVainCostsNothing) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) EXPECT_GT(Take(limit), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1) + absl::Milliseconds(1));
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
}

TEST(RateLimit, ALongPauseSavesUpNoMoreThanABurst) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(10.0, 2, &clock);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
  EXPECT_GT(Take(limit), absl::ZeroDuration());
}

TEST(RateLimit, TheMostUrgentOfThoseThatWaitGoesFirst) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(limit.TryTake("first", At(1, 9)), absl::ZeroDuration());
  // They came in this order, and each is told when its turn is.
  EXPECT_EQ(limit.TryTake("at 16", At(1, 16)), absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("at 13", At(1, 13)), absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("alarm", At(0, 20)), absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("note", At(2, 1)), absl::Seconds(4));
  // All ask again in the order in which they came; whose turn it is not waits for those before it.
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("at 16", At(1, 16)), absl::Seconds(2));
  EXPECT_EQ(limit.TryTake("at 13", At(1, 13)), absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("alarm", At(0, 20)), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("at 13", At(1, 13)), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("at 16", At(1, 16)), absl::ZeroDuration());
}

TEST(RateLimit, NoPlaceIsKeptForLongForWhoDoesNotComeBack) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(limit.TryTake("first", At(0, 1)), absl::ZeroDuration());
  EXPECT_EQ(limit.TryTake("gone", At(0, 2)), absl::Seconds(1));
  EXPECT_EQ(limit.TryTake("next", At(0, 3)), absl::Seconds(2));
  clock.Advance(absl::Seconds(2));
  EXPECT_GT(limit.TryTake("next", At(0, 3)), absl::ZeroDuration());
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(limit.TryTake("next", At(0, 3)), absl::ZeroDuration());
}

TEST(RateLimit, AClockSetBackNeitherGivesNorBlocks) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
  clock.Set(absl::FromUnixSeconds(500));
  EXPECT_GT(Take(limit), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1) + absl::Milliseconds(1));
  EXPECT_EQ(Take(limit), absl::ZeroDuration());
}

}  // namespace
}  // namespace ringback::delivery
