// The hand-off's books without sockets: frames, credits at the producer, slots at the worker.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/base/ids.h"
#include "core/handoff/credits.h"
#include "core/handoff/slots.h"
#include "core/handoff/wire.h"

namespace ringback::handoff {
namespace {

using testing::ElementsAre;
using Type = Frame::Type;

Frame Of(Type type, uint64_t epoch, const std::string& stage = "s", uint32_t count = 1) {
  Frame frame;
  frame.type = type;
  frame.epoch = epoch;
  frame.stage = stage;
  frame.count = count;
  return frame;
}

TEST(WireTest, AFrameComesBackAsItWas) {
  Frame frame = Of(Type::kJob, 1ull << 60, "transcode", 7);
  frame.key = std::string("\0\x1f key", 6);
  frame.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  frame.refusals = 2;
  frame.accounts = {{"a", 5}, {"b", ~0ull}};
  const auto read = Decode(Encode(frame));
  ASSERT_TRUE(read);
  EXPECT_EQ(Encode(*read), Encode(frame));
  EXPECT_EQ(read->key, frame.key);
  EXPECT_EQ(read->accounts[1].total, ~0ull);
}

TEST(WireTest, WhatANewerProgramAppendsIsPassedOver) {
  EXPECT_TRUE(Decode(Encode(Of(Type::kCredit, 1)) + "more"));
}

TEST(WireTest, OtherVersionsTypesAndNonsenseAreNoFrames) {
  std::string version = Encode(Of(Type::kCredit, 1)), type = version;
  version[2] = 2;
  type[3] = 99;
  EXPECT_FALSE(Decode(version));
  EXPECT_FALSE(Decode(type));
  EXPECT_FALSE(Decode(""));
  EXPECT_FALSE(Decode("rb\x01"));
  const std::string whole = Encode(Of(Type::kBeat, 1));
  for (size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(Decode(std::string_view(whole).substr(0, size))) << size;
  std::string huge = whole;
  huge.replace(huge.size() - 4, 4, "\xff\xff\xff\xff");
  EXPECT_FALSE(Decode(huge)) << "a count of accounts that nobody has";
}

class CreditsTest : public testing::Test {
 protected:
  void Beat(const std::string& worker, uint64_t epoch, uint64_t granted) {
    Frame beat = Of(Type::kBeat, epoch, "");
    beat.accounts = {{"s", granted}};
    back_ = credits_.OnFrame(worker, beat, now_).value();
  }
  void Give(const std::string& worker, uint64_t epoch, uint32_t count = 1) {
    EXPECT_FALSE(credits_.OnFrame(worker, Of(Type::kCredit, epoch, "s", count), now_));
  }
  Credits credits_;
  Frame back_;
  Credits::Time now_{};
};

TEST_F(CreditsTest, JobsSpreadOverTheWorkersInTheOrderOfTheirCredits) {
  Beat("a", 1, 0), Beat("b", 1, 0);
  Give("a", 1), Give("b", 1), Give("a", 1);
  EXPECT_EQ(credits_.Take("s")->worker, "a");
  const Ticket b = *credits_.Take("s");
  EXPECT_EQ(b.worker, "b");
  credits_.Return(b);
  EXPECT_EQ(credits_.Take("s")->worker, "b") << "a returned one is the first again";
  EXPECT_EQ(credits_.Take("s")->worker, "a");
  EXPECT_FALSE(credits_.Take("s"));
  EXPECT_FALSE(credits_.Take("other"));
}

TEST_F(CreditsTest, ARecallGivesBackWhatIsNotInUseAndSaysHowMany) {
  Beat("a", 1, 0);
  Give("a", 1, 2);
  const Ticket used = *credits_.Take("s");
  EXPECT_EQ(credits_.OnFrame("a", Of(Type::kRecall, 1, "s", 2), now_)->count, 1u);
  EXPECT_EQ(credits_.Held("s"), 0);
  credits_.Spend(used);
  Beat("a", 1, 2);
  EXPECT_EQ(back_.count, 0u);
  EXPECT_EQ(back_.accounts[0].total, 2u) << "one returned, one spent";
}

TEST_F(CreditsTest, LostGrantsAreSeenAtTheNextBeat) {
  Beat("a", 1, 3);
  EXPECT_EQ(back_.count, 1u);
}

TEST_F(CreditsTest, ANewEpochVoidsWhatWasGivenBefore) {
  Beat("a", 1, 0);
  Give("a", 1, 2);
  const Ticket old = *credits_.Take("s");
  Beat("a", 2, 0);
  EXPECT_EQ(back_.count, 0u);
  EXPECT_EQ(credits_.Held("s"), 0);
  credits_.Return(old);
  EXPECT_EQ(credits_.Held("s"), 0);
  credits_.Spend(old);
  Give("a", 1);
  EXPECT_EQ(credits_.Held("s"), 0) << "a straggler of the past epoch";
  Beat("a", 2, 0);
  EXPECT_EQ(back_.accounts[0].total, 0u);
}

TEST_F(CreditsTest, WhoIsSilentIsForgotten) {
  Beat("a", 1, 0);
  Give("a", 1);
  now_ += std::chrono::seconds(2);
  Beat("b", 1, 0);
  EXPECT_THAT(credits_.ForgetSilent(now_ - std::chrono::seconds(1)), ElementsAre("a"));
  EXPECT_FALSE(credits_.Take("s"));
  EXPECT_THAT(credits_.WorkersOf("s"), ElementsAre("b"));
}

// A worker and its producers, joined by perfect wires.
class SlotsTest : public testing::Test {
 protected:
  void Join(Slots::Peer peer) {
    slots_.AddPeer(peer);
    out_.emplace_back(peer, slots_.Beat(peer));
    Flow();
  }
  void Announce(int free) {
    slots_.Announce("s", free, &out_);
    Flow();
  }
  // Carries frames to and fro until all is quiet.
  void Flow() {
    for (int turns = 0; !out_.empty(); ++turns) {
      ASSERT_LT(turns, 1000) << "the two never come to rest";
      Slots::Outgoing now;
      now.swap(out_);
      for (const auto& [peer, frame] : now) {
        const auto answer = producers_[peer].OnFrame("worker", frame, now_);
        EXPECT_LE(slots_.Given("s"), most_);
        if (answer) slots_.OnFrame(peer, *answer, now_, &out_);
      }
    }
  }
  void SendJob(Slots::Peer peer) {
    const auto ticket = producers_[peer].Take("s");
    ASSERT_TRUE(ticket);
    producers_[peer].Spend(*ticket);
    slots_.OnFrame(peer, Of(Type::kJob, ticket->epoch), now_, &out_);
    Flow();
  }
  void Want(Slots::Peer peer) {
    slots_.OnFrame(peer, Of(Type::kWanted, 0), now_, &out_);
    Flow();
  }
  int Held(Slots::Peer peer) { return producers_[peer].Held("s"); }

  Slots slots_;
  Slots::Outgoing out_;
  std::map<Slots::Peer, Credits> producers_;
  Slots::Time now_{};
  int most_ = 1000;
};

TEST_F(SlotsTest, CreditsSpreadEvenlyAndNeverExceedTheFreeSlots) {
  slots_.AddStage("s");
  for (Slots::Peer peer : {1, 2, 3}) Join(peer);
  most_ = 4;
  Announce(4);
  EXPECT_EQ(slots_.Given("s"), 4);
  for (Slots::Peer peer : {1, 2, 3}) EXPECT_GE(Held(peer), 1) << peer;
  Announce(1);
  EXPECT_EQ(slots_.Given("s"), 1);
  EXPECT_EQ(Held(1) + Held(2) + Held(3), 1);
}

TEST_F(SlotsTest, WhoComesLaterGetsOneOfThoseWhoHaveSeveral) {
  slots_.AddStage("s");
  Join(1);
  most_ = 2;
  Announce(2);
  EXPECT_EQ(Held(1), 2);
  Join(2);
  EXPECT_EQ(Held(1), 1);
  EXPECT_EQ(Held(2), 1);
  Join(3);
  EXPECT_EQ(Held(3), 0) << "nobody has several";
}

TEST_F(SlotsTest, AJobCountsTheFreeSlotsDown) {
  slots_.AddStage("s");
  Join(1);
  Announce(1);
  SendJob(1);
  EXPECT_EQ(slots_.Given("s"), 0) << "not given again before the worker is free again";
  Announce(1);
  EXPECT_EQ(Held(1), 1);
}

TEST_F(SlotsTest, WhoSentLastGetsTheNextOneAndWhoWantsOneGetsTheLeastUsed) {
  slots_.AddStage("s");
  Join(1), Join(2);
  most_ = 1;
  Announce(1);
  const Slots::Peer idle = Held(1) == 1 ? 1 : 2, busy = 3 - idle;
  EXPECT_EQ(Held(busy), 0);
  Want(busy);
  EXPECT_EQ(Held(busy), 1);
  EXPECT_EQ(Held(idle), 0);
  SendJob(busy);
  Announce(1);
  EXPECT_EQ(Held(busy), 1) << "it is the one who sends";
}

TEST_F(SlotsTest, ACreditInUseIsNotAskedForOverAndOver) {
  slots_.AddStage("s");
  Join(1);
  Announce(1);
  const auto in_use = producers_[1].Take("s");
  Announce(0);  // Flow would fail if it never came to rest
  EXPECT_EQ(slots_.Given("s"), 1);
  producers_[1].Return(*in_use);
  slots_.Remind(&out_);
  Flow();
  EXPECT_EQ(slots_.Given("s"), 0);
}

TEST_F(SlotsTest, LostMessagesHealAtTheNextBeat) {
  slots_.AddStage("s");
  Join(1);
  Announce(2);
  // A job that never arrives …
  producers_[1].Spend(*producers_[1].Take("s"));
  EXPECT_EQ(Held(1), 1);
  out_.emplace_back(1, slots_.Beat(1));
  Flow();
  EXPECT_EQ(Held(1), 2);
  // … and a credit that never does.
  slots_.Announce("s", 3, &out_);
  out_.clear();
  EXPECT_EQ(Held(1), 2);
  out_.emplace_back(1, slots_.Beat(1));
  Flow();
  EXPECT_EQ(Held(1), 3);
  EXPECT_EQ(slots_.Given("s"), 3);
}

TEST_F(SlotsTest, ASilentProducersCreditsGoToTheOthers) {
  slots_.AddStage("s");
  Join(1), Join(2);
  Announce(2);
  EXPECT_EQ(Held(2), 1);
  now_ += std::chrono::seconds(5);
  out_.emplace_back(1, slots_.Beat(1));
  Flow();
  EXPECT_THAT(slots_.GiveUpSilent(now_ - std::chrono::seconds(1), &out_), ElementsAre(2u));
  std::erase_if(out_, [](const auto& each) { return each.first == 2; });
  Flow();
  EXPECT_EQ(Held(1), 2);
  EXPECT_FALSE(slots_.Alive(2));
}

// Whatever happens in whatever order, no more is given than is free at that moment, and in the end all is given.
TEST_F(SlotsTest, RandomTrafficKeepsTheBooksEqual) {
  const auto random = NewSeededRandom(20261124);
  slots_.AddStage("s");
  for (Slots::Peer peer : {1, 2, 3, 4}) Join(peer);
  int free = 0;
  for (int step = 0; step < 20'000; ++step) {
    const Slots::Peer peer = 1 + random->Next() % 4;
    switch (random->Next() % 5) {
      case 0:
        free = static_cast<int>(random->Next() % 6);
        most_ = std::max(free, slots_.Given("s"));
        Announce(free);
        break;
      case 1:
        if (Held(peer) > 0) SendJob(peer), free = std::max(0, free - 1);
        break;
      case 2: Want(peer); break;
      case 3:  // a message is lost
        if (Held(peer) > 0) producers_[peer].Spend(*producers_[peer].Take("s"));
        break;
      case 4:
        out_.emplace_back(peer, slots_.Beat(peer));
        Flow();
        break;
    }
    ASSERT_FALSE(HasFailure()) << "step " << step;
  }
  most_ = 1000;
  for (Slots::Peer peer : {1, 2, 3, 4}) out_.emplace_back(peer, slots_.Beat(peer));
  Flow();
  Announce(5);
  EXPECT_EQ(slots_.Given("s"), 5);
  EXPECT_EQ(Held(1) + Held(2) + Held(3) + Held(4), 5);
}

}  // namespace
}  // namespace ringback::handoff
