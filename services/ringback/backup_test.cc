#include "ringback/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/blob/blob_store.h"
#include "core/runtime/erasure_journal.h"
#include "core/runtime/open.h"
#include "core/store/erase.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"
#include "ringback/data_lock.h"
#include "ringback/restore.h"

namespace ringback {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class BackupTest : public ::testing::Test {
 protected:
  BackupTest()
      : clock_(absl::FromUnixSeconds(1795417200)), random_(NewSeededRandom(1)), dir_(::testing::TempDir() + "/backup_test." + std::to_string(getpid())) {
    fs::remove_all(dir_);
    fs::create_directories(dir_);
    config_.data_dir = dir_ + "/data";
    store_ = *runtime::OpenStore(config_, &clock_, random_.get());
    blobs_ = *runtime::OpenBlobs(config_);
    recording_.set_team_id(NewId(id_prefix::kTeam, 7, *random_));
    recording_.set_id(NewId(id_prefix::kRecording, 7, *random_));
    recording_.set_original_blob("07/" + recording_.id() + "/original");
    EXPECT_TRUE(blobs_->Put(recording_.original_blob(), std::string(3'000'000, 'x')).ok());
    EXPECT_TRUE(blobs_->Put("07/nobodys/original", "of no record").ok());
    PutRecording();
    fs::create_directories(config_.OutboxDir() + "/new");
    std::ofstream(config_.OutboxDir() + "/new/mail1") << "Subject: hello\n";
  }

