#include "delivery/orphans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/runtime/host.h"
#include "core/store/records.h"
#include "delivery/retention.h"

namespace ringback::delivery {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// A host that does not serve, on a store, blobs and a clock of its own.
class OrphansTest : public ::testing::Test {
 protected:
  OrphansTest() {
    config_.data_dir = dir_.File("data");
    config_.clock_offset_file = dir_.File("clock");
    SetClock(absl::ZeroDuration());
    host_ = runtime::Host::Create(config_).value();
    retention_ = std::make_unique<Retention>(*host_);
  }

  void SetClock(absl::Duration offset) {
    offset_ = offset;
    std::ofstream(config_.clock_offset_file) << absl::ToInt64Seconds(offset) << "\n";
  }
  void Advance(absl::Duration by) { SetClock(offset_ + by); }

  // A recording's bytes, without its record.
  std::string WriteBytes() {
    const std::string id = NewId(id_prefix::kRecording, 7, host_->random());
    EXPECT_TRUE(host_->blobs().Put("07/" + id + "/original", "a voice").ok());
    return id;
  }
  void CommitRecord(const std::string& id) {
    store::record::RecordingRecord recording;
    recording.set_id(id);
    recording.set_original_blob("07/" + id + "/original");
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = "record/" + id;
    store::AddPut(store::RecordingKey(id).value(), 0, recording, &commit);
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }
  bool OnDisk(const std::string& id) { return host_->blobs().Size("07/" + id + "/original").ok(); }

  std::unique_ptr<Orphans> NewReplica() {
    return std::make_unique<Orphans>(&host_->store(), &host_->blobs(), &host_->metrics(), config_.orphan_grace);
  }
  void Sweep() {
    const absl::Status swept = NewReplica()->Round();
    ASSERT_TRUE(swept.ok()) << swept;
  }
  // What the retention worker does with everything that is due now. Returns how many entries that was.
  int Retain() {
    store::ClaimOptions options;
    options.max = 100;
    const auto leases = host_->store().ClaimDue(store::Stage::kRetention, options).value();
    const auto handler = retention_->NewHandler();
    for (const store::Lease& lease : leases) {
      const absl::Status handled = handler->Handle({lease, nullptr});
      EXPECT_TRUE(handled.ok()) << handled;
    }
    return static_cast<int>(leases.size());
  }

