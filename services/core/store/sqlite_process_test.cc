// SQLite and processes: one that dies at any moment (what was acknowledged is there afterwards, nothing by halves), and
// two that share the file.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/temp_dir.h"
#include "core/store/every_record.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/sqlite_store.h"

namespace ringback::store {
namespace {

constexpr int kShard = 2;
constexpr int kThreads = 4;
const IndexKey kIndex{kShard, "tm", "all"};

absl::StatusOr<std::unique_ptr<Store>> OpenAt(const std::string& path, Clock* clock, Random* random) {
  return OpenSqliteStore({.path = path, .clock = clock, .random = random});
}

// Every part of a commit in one, so that a half-written one shows.
Commit CommitOf(const std::string& id) {
  Commit commit;
  commit.shard = kShard;
  commit.commit_id = id;
  Put put;
  put.key = {kShard, Kind::kCallback, id};
  put.value = std::string(200 + id.back() * 20, 'v');
  commit.puts.push_back(put);
  commit.due.push_back({{Stage::kPromise, kShard, "tm", id}, absl::FromUnixSeconds(4'000'000'000)});
  commit.indexes.push_back({kIndex, id});
  commit.counters.push_back({"tm", "week", "commits", 1});
  commit.events.push_back({"tm", id, ""});
  return commit;
}

// Commits until it is killed and writes "ID\n" for each that was acknowledged.
[[noreturn]] void CommitForEver(const std::string& path, int round, int acknowledged_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  const auto store = OpenAt(path, clock.get(), random.get());
  if (!store.ok()) _exit(2);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0;; ++i) {
        const std::string id = absl::StrCat(round, "-", t, "-", i);
        if (!(*store)->CommitOnce(CommitOf(id)).ok()) _exit(3);
        const std::string line = id + "\n";
        if (write(acknowledged_fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(4);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(5);
}

// Kills a committing child after about `kill_after` acknowledgements; the acknowledged ids.
std::vector<std::string> RunAndKill(const std::string& path, int round, int kill_after) {
  int pipe_fds[2];
  EXPECT_EQ(pipe(pipe_fds), 0);
  // No thread runs in this process now, so the child may use all of the library.
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_fds[0]);
    CommitForEver(path, round, pipe_fds[1]);
  }
  close(pipe_fds[1]);
  std::string text;
  char buffer[4096];
  bool killed = false;
  int lines = 0;
  while (true) {
    const ssize_t got = read(pipe_fds[0], buffer, sizeof buffer);
    if (got <= 0) break;
    text.append(buffer, static_cast<size_t>(got));
    lines += static_cast<int>(std::count(buffer, buffer + got, '\n'));
    if (!killed && lines >= kill_after) {
      kill(child, SIGKILL);
      killed = true;
    }
  }
  close(pipe_fds[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(killed && WIFSIGNALED(status)) << "the child ended by itself with status " << status;
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(SqliteProcessTest, WhatWasAcknowledgedSurvivesTheDeathOfTheProcessAndNothingIsHalfThere) {
  const TempDir folder;
  const std::string path = folder.File("ringback.db");
  const auto random = NewSystemRandom();
  const auto clock = NewSystemClock();
  std::set<std::string> acknowledged;
  for (int round = 0; round < 20; ++round) {
    const int kill_after = 1 + static_cast<int>(random->Next() % 300);
    for (std::string& id : RunAndKill(path, round, kill_after)) acknowledged.insert(std::move(id));

    const auto opened = OpenAt(path, clock.get(), random.get());
    ASSERT_TRUE(opened.ok()) << opened.status() << " after round " << round;
    Store& store = **opened;
    std::set<std::string> there;
    const std::vector<Record> records = *AllRecords(store, kShard, Kind::kCallback);
    for (const Record& record : records) there.insert(record.key.id);
    for (const std::string& id : acknowledged) EXPECT_TRUE(there.contains(id)) << id << " was lost in round " << round;

    const std::vector<std::string> members = store.Scan(kIndex, "", "", {.limit = 1'000'000})->members;
    EXPECT_EQ(std::set<std::string>(members.begin(), members.end()), there);
    EXPECT_EQ(store.Counters(kShard, "tm", "week")->at(0).second, static_cast<int64_t>(there.size()));
    EXPECT_EQ(store.Stats(Stage::kPromise)->future, static_cast<int64_t>(there.size()));
    EXPECT_EQ(store.Changes(kShard, "tm", 0, 1)->newest, static_cast<int64_t>(there.size()));
    const std::string& last = *acknowledged.rbegin();
    EXPECT_TRUE(store.CommitOnce(CommitOf(last))->repeated) << "the commit's id is kept beside the data";
  }
  EXPECT_GT(acknowledged.size(), 100u);
}

// Opens the store and a reader, says so, and commits what is asked for by name, one per line, acknowledging each.
[[noreturn]] void CommitOnRequest(const std::string& path, int requests_fd, int acknowledged_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  const auto store = OpenAt(path, clock.get(), random.get());
  if (!store.ok() || !(*store)->CommitOnce(CommitOf("first")).ok()) _exit(2);
  if (!(*store)->Get({kShard, Kind::kCallback, "first"}).ok()) _exit(3);
  for (char name = 0;;) {
    if (write(acknowledged_fd, ".", 1) != 1 || read(requests_fd, &name, 1) != 1) _exit(4);
    if (!(*store)->CommitOnce(CommitOf(std::string(1, name))).ok()) _exit(5);
  }
}

// A program beside the serving one (a backup, doctor, a shell) must never take the log away under it: what is committed
// afterwards would be in a file that no longer has a name.
TEST(SqliteProcessTest, VisitorsLeaveTheLogToTheProgramThatWrites) {
  const TempDir folder;
  const std::string path = folder.File("ringback.db");
  int requests[2], acknowledged[2];
  ASSERT_EQ(pipe(requests), 0);
  ASSERT_EQ(pipe(acknowledged), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(requests[1]);
    close(acknowledged[0]);
    CommitOnRequest(path, requests[0], acknowledged[1]);
  }
  close(acknowledged[1]);
  const auto wait = [&] {
    char dot = 0;
    return read(acknowledged[0], &dot, 1) == 1;
  };
  ASSERT_TRUE(wait());
  struct stat before, after;
  ASSERT_EQ(stat((path + "-wal").c_str(), &before), 0);

  ASSERT_TRUE(BackupSqliteStore(path, folder.File("copy.db")).ok());
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  { ASSERT_TRUE(OpenAt(path, clock.get(), random.get()).ok()); }
  ASSERT_EQ(stat((path + "-wal").c_str(), &after), 0) << "the log was removed";
  EXPECT_EQ(before.st_ino, after.st_ino);

  for (const char name : {'b', 'c', 'd'}) {
    ASSERT_EQ(write(requests[1], &name, 1), 1);
    ASSERT_TRUE(wait());
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  const auto store = OpenAt(path, clock.get(), random.get());
  ASSERT_TRUE(store.ok()) << store.status();
  for (const char* name : {"first", "b", "c", "d"}) {
    EXPECT_TRUE((*store)->Get({kShard, Kind::kCallback, name}).ok()) << name << " was acknowledged";
  }
  for (const int fd : {requests[0], requests[1], acknowledged[0]}) close(fd);
}

// Adds 1 to the record's number `times` times, by read and conditional write.
bool CountUp(const std::string& path, const std::string& who, int times) {
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  const auto opened = OpenAt(path, clock.get(), random.get());
  EXPECT_TRUE(opened.ok()) << who << ": " << opened.status();
  if (!opened.ok()) return false;
  Store& store = **opened;
  const Key key{kShard, Kind::kCallback, "number"};
  for (int done = 0, tries = 0; done < times; ++tries) {
    const absl::StatusOr<std::vector<Record>> before = store.GetMany({key});
    EXPECT_TRUE(before.ok()) << who << ": " << before.status();
    if (!before.ok()) return false;
    const Record& record = before->front();
    Commit commit;
    commit.shard = kShard;
    commit.commit_id = absl::StrCat(who, tries);
    commit.puts.push_back({key, record.version, absl::StrCat(record.value.empty() ? 1 : std::stoi(record.value) + 1)});
    const absl::Status status = store.CommitOnce(commit).status();
    EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << who << ": " << status;
    if (!status.ok() && !absl::IsAborted(status)) return false;
    if (status.ok()) ++done;
  }
  return true;
}

TEST(SqliteProcessTest, TwoProcessesShareOneFileWithoutLosingAnUpdate) {
  const TempDir folder;
  const std::string path = folder.File("ringback.db");
  constexpr int kEach = 100;
  const pid_t child = fork();
  if (child == 0) {
    const bool counted = CountUp(path, "child", kEach);
    std::fflush(nullptr);  // what went wrong there
    _exit(counted ? 0 : 1);
  }
  EXPECT_TRUE(CountUp(path, "parent", kEach));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the other process failed";
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  const auto store = OpenAt(path, clock.get(), random.get());
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->Get({kShard, Kind::kCallback, "number"})->value, absl::StrCat(2 * kEach));
}

}  // namespace
}  // namespace ringback::store
