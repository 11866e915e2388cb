// The token bucket on a fake clock.
#include "delivery/rate_limit.h"

#include <gtest/gtest.h>

namespace ringback::delivery {
namespace {

TEST(RateLimit, ABurstGoesAtOnceThenOneByOne) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(2.0, 3, &clock);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  EXPECT_EQ(limit.TryTake(), absl::Milliseconds(500));
  clock.Advance(absl::Milliseconds(499));
  EXPECT_GT(limit.TryTake(), absl::ZeroDuration());
  clock.Advance(absl::Milliseconds(2));
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  EXPECT_GT(limit.TryTake(), absl::ZeroDuration());
}

TEST(RateLimit, AskingInVainCostsNothing) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  for (int i = 0; i < 100; ++i) EXPECT_GT(limit.TryTake(), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1) + absl::Milliseconds(1));
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
}

TEST(RateLimit, ALongPauseSavesUpNoMoreThanABurst) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(10.0, 2, &clock);
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  EXPECT_GT(limit.TryTake(), absl::ZeroDuration());
}

TEST(RateLimit, APauseTheOtherSideAskedForIsKept) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(0, 1, &clock);
  limit.PauseFor(absl::Seconds(30));
  limit.PauseFor(absl::Seconds(5));
  EXPECT_EQ(limit.TryTake(), absl::Seconds(30));
  clock.Advance(absl::Seconds(30));
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
}

TEST(RateLimit, AClockSetBackNeitherGivesNorBlocks) {
  FakeClock clock(absl::FromUnixSeconds(1000));
  RateLimit limit(1.0, 1, &clock);
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
  clock.Set(absl::FromUnixSeconds(500));
  EXPECT_GT(limit.TryTake(), absl::ZeroDuration());
  clock.Advance(absl::Seconds(1) + absl::Milliseconds(1));
  EXPECT_EQ(limit.TryTake(), absl::ZeroDuration());
}

}  // namespace
}  // namespace ringback::delivery