  const TempDir dir_;
  runtime::Config config_;
  absl::Duration offset_;
  std::unique_ptr<runtime::Host> host_;
  std::unique_ptr<Retention> retention_;
};

TEST_F(OrphansTest, BytesWithoutARecordLeaveAfterTheGracePeriod) {
  const std::string orphan = WriteBytes();
  const std::string named = WriteBytes();
  CommitRecord(named);
  Advance(absl::Hours(7));
  Sweep();
  EXPECT_EQ(Retain(), 0);
  Advance(absl::Hours(16));
  EXPECT_EQ(Retain(), 0);
  EXPECT_TRUE(OnDisk(orphan));
  Advance(absl::Hours(1) + absl::Minutes(1));
  EXPECT_EQ(Retain(), 1);
  EXPECT_FALSE(OnDisk(orphan));
  EXPECT_TRUE(OnDisk(named));
  EXPECT_EQ(host_->store().Stats(store::Stage::kRetention)->future, 0) << "nothing is left of it";
  EXPECT_THAT(host_->metrics().Text(), HasSubstr("ringback_orphans_total{outcome=\"removed\"} 1"));
}

TEST_F(OrphansTest, AMailsBytesWithoutItsAnswerLeaveTooUnlessTheMailCameAgain) {
  const auto write = [&] {
    const std::string id = NewId(id_prefix::kAnswer, 7, host_->random());
    EXPECT_TRUE(host_->blobs().Put("07/" + id + ".original", "From: a@example.com").ok());
    EXPECT_TRUE(host_->blobs().Put("07/" + id + ".1", "a picture").ok());
    return id;
  };
  const std::string orphan = write(), again = write();
  Advance(absl::Hours(7));
  Sweep();
  // The mail server kept the other one and has delivered it meanwhile.
  store::record::AnswerRecord answer;
  answer.set_id(again);
  answer.set_team_id("team");
  answer.mutable_create_time()->set_seconds(1);
  store::Commit commit;
  commit.shard = 7;
  commit.commit_id = "answer/" + again;
  store::AddAnswer(nullptr, 0, answer, absl::FromUnixSeconds(4'000'000'000), &commit);
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  Advance(absl::Hours(18));
  EXPECT_EQ(Retain(), 2);
  EXPECT_FALSE(host_->blobs().Size("07/" + orphan + ".original").ok());
  EXPECT_FALSE(host_->blobs().Size("07/" + orphan + ".1").ok());
  EXPECT_TRUE(host_->blobs().Size("07/" + again + ".original").ok());
}

TEST_F(OrphansTest, AnUploadInFlightIsLeftAlone) {
  const std::string id = WriteBytes();
  Advance(absl::Minutes(30));
  Sweep();
  EXPECT_EQ(host_->store().Stats(store::Stage::kRetention)->future, 0);
  EXPECT_THAT(host_->metrics().Text(), Not(HasSubstr("ringback_orphans_total")));
}

TEST_F(OrphansTest, ARecordThatCameAfterAllKeepsItsBytes) {
  const std::string id = WriteBytes();
  Advance(absl::Hours(7));
  Sweep();
  CommitRecord(id);
  Advance(absl::Hours(24));
  EXPECT_EQ(Retain(), 1);
  EXPECT_TRUE(OnDisk(id));
  EXPECT_THAT(host_->metrics().Text(), HasSubstr("ringback_orphans_total{outcome=\"kept\"} 1"));
  Sweep();
  EXPECT_EQ(host_->store().Stats(store::Stage::kRetention)->future, 0);
}

// The wrong store has no record of anything: hours must pass before it costs a recording.
TEST_F(OrphansTest, OldBytesStayForHalfTheGracePeriodAfterTheyWereFound) {
  const std::string id = WriteBytes();
  Advance(absl::Hours(24 * 100));
  Sweep();
  Advance(absl::Hours(11));
  EXPECT_EQ(Retain(), 0);
  Advance(absl::Hours(1) + absl::Minutes(1));
  EXPECT_EQ(Retain(), 1);
  EXPECT_FALSE(OnDisk(id));
}

TEST_F(OrphansTest, SeveralReplicasFindItOnce) {
  WriteBytes();
  Advance(absl::Hours(7));
  const auto one = NewReplica(), other = NewReplica();
  ASSERT_TRUE(one->Round().ok());
  ASSERT_TRUE(other->Round().ok());
  Advance(absl::Hours(2));  // after the rest: the next pass
  ASSERT_TRUE(one->Round().ok());
  EXPECT_EQ(host_->store().Stats(store::Stage::kRetention)->future, 1);
  EXPECT_THAT(host_->metrics().Text(), HasSubstr("ringback_orphans_total{outcome=\"found\"} 1"));
}

TEST_F(OrphansTest, MoreThanOnePageIsSweptToItsEnd) {
  // More than a page of recordings that are there, and an orphan behind the last.
  store::Commit commit;
  commit.shard = 6;
  commit.commit_id = "many";
  for (int i = 0; i < 1200; ++i) {
    store::record::RecordingRecord recording;
    recording.set_id(NewId(id_prefix::kRecording, 6, host_->random()));
    store::AddPut(store::RecordingKey(recording.id()).value(), 0, recording, &commit);
    fs::create_directories(config_.BlobDir() + "/06/" + recording.id());
    std::ofstream(config_.BlobDir() + "/06/" + recording.id() + "/original") << "x";
  }
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  const std::string orphan = WriteBytes();
  Advance(absl::Hours(13));
  Sweep();
  Advance(absl::Hours(13));
  EXPECT_EQ(Retain(), 1);
  EXPECT_FALSE(OnDisk(orphan));
}

TEST_F(OrphansTest, RenditionsOfALivingRecordingAndForeignFilesAreNotJudged) {
  const std::string id = WriteBytes();
  CommitRecord(id);
  ASSERT_TRUE(host_->blobs().Put("07/" + id + "/voice.opus", "written, not committed").ok());
  ASSERT_TRUE(host_->blobs().Put("07/somebody/original", "x").ok());
  ASSERT_TRUE(host_->blobs().Put("08/" + id + "/original", "in another shard's folder").ok());
  ASSERT_TRUE(host_->blobs().Put("readme", "x").ok());
  Advance(absl::Hours(48));
  Sweep();
  EXPECT_EQ(host_->store().Stats(store::Stage::kRetention)->future, 0);
}

TEST_F(OrphansTest, WhatAWriterLeftThatDiedGoesToo) {
  const std::string dead = config_.BlobDir() + "/.tmp/killed";
  fs::create_directories(dead);
  std::ofstream(dead + "/lock");
  std::ofstream(dead + "/1") << "half an upload";
  const auto alive = host_->blobs().Create("07/x").value();
  ASSERT_TRUE(alive->Append("half ").ok());
  Sweep();
  EXPECT_FALSE(fs::exists(dead));
  EXPECT_TRUE(alive->Append("and half").ok());
  EXPECT_TRUE(alive->Finish().ok());
}

TEST_F(OrphansTest, AllThatHasExpiredLeavesTheStoreInOneRound) {
  constexpr int kExpired = 2500;  // more than the store removes in one call
  for (int i = 0; i < kExpired; i += 500) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = absl::StrCat("requests/", i);
    for (int n = i; n < i + 500; ++n) {
      store::Put& put = commit.puts.emplace_back();
      put.key = {7, store::Kind::kRequest, absl::StrCat("tm07.", n)};
      put.value = "an answer";
      put.expires = host_->clock().Now() + absl::Hours(1);
    }
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  }
  Advance(absl::Minutes(61));
  ASSERT_TRUE(retention_->Sweep().ok());
  EXPECT_EQ(host_->store().Sweep().value(), 0) << "is still there";
}

TEST(CompactPauseTest, IsShortForASmallStoreAndKeepsTheDayForALargeOne) {
  EXPECT_EQ(CompactPause(absl::Milliseconds(20)), absl::Seconds(30));
  EXPECT_EQ(CompactPause(absl::Seconds(6)), absl::Minutes(10));
  EXPECT_EQ(CompactPause(absl::Hours(1)), absl::Hours(12));
}

}  // namespace
}  // namespace ringback::delivery
