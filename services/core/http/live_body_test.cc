#include "core/http/live_body.h"

#include <gtest/gtest.h>

namespace ringback::http {
namespace {

LiveBody::Block Text(const char* text) { return std::make_shared<const std::string>(text); }

TEST(LiveBodyTest, WhatIsPutIsTakenInItsOrderAndWakesOnce) {
  LiveBody body(100);
  int wakes = 0;
  body.Attend([&] { ++wakes; });
  EXPECT_TRUE(body.Put(Text("one")));
  EXPECT_TRUE(body.Put(Text("two")));
  EXPECT_EQ(wakes, 1);
  const LiveBody::Waiting waiting = body.Take();
  ASSERT_EQ(waiting.blocks.size(), 2u);
  EXPECT_EQ(*waiting.blocks[0], "one");
  EXPECT_EQ(*waiting.blocks[1], "two");
  EXPECT_FALSE(waiting.last);
  EXPECT_TRUE(body.Take().blocks.empty());
  EXPECT_TRUE(body.Put(Text("three")));
  EXPECT_EQ(wakes, 2);
}

TEST(LiveBodyTest, AReaderThatLetsTooMuchWaitIsGivenUp) {
  LiveBody body(10);
  int wakes = 0;
  body.Attend([&] { ++wakes; });
  EXPECT_TRUE(body.Put(Text("12345678")));
  EXPECT_FALSE(body.Put(Text("123")));
  EXPECT_TRUE(body.closed());
  EXPECT_EQ(wakes, 2);
  EXPECT_FALSE(body.Put(Text("1")));
}

TEST(LiveBodyTest, RoomComesBackWithWhatIsTaken) {
  LiveBody body(10);
  EXPECT_TRUE(body.Put(Text("1234567890")));
  body.Take();
  EXPECT_TRUE(body.Put(Text("1234567890")));
}

TEST(LiveBodyTest, TheEndComesAfterWhatWasPutBefore) {
  LiveBody body(10);
  body.Put(Text("last"));
  body.Close();
  EXPECT_FALSE(body.Put(Text("late")));
  const LiveBody::Waiting waiting = body.Take();
  EXPECT_EQ(waiting.blocks.size(), 1u);
  EXPECT_TRUE(waiting.last);
}

TEST(LiveBodyTest, NobodyIsWokenWhoHasLeft) {
  LiveBody body(10);
  int wakes = 0;
  body.Attend([&] { ++wakes; });
  body.Leave();
  EXPECT_FALSE(body.Put(Text("x")));
  body.Close();
  EXPECT_EQ(wakes, 0);
}

}  // namespace
}  // namespace ringback::http
