#include "web/rate_limiter.h"

#include <gtest/gtest.h>

namespace ringback::web {
namespace {

class RateLimiterTest : public ::testing::Test {
 protected:
  FakeClock clock_{absl::FromUnixSeconds(1795435200)};
  RateLimiter limiter_{{3, absl::Seconds(10)}, &clock_};
};

TEST_F(RateLimiterTest, ABurstPassesAndThenOneEachTime) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter_.Take("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter_.Take("a"), absl::Seconds(10));
  EXPECT_EQ(limiter_.Wait("a"), absl::Seconds(10));
  clock_.Advance(absl::Seconds(4));
  EXPECT_EQ(limiter_.Take("a"), absl::Seconds(6)) << "asking again costs nothing";
  clock_.Advance(absl::Seconds(6));
  EXPECT_EQ(limiter_.Wait("a"), absl::ZeroDuration());
  EXPECT_EQ(limiter_.Take("a"), absl::ZeroDuration());
  EXPECT_GT(limiter_.Take("a"), absl::ZeroDuration());
  clock_.Advance(absl::Hours(1));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter_.Take("a"), absl::ZeroDuration());
  EXPECT_GT(limiter_.Take("a"), absl::ZeroDuration()) << "no more than a burst is saved up";
}

TEST_F(RateLimiterTest, EachKeyHasItsOwn) {
  for (int i = 0; i < 4; ++i) limiter_.Take("a");
  EXPECT_EQ(limiter_.Wait("b"), absl::ZeroDuration());
  EXPECT_EQ(limiter_.Take("b"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, AClockSetBackLocksNobodyOut) {
  for (int i = 0; i < 4; ++i) limiter_.Take("a");
  clock_.Advance(-absl::Hours(5));
  EXPECT_EQ(limiter_.Take("a"), absl::Seconds(10));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(limiter_.Take("a"), absl::ZeroDuration());
}

TEST_F(RateLimiterTest, MemoryIsBoundedByForgettingWhatWasUsedLongestAgo) {
  RateLimiter small({1, absl::Hours(1)}, &clock_, 2);
  small.Take("a");
  small.Take("b");
  small.Take("a");  // refused, and used
  small.Take("c");
  EXPECT_GT(small.Wait("a"), absl::ZeroDuration());
  EXPECT_EQ(small.Wait("b"), absl::ZeroDuration()) << "forgotten";
  EXPECT_GT(small.Wait("c"), absl::ZeroDuration());
}

TEST(ClientKeyTest, OneHouseholdIsOneClient) {
  EXPECT_EQ(ClientKey("203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(ClientKey("2001:db8:1:2::1"), ClientKey("2001:db8:1:2:ffff::9"));
  EXPECT_NE(ClientKey("2001:db8:1:2::1"), ClientKey("2001:db8:1:3::1"));
  EXPECT_EQ(ClientKey(""), "");
}

TEST(RetryAfterTest, IsInWholeSecondsAndNeverZero) {
  EXPECT_EQ(RetryAfter(absl::Milliseconds(10)), "1");
  EXPECT_EQ(RetryAfter(absl::Seconds(10)), "10");
  EXPECT_EQ(RetryAfter(absl::Seconds(10) + absl::Nanoseconds(1)), "11");
}

}  // namespace
}  // namespace ringback::web
