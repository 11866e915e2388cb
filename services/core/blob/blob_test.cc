// The directory: the conformance suite, and what only files have.
#include "core/blob/blob_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/base/temp_dir.h"
#include "core/blob/blob_conformance.h"

namespace ringback::blob {
namespace {

namespace fs = std::filesystem;

class BlobTest : public testing::Test {
 protected:
  // Every regular file below the root that is no lock.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      if (entry.is_regular_file() && entry.path().filename() != "lock") files.push_back(entry.path().string());
    }
    return files;
  }

  const TempDir folder_;
  const std::string root_ = folder_.File("deep/blobs");
  std::unique_ptr<BlobStore> blobs_ = OpenDirectory(root_).value();
};

class DirectoryHarness : public BlobHarness {
 public:
  BlobStore& blobs() override { return *blobs_; }
  std::unique_ptr<BlobStore> OpenAnother() override { return OpenDirectory(folder_.path()).value(); }

 private:
  const TempDir folder_;
  const std::unique_ptr<BlobStore> blobs_ = OpenDirectory(folder_.path()).value();
};

INSTANTIATE_TEST_SUITE_P(Directory, BlobConformance,
                         testing::Values([]() -> std::unique_ptr<BlobHarness> { return std::make_unique<DirectoryHarness>(); }));

TEST_F(BlobTest, ABadNameTouchesNoFile) {
  for (const char* name : {"", "/etc/passwd", "../x", "a/../b", ".tmp/x", "a/.b"}) {
    EXPECT_EQ(blobs_->Put(name, "x").code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(BlobTest, AWriterThatIsNotFinishedLeavesNoFile) {
  {
    auto writer = blobs_->Create("07/x").value();
    ASSERT_TRUE(writer->Append("half").ok());
    EXPECT_EQ(Files().size(), 1u);
  }
  EXPECT_TRUE(Files().empty());
}

TEST_F(BlobTest, DeleteRemovesTheFolderItEmptied) {
  ASSERT_TRUE(blobs_->Put("07/rc07aaaa/original", "x").ok());
  ASSERT_TRUE(blobs_->Put("07/rc07aaaa/mp3", "y").ok());
  EXPECT_TRUE(blobs_->Delete("07/rc07aaaa/original").ok());
  EXPECT_EQ(blobs_->Get("07/rc07aaaa/original").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs_->Get("07/rc07aaaa/mp3").value(), "y");
  EXPECT_TRUE(blobs_->Delete("07/rc07aaaa/original").ok());
  EXPECT_TRUE(blobs_->Delete("07/rc07aaaa/mp3").ok());
  EXPECT_FALSE(fs::exists(root_ + "/07"));
  EXPECT_TRUE(fs::exists(root_));
}

TEST_F(BlobTest, FilesAndFoldersAreTheOwnersOnly) {
  ASSERT_TRUE(blobs_->Put("07/x", "x").ok());
  for (const char* path : {"", "/07", "/07/x"}) {
    struct stat info;
    ASSERT_EQ(stat((root_ + path).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077, 0u) << path;
  }
}

TEST_F(BlobTest, LeftOversOfACrashAreRemovedAtStartAndTheLivingAreSpared) {
  auto mine = blobs_->Create("07/mine").value();
  ASSERT_TRUE(mine->Append("alive").ok());
  const pid_t child = fork();
  if (child == 0) {
    auto theirs = OpenDirectory(root_).value();
    auto writer = theirs->Create("07/theirs").value();
    _exit(writer->Append("dies here").ok() ? 0 : 1);  // no destructor runs: a crash
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(Files().size(), 2u);
  const auto again = OpenDirectory(root_).value();
  EXPECT_EQ(Files().size(), 1u);
  ASSERT_TRUE(mine->Finish().ok());
  EXPECT_EQ(again->Get("07/mine").value(), "alive");
}

TEST_F(BlobTest, LeftOversGoWhileAStoreIsOpenToo) {
  auto mine = blobs_->Create("07/mine").value();
  ASSERT_TRUE(mine->Append("alive").ok());
  fs::create_directories(root_ + "/.tmp/dead");
  std::ofstream(root_ + "/.tmp/dead/1") << "left";
  ASSERT_TRUE(blobs_->RemoveLeftOvers().ok());
  EXPECT_FALSE(fs::exists(root_ + "/.tmp/dead"));
  ASSERT_TRUE(mine->Finish().ok());
  EXPECT_EQ(blobs_->Get("07/mine").value(), "alive");
}

TEST_F(BlobTest, TheTimeOfABlobIsTheClocks) {
  FakeClock clock(absl::FromUnixSeconds(1795417200));
  const auto timed = OpenDirectory(root_, &clock).value();
  ASSERT_TRUE(timed->Put("07/x", "x").ok());
  const std::vector<BlobInfo> page = timed->List("", "", 10).value();
  ASSERT_EQ(page.size(), 1u);
  EXPECT_EQ(page[0].modified, clock.Now());
}

TEST_F(BlobTest, AFullDiskLeavesTheOldBlobAndNothingHalfWritten) {
  ASSERT_TRUE(blobs_->Put("07/x", "old").ok());
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit old_limit;
  getrlimit(RLIMIT_FSIZE, &old_limit);
  rlimit limit = old_limit;
  limit.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status put = blobs_->Put("07/x", std::string(100'000, 'x'));
  const auto writer = blobs_->Create("07/y").value();
  const absl::Status append = writer->Append(std::string(100'000, 'x'));
  const absl::Status finish = writer->Finish();
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, before);
  EXPECT_EQ(put.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(put.message().find("make room"), std::string::npos) << "it says what to do: " << put;
  EXPECT_EQ(append.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(finish.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(blobs_->Get("07/x").value(), "old");
  EXPECT_EQ(blobs_->Get("07/y").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(blobs_->Put("07/x", std::string(100'000, 'x')).ok()) << "room again: works by itself";
}

TEST_F(BlobTest, CheckSaysWhenTheFolderIsGone) {
  EXPECT_TRUE(blobs_->Check().ok());
  fs::remove_all(root_);
  EXPECT_EQ(blobs_->Check().code(), absl::StatusCode::kUnavailable);
}

TEST_F(BlobTest, PutAndDeleteInOneFolderDoNotDisturbEachOther) {
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      EXPECT_TRUE(blobs_->Put("07/rc/a", "a").ok());
      EXPECT_TRUE(blobs_->Delete("07/rc/a").ok());
    }
  });
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(blobs_->Put("07/rc/b", "b").ok());
    EXPECT_EQ(blobs_->Get("07/rc/b").value_or("gone"), "b");
    EXPECT_TRUE(blobs_->Delete("07/rc/b").ok());
  }
  other.join();
}

}  // namespace
}  // namespace ringback::blob
