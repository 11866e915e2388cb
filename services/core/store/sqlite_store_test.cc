// The SQLite store: the conformance suite, and what only a file can suffer: damage, a full disk, versions, copies.
#include "core/store/every_record.h"
#include "core/store/sqlite_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/store/sqlite_db.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'770'000'000);

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class SqliteHarness : public StoreHarness {
 public:
  SqliteHarness() : clock_(kStart), random_(NewSystemRandom()) { store_ = OpenAnother(); }
  Store& store() override { return *store_; }
  std::unique_ptr<Store> OpenAnother() override {
    absl::StatusOr<std::unique_ptr<Store>> store =
        OpenSqliteStore({.path = folder_.File("ringback.db"), .clock = &clock_, .random = random_.get()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Advance(absl::Duration by) override { clock_.Advance(by); }
  bool OnDisk(const std::string& bytes) override {
    for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
      if (ReadFile(file.path()).find(bytes) != std::string::npos) return true;
    }
    return false;
  }

 private:
  TempDir folder_;
  FakeClock clock_;
  const std::unique_ptr<Random> random_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreConformance,
                         testing::Values([]() -> std::unique_ptr<StoreHarness> {
                           return std::make_unique<SqliteHarness>();
                         }));

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() : clock_(kStart), random_(NewSystemRandom()), path_(folder_.File("ringback.db")) {}

  absl::StatusOr<std::unique_ptr<Store>> Open() { return OpenAt(path_); }
  absl::StatusOr<std::unique_ptr<Store>> OpenAt(const std::string& path) {
    return OpenSqliteStore({.path = path, .clock = &clock_, .random = random_.get()});
  }
  // A store with some hundred records, closed again.
  void MakeFile() {
    const std::unique_ptr<Store> store = *Open();
    std::vector<Commit> commits;
    for (int i = 0; i < 300; ++i) {
      commits.push_back(NewCommit(1));
      commits.back().puts.push_back(PutOf({1, Kind::kCallback, absl::StrCat(i)}, std::string(500, 'v')));
    }
    for (const auto& result : store->CommitAll(commits)) ASSERT_TRUE(result.ok());
  }

  TempDir folder_;
  FakeClock clock_;
  const std::unique_ptr<Random> random_;
  const std::string path_;
};

TEST_F(SqliteStoreTest, WhatWasCommittedIsThereAfterReopening) {
  MakeFile();
  const std::unique_ptr<Store> store = *Open();
  EXPECT_EQ(AllRecords(*store, 1, Kind::kCallback)->size(), 300u);
}

TEST_F(SqliteStoreTest, OnlyTheOwnerMayReadTheFiles) {
  const std::unique_ptr<Store> store = *Open();
  Commit commit = NewCommit(1);
  commit.puts.push_back(PutOf({1, Kind::kCallback, "a"}, "v"));
  ASSERT_TRUE(store->CommitOnce(commit).ok());
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    struct stat found;
    ASSERT_EQ(stat(file.path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u) << file.path();
  }
}

TEST_F(SqliteStoreTest, AFileOfAnotherFormatIsRefusedWithAdvice) {
  WriteFile(path_, std::string(10000, 'x'));
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find("ringback restore"), std::string::npos);
}

TEST_F(SqliteStoreTest, AFileCutShortIsRefused) {
  MakeFile();
  const std::string bytes = ReadFile(path_);
  WriteFile(path_, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kDataLoss);
  WriteFile(path_, bytes.substr(0, 50));
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(SqliteStoreTest, AFileWithOverwrittenPagesIsRefused) {
  MakeFile();
  std::string bytes = ReadFile(path_);
  for (size_t at = bytes.size() / 4; at < bytes.size() / 2; ++at) bytes[at] = '\x5a';
  WriteFile(path_, bytes);
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_NE(status.message().find(".recover"), std::string::npos);
}

TEST_F(SqliteStoreTest, AFileOfANewerRingbackIsRefused) {
  MakeFile();
  ASSERT_TRUE((*SqliteDb::Open(path_, std::chrono::seconds(1)))->Execute("PRAGMA user_version = 99").ok());
  const absl::Status status = Open().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_F(SqliteStoreTest, ADatabaseOfAnotherProgramIsLeftAlone) {
  ASSERT_TRUE((*SqliteDb::Open(path_, std::chrono::seconds(1)))->Execute("CREATE TABLE theirs(x)").ok());
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsAClearError) {
  const absl::Status status = OpenAt(folder_.File("missing/ringback.db")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("missing/ringback.db"), std::string::npos);
}

TEST_F(SqliteStoreTest, AFullDiskWritesNothingByHalvesAndWorksAgainOnceThereIsRoom) {
  const std::unique_ptr<Store> store = *Open();
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 2 << 20;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto commit_of = [](int i) {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf({1, Kind::kCallback, absl::StrCat(i)}, std::string(100000, 'v')));
    commit.indexes.push_back({{1, "tm", "open"}, absl::StrCat(i)});
    return commit;
  };
  int written = 0;
  absl::Status status;
  Commit refused;
  for (; written < 1000; ++written) {
    refused = commit_of(written);
    status = store->CommitOnce(refused).status();
    if (!status.ok()) break;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_GT(written, 3);
  EXPECT_EQ(store->Get({1, Kind::kCallback, absl::StrCat(written)}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->Scan({1, "tm", "open"}, "", "", {.limit = 1000})->members.size(), static_cast<size_t>(written));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  const absl::StatusOr<CommitResult> again = store->CommitOnce(refused);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->repeated);
  EXPECT_EQ(AllRecords(*store, 1, Kind::kCallback)->size(), static_cast<size_t>(written) + 1);
}

TEST_F(SqliteStoreTest, ABackupTakenUnderLoadIsConsistent) {
  const std::unique_ptr<Store> store = *Open();
  std::atomic<bool> stop{false};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        Commit commit = NewCommit(1);
        commit.puts.push_back(PutOf({1, Kind::kCallback, absl::StrCat(t, "-", i)}, "v"));
        commit.counters.push_back({"tm", "w", "n", 1});
        EXPECT_TRUE(store->CommitOnce(commit).ok());
        ++done;
      }
    });
  }
  while (done < 200) std::this_thread::yield();
  const int before = done;
  const std::string copy = folder_.File("copy.db");
  const absl::Status status = BackupSqliteStore(path_, copy);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(status.ok()) << status;

  const std::unique_ptr<Store> restored = *OpenAt(copy);
  const size_t records = AllRecords(*restored, 1, Kind::kCallback)->size();
  EXPECT_GE(records, static_cast<size_t>(before));
  EXPECT_EQ(static_cast<size_t>(restored->Counters(1, "tm", "w")->at(0).second), records);
  EXPECT_EQ(BackupSqliteStore(path_, copy).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(BackupSqliteStore(folder_.File("none.db"), folder_.File("c2.db")).code(), absl::StatusCode::kNotFound);
}

