#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/laps.h"
#include "core/base/log.h"
#include "core/base/lru.h"
#include "core/base/utf8.h"

namespace ringback {
namespace {

TEST(Utf8, IsToldFromWhatOnlyLooksLikeIt) {
  for (const char* good : {"", "ascii", "ü", "€", "😀", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad : {"\xC3", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "a\x80",
                          "\xFF", "\xC3x"}) {
    EXPECT_FALSE(IsUtf8(bad));
    for (size_t before = 1; before <= 17; ++before) {
      EXPECT_FALSE(IsUtf8(std::string(before, 'a') + bad)) << before;
      EXPECT_FALSE(IsUtf8(bad + std::string(before, 'a'))) << before;
    }
  }
}

TEST(Ids, MadeOfAHashAreTheSameForTheSame) {
  // Answers of earlier releases have their ids from the same function.
  EXPECT_EQ(HashedId(id_prefix::kAnswer, 7, "abc"), "an07trpzf1fa110y");
  EXPECT_EQ(ShardOf(HashedId(id_prefix::kAnswer, 63, "abc")).value(), 63);
  EXPECT_NE(HashedId(id_prefix::kAnswer, 7, "abd"), HashedId(id_prefix::kAnswer, 7, "abc"));
}

TEST(Ids, CarryTheirShardInClear) {
  auto random = NewSeededRandom(1);
  for (int shard = 0; shard < kShards; ++shard) {
    const std::string id = NewId(id_prefix::kCallback, shard, *random);
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(ShardOf(id).value(), shard);
    EXPECT_EQ(ShardOf(id, id_prefix::kCallback).value(), shard);
  }
}

TEST(Lru, DropsTheOneThatWasAskedForLongestAgo) {
  Lru<int> lru(2);
  lru.Put("a", 1);
  lru.Put("b", 2);
  ASSERT_NE(lru.Find("a"), nullptr);
  lru.Put("c", 3);
  EXPECT_EQ(lru.Find("b"), nullptr);
  ASSERT_NE(lru.Find("a"), nullptr);
  EXPECT_EQ(*lru.Find("a"), 1);
  lru.Put("c", 4);
  lru.Put("d", 5);
  EXPECT_EQ(lru.Find("a"), nullptr) << "a Put asks for it too";
  EXPECT_EQ(*lru.Find("c"), 4);
  EXPECT_EQ(lru.size(), 2u);
}

TEST(Ids, RefuseWhatIsNoId) {
  for (const char* bad : {"", "cb", "cb99abcdefghjkmn", "cbxxabcdefghjkmn", "cb07ABCDEFGH", "cb07../../etc/pw", "cb07 a"}) {
    EXPECT_FALSE(ShardOf(bad).ok()) << bad;
  }
  EXPECT_FALSE(ShardOf("cb07h3k9x2m4q8w1", id_prefix::kTeam).ok());
}

TEST(Ids, DoNotRepeat) {
  auto random = NewSystemRandom();
  std::set<std::string> seen;
  for (int i = 0; i < 10000; ++i) EXPECT_TRUE(seen.insert(NewId(id_prefix::kCallback, i % kShards, *random)).second);
}

TEST(Ids, Sha256MatchesThePublishedVector) {  // FIPS 180-4, "abc"
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(SystemClock, FollowsTheOffsetFileAtEveryCall) {
  const auto path = std::filesystem::temp_directory_path() / ("ringback_offset_" + std::to_string(NewSystemRandom()->Next()));
  auto clock = NewSystemClock(path.string());
  EXPECT_LT(absl::AbsDuration(clock->Now() - absl::Now()), absl::Seconds(5));
  std::ofstream(path) << "7200.5\n";
  EXPECT_LT(absl::AbsDuration(clock->Now() - absl::Now() - absl::Seconds(7200.5)), absl::Seconds(5));
  std::filesystem::remove(path);
}

TEST(TraceScope, NestsAndRestores) {
  EXPECT_EQ(TraceScope::Current(), "");
  TraceScope outer("aa");
  {
    TraceScope inner("bb");
    EXPECT_EQ(TraceScope::Current(), "bb");
  }
  EXPECT_EQ(TraceScope::Current(), "aa");
}

TEST(Laps, NameEveryPartAndAddUpToTheWhole) {
  Laps laps;
  laps.Lap("load");
  laps.Lap("codec");
  laps.Within("decode", 9.8);
  double whole = 0, load = 0, codec = 0;
  ASSERT_EQ(std::sscanf(laps.Text().c_str(), "done in %lf ms: load=%lf codec=%lf (decode=9.80)", &whole, &load, &codec), 3);
  EXPECT_NEAR(whole, load + codec, 0.02);  // each is rounded
}

TEST(TraceScope, WhatItGoesOnUnderEndsWithIt) {
  TraceScope outer("aa");
  {
    TraceScope inner("bb");
    TraceScope::GoOnUnder("cc");
    EXPECT_EQ(TraceScope::Current(), "cc");
    TraceScope::GoOnUnder("");
    EXPECT_EQ(TraceScope::Current(), "cc");
  }
  EXPECT_EQ(TraceScope::Current(), "aa");
}

TEST(Log, EveryLineCarriesItsTraceIdAsTextAndAsJson) {
  const std::shared_ptr<spdlog::logger> before = spdlog::default_logger();
  TraceScope trace("4bf92f3577b34da6a3ce929d0e0e4736");
  testing::internal::CaptureStderr();
  SetUpLogging("info", LogFormat::kText);
  RB_LOG_INFO("taken in");
  SetUpLogging("info", LogFormat::kJson);
  RB_LOG_INFO("a \"quote\"\n");
  RB_LOG_DEBUG("not at this level");
  const std::string lines = testing::internal::GetCapturedStderr();
  spdlog::set_default_logger(before);
  EXPECT_NE(lines.find("Z info  4bf92f3577b34da6a3ce929d0e0e4736 taken in\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("\"level\":\"info\",\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"message\":\"a \\\"quote\\\"\\u000a\"}\n"),
            std::string::npos) << lines;
  EXPECT_EQ(lines.find("not at this level"), std::string::npos);
}

}  // namespace
}  // namespace ringback
