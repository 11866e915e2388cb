#include "ingest/waker.h"

#include <gtest/gtest.h>

#include <future>

namespace ringback::ingest {
namespace {

constexpr std::chrono::milliseconds kLong{60'000};

class WakerTest : public testing::Test {
 protected:
  // Arms and returns what becomes true when woken.
  std::future<void> Arm(const std::string& topic, uint64_t seen, std::chrono::milliseconds at_most = kLong) {
    auto woken = std::make_shared<std::promise<void>>();
    handle_ = waker_.Arm(topic, seen, at_most, [woken] { woken->set_value(); });
    return woken->get_future();
  }
  static bool Wakes(std::future<void>& woken) { return woken.wait_for(std::chrono::seconds(20)) == std::future_status::ready; }
  static bool Sleeps(std::future<void>& woken) { return woken.wait_for(std::chrono::seconds(0)) != std::future_status::ready; }

  std::unique_ptr<handoff::Signals> signals_ = handoff::NewLocalSignals();
  Waker waker_{*signals_, 3};
  uint64_t handle_ = 0;
};

TEST_F(WakerTest, ANudgeWakesItsTopicOnly) {
  waker_.Start();
  auto one = Arm("changes/a", waker_.Seen("changes/a"));
  auto other = Arm("changes/b", waker_.Seen("changes/b"));
  signals_->Notify("changes/a");
  EXPECT_TRUE(Wakes(one));
  EXPECT_TRUE(Sleeps(other));
}

TEST_F(WakerTest, ANudgeBetweenLookingAndArmingIsNotMissed) {
  waker_.Start();
  const uint64_t seen = waker_.Seen("changes/a");
  signals_->Notify("changes/a");
  auto woken = Arm("changes/a", seen);
  EXPECT_TRUE(Wakes(woken));
}

TEST_F(WakerTest, TheTimeWakesToo) {
  waker_.Start();
  auto woken = Arm("changes/a", waker_.Seen("changes/a"), std::chrono::milliseconds(1));
  EXPECT_TRUE(Wakes(woken));
}

TEST_F(WakerTest, OneIsWokenEarlyByItsHandle) {
  waker_.Start();
  auto woken = Arm("changes/a", waker_.Seen("changes/a"));
  waker_.Fire(handle_);
  EXPECT_TRUE(Wakes(woken));
  waker_.Fire(handle_);  // again: nothing
}

TEST_F(WakerTest, NoMoreThanItsLimitWait) {
  for (int i = 0; i < 3; ++i) Arm("changes/a", waker_.Seen("changes/a"));
  EXPECT_NE(handle_, 0u);
  Arm("changes/a", waker_.Seen("changes/a"));
  EXPECT_EQ(handle_, 0u);
}

TEST_F(WakerTest, DrainingWakesEverybodyAndTakesNobody) {
  waker_.Start();
  auto one = Arm("changes/a", waker_.Seen("changes/a"));
  auto other = Arm("changes/b", waker_.Seen("changes/b"));
  waker_.Drain();
  EXPECT_FALSE(Sleeps(one));
  EXPECT_FALSE(Sleeps(other));
  Arm("changes/a", waker_.Seen("changes/a"));
  EXPECT_EQ(handle_, 0u);
}

}  // namespace
}  // namespace ringback::ingest