  void PutRecording() {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
    store::AddPut(*store::RecordingKey(recording_.id()), 0, recording_, &commit);
    EXPECT_TRUE(store_->CommitOnce(commit).ok());
  }
  absl::StatusOr<Manifest> Take() { return Backup(config_, dir_ + "/backup", &clock_, random_.get()); }
  absl::StatusOr<RestoreResult> Put(const std::string& place, bool force = false) {
    RestoreOptions options;
    options.from = dir_ + "/backup";
    options.data_dir = place;
    options.force = force;
    options.erasures_file = erasures_file_;
    options.mail_domain = config_.mail_domain;
    return Restore(options, &clock_, random_.get());
  }
  // As a server does.
  void Erase() {
    ASSERT_TRUE(runtime::NoteErasures(config_, clock_.Now(), {recording_.id()}).ok());
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = "erase";
    store::AddErasure(*store::Load<store::record::RecordingRecord>(*store_, *store::RecordingKey(recording_.id())), clock_.Now(), &commit);
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
  }
  bool IsThere(const std::string& place) {
    runtime::Config config;
    config.data_dir = place;
    const auto store = *runtime::OpenStore(config, &clock_, random_.get());
    const bool record = store->Get(*store::RecordingKey(recording_.id())).ok();
    EXPECT_EQ(record, fs::exists(place + "/blobs/" + recording_.original_blob()));
    return record;
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_;
  const std::string dir_;
  runtime::Config config_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  store::record::RecordingRecord recording_;
  std::string erasures_file_;
};

TEST_F(BackupTest, WhatWasBackedUpWhileInUseComesBack) {
  const auto manifest = Take();
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->files.size(), 3u);  // database, the one blob that a record names, one mail
  const std::string place = dir_ + "/restored";
  const auto restored = Put(place);
  ASSERT_TRUE(restored.ok()) << restored.status();
  runtime::Config config;
  config.data_dir = place;
  const auto store = *runtime::OpenStore(config, &clock_, random_.get());
  EXPECT_TRUE(store->Get(*store::RecordingKey(recording_.id())).ok());
  const auto blobs = *runtime::OpenBlobs(config);
  EXPECT_EQ(blobs->Size(recording_.original_blob()).value(), 3'000'000);
  EXPECT_TRUE(absl::IsNotFound(blobs->Size("07/nobodys/original").status()));
  EXPECT_TRUE(fs::exists(config.OutboxDir() + "/new/mail1"));
  EXPECT_EQ(fs::status(place).permissions(), fs::perms::owner_all);
  EXPECT_FALSE(fs::exists(place + ".restoring"));
}

TEST_F(BackupTest, AViewerOfTheLostStoreIsToldToListAnew) {
  const auto happen = [&](store::Store& store, int times) {
    for (int i = 0; i < times; ++i) {
      store::Commit commit;
      commit.shard = 7;
      commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
      commit.events.push_back({"tm07", "cb07", "something"});
      ASSERT_TRUE(store.CommitOnce(commit).ok());
    }
  };
  happen(*store_, 5);
  ASSERT_TRUE(Take().ok());
  happen(*store_, 3);  // lost, and seen by the viewer
  const int64_t seen = store_->Changes(7, "tm07", 0, 100)->newest;
  ASSERT_TRUE(Put(dir_ + "/restored").ok());
  runtime::Config config;
  config.data_dir = dir_ + "/restored";
  const auto store = *runtime::OpenStore(config, &clock_, random_.get());
  happen(*store, 4);  // as many as were lost, and one more
  const auto changes = store->Changes(7, "tm07", seen, 100);
  ASSERT_TRUE(changes.ok()) << changes.status();
  EXPECT_FALSE(changes->complete);
  happen(*store, 1);
  EXPECT_TRUE(store->Changes(7, "tm07", changes->newest, 100)->complete);
}

TEST_F(BackupTest, ABlobThatWasErasedMeanwhileIsNoError) {
  ASSERT_TRUE(blobs_->Delete(recording_.original_blob()).ok());
  EXPECT_THAT(Take().value().missing_blobs, ElementsAre(recording_.original_blob()));
}

TEST_F(BackupTest, ABackupGoesIntoANewFolderOnly) {
  ASSERT_TRUE(Take().ok());
  EXPECT_EQ(Take().status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(BackupTest, ADamagedBackupIsRefusedBeforeAnythingIsTouched) {
  ASSERT_TRUE(Take().ok());
  {
    std::fstream file(dir_ + "/backup/blobs/" + recording_.original_blob());
    file.seekp(1'000'000);
    file << 'y';
  }
  const auto restored = Put(dir_ + "/restored");
  EXPECT_EQ(restored.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(restored.status().message()), HasSubstr("original is not what it was"));
  EXPECT_FALSE(fs::exists(dir_ + "/restored"));
}

TEST_F(BackupTest, AFolderWithoutAManifestIsNoBackup) {
  fs::create_directories(dir_ + "/backup");
  EXPECT_EQ(Put(dir_ + "/restored").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BackupTest, AManifestCannotReachOutOfItsFolder) {
  Manifest manifest;
  manifest.time = clock_.Now();
  manifest.files.push_back({"blobs/../../../etc/passwd", 1, "x"});
  fs::create_directories(dir_ + "/backup");
  ASSERT_TRUE(WriteManifest(dir_ + "/backup", manifest).ok());
  EXPECT_EQ(ReadManifest(dir_ + "/backup").status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(BackupTest, WhatIsThereIsMovedAsideOnlyWhenAskedFor) {
  ASSERT_TRUE(Take().ok());
  store_.reset();
  blobs_.reset();
  EXPECT_EQ(Put(config_.data_dir).status().code(), absl::StatusCode::kAlreadyExists);
  const auto restored = Put(config_.data_dir, /*force=*/true);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(fs::exists(restored->moved_aside + "/blobs/07/nobodys/original"));
  EXPECT_FALSE(fs::exists(config_.data_dir + "/blobs/07/nobodys/original"));
}

TEST_F(BackupTest, ADirectoryInUseIsLeftAlone) {
  ASSERT_TRUE(Take().ok());
  const auto lock = *DataLock::Take(config_.data_dir);
  EXPECT_EQ(Put(config_.data_dir, /*force=*/true).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(config_.data_dir + "/blobs/07/nobodys/original"));
}

TEST_F(BackupTest, WhoWasErasedAfterTheBackupIsErasedAgain) {
  ASSERT_TRUE(runtime::NoteErasures(config_, clock_.Now(), {}).ok());
  clock_.Advance(absl::Hours(1));
  ASSERT_TRUE(Take().ok());
  clock_.Advance(absl::Hours(3));
  Erase();
  store_.reset();
  blobs_.reset();
  const auto restored = Put(config_.data_dir, /*force=*/true);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(restored->known.complete);
  EXPECT_EQ(restored->erased.recordings, 1);
  EXPECT_FALSE(IsThere(config_.data_dir));
  EXPECT_EQ(runtime::ReadErasures(config_.data_dir + "/erasures")->entries.size(), 1u) << "the next restore must know too";
}

TEST_F(BackupTest, WithoutAJournalTheRestoreSaysThatItDoesNotKnow) {
  ASSERT_TRUE(runtime::NoteErasures(config_, clock_.Now(), {}).ok());
  ASSERT_TRUE(Take().ok());
  clock_.Advance(absl::Hours(3));
  Erase();
  const auto blind = Put(dir_ + "/blind");
  ASSERT_TRUE(blind.ok()) << blind.status();
  EXPECT_FALSE(blind->known.journal);
  EXPECT_TRUE(IsThere(dir_ + "/blind"));
  EXPECT_EQ(runtime::ReadErasures(dir_ + "/blind/erasures")->since, clock_.Now()) << "it claims nothing that it cannot know";
  erasures_file_ = config_.ErasuresPath();
  const auto knowing = Put(dir_ + "/knowing");
  ASSERT_TRUE(knowing.ok()) << knowing.status();
  EXPECT_TRUE(knowing->known.complete);
  EXPECT_FALSE(IsThere(dir_ + "/knowing"));
  erasures_file_ = dir_ + "/nowhere";
  EXPECT_EQ(Put(dir_ + "/third").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(BackupTest, AJournalThatBeginsAfterTheBackupIsNotComplete) {
  ASSERT_TRUE(Take().ok());
  clock_.Advance(absl::Hours(3));
  ASSERT_TRUE(runtime::NoteErasures(config_, clock_.Now(), {}).ok());
  Erase();
  erasures_file_ = config_.ErasuresPath();
  const auto restored = Put(dir_ + "/restored");
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_TRUE(restored->known.journal);
  EXPECT_FALSE(restored->known.complete);
  EXPECT_FALSE(IsThere(dir_ + "/restored"));
}

// What was noted long before belongs to the backup: it knows better whether it came to pass.
TEST_F(BackupTest, ErasuresBeforeTheBackupAreNotRepeated) {
  ASSERT_TRUE(runtime::NoteErasures(config_, clock_.Now(), {recording_.id()}).ok());
  clock_.Advance(absl::Hours(3));
  ASSERT_TRUE(Take().ok());
  const auto restored = Put(dir_ + "/restored");
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->erased.recordings, 0);
  EXPECT_TRUE(IsThere(dir_ + "/restored"));
}

TEST_F(BackupTest, RedisIsBackedUpByItsOwnMeans) {
  config_.store = "redis://127.0.0.1:6379";
  EXPECT_EQ(Take().status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace ringback
