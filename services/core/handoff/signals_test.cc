#include "core/handoff/signals.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

namespace ringback::handoff {
namespace {

constexpr int kLong = 60'000;  // ms; a test that waits this long has failed

TEST(LocalSignalsTest, ANudgeBetweenTwoLooksIsNotMissed) {
  const auto signals = NewLocalSignals();
  const uint64_t seen = signals->Seen("due/promise");
  signals->Notify("due/promise");
  EXPECT_GT(signals->Wait("due/promise", seen, kLong), seen);
}

TEST(LocalSignalsTest, ANudgeWakesAWaiter) {
  const auto signals = NewLocalSignals();
  const uint64_t seen = signals->Seen("due/delivery");
  auto waiter = std::async(std::launch::async, [&] { return signals->Wait("due/delivery", seen, kLong); });
  signals->Notify("due/delivery");
  EXPECT_EQ(waiter.get(), seen + 1);
}

TEST(LocalSignalsTest, AnotherTopicsNudgeDoesNotWake) {
  const auto signals = NewLocalSignals();
  const uint64_t seen = signals->Seen("due/delivery");
  signals->Notify("due/transcode");
  EXPECT_EQ(signals->Wait("due/delivery", seen, 1), seen);
}

TEST(LocalSignalsTest, SubscribersGetTheTopicsOfTheirPrefixUntilTheyLeave) {
  const auto signals = NewLocalSignals();
  std::vector<std::string> got;
  const uint64_t handle = signals->Subscribe("changes/", [&](const std::string& topic) { got.push_back(topic); });
  signals->Notify("changes/tm07aaaa");
  signals->Notify("due/promise");
  signals->Notify("changes/tm08bbbb");
  signals->Unsubscribe(handle);
  signals->Notify("changes/tm07aaaa");
  EXPECT_EQ(got, (std::vector<std::string>{"changes/tm07aaaa", "changes/tm08bbbb"}));
}

TEST(LocalSignalsTest, AHandlerMayNotifyAnotherTopic) {
  const auto signals = NewLocalSignals();
  const uint64_t seen = signals->Seen("b");
  signals->Subscribe("a", [&](const std::string&) { signals->Notify("b"); });
  signals->Notify("a");
  EXPECT_EQ(signals->Wait("b", seen, kLong), seen + 1);
}

TEST(LocalSignalsTest, UnsubscribeWaitsForARunningCall) {
  const auto signals = NewLocalSignals();
  std::promise<void> entered, leave;
  std::atomic<bool> ended{false};
  const uint64_t handle = signals->Subscribe("x", [&](const std::string&) {
    entered.set_value();
    leave.get_future().wait();
    ended = true;
  });
  std::thread notifier([&] { signals->Notify("x"); });
  entered.get_future().wait();
  auto gone = std::async(std::launch::async, [&] {
    signals->Unsubscribe(handle);
    return ended.load();
  });
  leave.set_value();
  EXPECT_TRUE(gone.get());
  notifier.join();
}

TEST(LocalSignalsTest, ManyThreadsLoseNoCount) {
  const auto signals = NewLocalSignals();
  signals->Seen("t");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) signals->Notify("t");
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(signals->Seen("t"), 4000u);
}

}  // namespace
}  // namespace ringback::handoff
