#include "core/base/temp_dir.h"
#include "core/runtime/erasure_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace ringback::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1795417200);

class ErasureJournalTest : public ::testing::Test {
 protected:
  ErasureJournalTest() { config_.data_dir = folder_.path(); }

  std::string Text() const {
    std::stringstream text;
    text << std::ifstream(config_.ErasuresPath()).rdbuf();
    return text.str();
  }

  const TempDir folder_;
  Config config_;
};

TEST_F(ErasureJournalTest, HoldsWhenItBeganAndWhatWasErased) {
  ASSERT_TRUE(NoteErasures(config_, kNow, {}).ok());
  ASSERT_TRUE(NoteErasures(config_, kNow + absl::Hours(1), {"cb07aaaa", "ct07bbbb"}).ok());
  ASSERT_TRUE(NoteErasures(config_, kNow + absl::Hours(2), {"rc07cccc"}).ok());
  const Erasures read = ReadErasures(config_.ErasuresPath()).value();
  EXPECT_EQ(read.since, kNow);
  EXPECT_THAT(read.entries, ElementsAre(Erasure{kNow + absl::Hours(1), "cb07aaaa"}, Erasure{kNow + absl::Hours(1), "ct07bbbb"},
                                        Erasure{kNow + absl::Hours(2), "rc07cccc"}));
  EXPECT_EQ(std::filesystem::status(config_.ErasuresPath()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(ErasureJournalTest, ALineThatACrashCutOffIsPassedOverAndWrittenOver) {
  ASSERT_TRUE(NoteErasures(config_, kNow, {"cb07aaaa"}).ok());
  std::ofstream(config_.ErasuresPath(), std::ios::app) << "2026-11-24T08:0";
  EXPECT_EQ(ReadErasures(config_.ErasuresPath())->entries.size(), 1u);
  ASSERT_TRUE(NoteErasures(config_, kNow, {"cb07bbbb"}).ok());
  EXPECT_THAT(ReadErasures(config_.ErasuresPath())->entries, ElementsAre(Erasure{kNow, "cb07aaaa"}, Erasure{kNow, "cb07bbbb"}));
}

TEST_F(ErasureJournalTest, WhatIsNoJournalIsRefusedWithItsLine) {
  EXPECT_EQ(ReadErasures(config_.ErasuresPath()).status().code(), absl::StatusCode::kNotFound);
  for (const auto& [text, line] : {std::pair{"", "empty"}, {"hello\n", ":1:"}, {"# ringback erasures since never\n", ":1:"},
                                   {"# ringback erasures since 2026-11-24T08:00:00Z\ncb07aaaa\n", ":2:"},
                                   {"# ringback erasures since 2026-11-24T08:00:00Z\n2026-11-24T08:00:00Z ../x\n", ":2:"}}) {
    std::ofstream(config_.ErasuresPath()) << text;
    const absl::Status read = ReadErasures(config_.ErasuresPath()).status();
    EXPECT_EQ(read.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(std::string(read.message()), HasSubstr(line));
  }
}

TEST_F(ErasureJournalTest, ThreadsDoNotMixTheirLines) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 25; ++n) ASSERT_TRUE(NoteErasures(config_, kNow, {"cb07aaaa", "cb07bbbb"}).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ReadErasures(config_.ErasuresPath())->entries.size(), 200u);
}

TEST_F(ErasureJournalTest, AWrittenJournalReadsBack) {
  const Erasures erasures{kNow, {{kNow, "cb07aaaa"}}};
  ASSERT_TRUE(WriteErasures(config_.ErasuresPath(), erasures).ok());
  EXPECT_EQ(ReadErasures(config_.ErasuresPath())->entries, erasures.entries);
  EXPECT_FALSE(WriteErasures(config_.ErasuresPath(), erasures).ok()) << "never over another";
}

TEST_F(ErasureJournalTest, RedisKeepsNone) {
  config_.store = "redis://127.0.0.1";
  ASSERT_TRUE(NoteErasures(config_, kNow, {"cb07aaaa"}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(config_.data_dir));
}

}  // namespace
}  // namespace ringback::runtime