TEST_F(SqliteStoreTest, ScrubbingLeavesNoErasedByteAndHarmsNothing) {
  const std::string secret = "ERASED-SECRET";
  const std::unique_ptr<Store> store = *Open();
  const std::unique_ptr<Random> random = NewSeededRandom(7);
  // Rows that grow, shrink and come in random places, so that pages split and merge all the time.
  std::map<std::string, uint64_t> versions;
  for (int round = 0; round < 20; ++round) {
    std::vector<Commit> commits;
    for (int i = 0; i < 300; ++i) {
      const std::string id = absl::StrCat(random->Next() % 1000);
      const std::string mark = std::stoi(id) % 2 == 0 ? secret : "KEPT";
      std::string value;
      for (uint64_t times = random->Next() % 200; times > 0; --times) value += mark;
      commits.push_back(NewCommit(1));
      commits.back().puts.push_back(PutOf({1, Kind::kCallback, id}, value, versions[id]++));
      commits.back().indexes.push_back({{1, "tm", "open"}, absl::StrCat(mark, random->Next())});
    }
    for (const auto& result : store->CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  }
  std::vector<Commit> erasure;
  for (const auto& [id, version] : versions) {
    if (std::stoi(id) % 2 != 0) continue;
    erasure.push_back(NewCommit(1));
    erasure.back().puts.push_back(DeleteOf({1, Kind::kCallback, id}, version));
  }
  const ScanResult marks = *store->Scan({1, "tm", "open"}, secret, secret + "~", {.limit = 100000});
  erasure.push_back(NewCommit(1));
  for (const std::string& member : marks.members) {
    erasure.back().indexes.push_back({{1, "tm", "open"}, member, /*remove=*/true});
  }
  for (const auto& result : store->CommitAll(erasure)) ASSERT_TRUE(result.ok()) << result.status();
  const std::vector<Record> before = *AllRecords(*store, 1, Kind::kCallback);

  ASSERT_TRUE(store->Compact().ok());
  // What the writer remembers of pages must not bring anything back.
  for (const Record& record : before) {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf(record.key, record.value, record.version));
    ASSERT_TRUE(store->CommitOnce(commit).ok());
  }
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    if (file.path().extension() == ".db-shm") continue;
    EXPECT_EQ(ReadFile(file.path()).find(secret), std::string::npos) << file.path();
  }
  const std::vector<Record> after = *AllRecords(*store, 1, Kind::kCallback);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_EQ(after[i].value, before[i].value);
  const std::unique_ptr<SqliteDb> db = *SqliteDb::Open(path_, std::chrono::seconds(1));
  Query check(*db, "PRAGMA integrity_check");
  ASSERT_TRUE(check.Next());
  EXPECT_EQ(check.Bytes(0), "ok");
}

TEST_F(SqliteStoreTest, ALongReadKeepsAScrubFromHoldingUpTheWriters) {
  const std::unique_ptr<Store> store = *Open();
  const auto commit_of = [](const std::string& id) {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf({1, Kind::kCallback, id}, "v"));
    return commit;
  };
  ASSERT_TRUE(store->CommitOnce(commit_of("a")).ok());
  const std::unique_ptr<SqliteDb> reader = *SqliteDb::Open(path_, std::chrono::seconds(1));
  ASSERT_TRUE(reader->Execute("BEGIN; SELECT * FROM record").ok());
  ASSERT_TRUE(store->CommitOnce(commit_of("b")).ok());
  EXPECT_EQ(store->Compact().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->CommitOnce(commit_of("c")).ok());
  ASSERT_TRUE(reader->Execute("COMMIT").ok());
  EXPECT_TRUE(store->Compact().ok());
}

TEST_F(SqliteStoreTest, AWriterInAnotherProcessIsWaitedForAndThenGivenUp) {
  const std::unique_ptr<Store> store =
      *OpenSqliteStore({.path = path_, .clock = &clock_, .random = random_.get(),
                        .busy_timeout = std::chrono::milliseconds(50)});
  const std::unique_ptr<SqliteDb> other = *SqliteDb::Open(path_, std::chrono::seconds(1));
  ASSERT_TRUE(other->Execute("BEGIN IMMEDIATE").ok());
  Commit commit = NewCommit(1);
  commit.puts.push_back(PutOf({1, Kind::kCallback, "a"}, "v"));
  EXPECT_EQ(store->CommitOnce(commit).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(store->Now().ok());
  ASSERT_TRUE(other->Execute("ROLLBACK").ok());
  EXPECT_TRUE(store->CommitOnce(commit).ok());
}

}  // namespace
}  // namespace ringback::store
