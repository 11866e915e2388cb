// The Redis store against a real redis-server of its own: the conformance suite, and what only a server can do: go away,
// forget its scripts, run full, be set up carelessly.
#include "core/store/redis_store.h"

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

// redis-server in a folder of its own, reachable by a socket only. Ends with the object.
class RedisServer {
 public:
  RedisServer() {
    std::string name = testing::TempDir() + "/ringback_redis_XXXXXX";
    folder_ = mkdtemp(name.data());
    Start();
  }
  ~RedisServer() {
    Kill();
    std::filesystem::remove_all(folder_);
  }

  void Start() {
    const std::vector<std::string> words = {
        "redis-server", "--port", "0", "--unixsocket", socket(), "--dir", folder_, "--appendonly", "yes",
        "--appendfsync", "always", "--save", "", "--aof-use-rdb-preamble", "no", "--logfile", folder_ + "/log"};
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a crashed test leaves no server behind
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    ASSERT_GT(pid_, 0);
    const absl::Time give_up = absl::Now() + absl::Seconds(20);
    while (Say({"PING"}) != "PONG") {
      ASSERT_LT(absl::Now(), give_up) << "redis-server does not answer";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  std::string socket() const { return folder_ + "/socket"; }
  const std::string& folder() const { return folder_; }

  // One command on a connection of its own; "" when that fails.
  std::string Say(const std::vector<std::string>& words) const {
    redisContext* context = redisConnectUnix(socket().c_str());
    std::string answer;
    if (context != nullptr && context->err == 0) {
      std::vector<const char*> arguments;
      for (const std::string& word : words) arguments.push_back(word.c_str());
      auto* reply = static_cast<redisReply*>(
          redisCommandArgv(context, static_cast<int>(arguments.size()), arguments.data(), nullptr));
      if (reply != nullptr && reply->str != nullptr) answer = reply->str;
      freeReplyObject(reply);
    }
    redisFree(context);
    return answer;
  }

 private:
  std::string folder_;
  pid_t pid_ = 0;
};

// The machine's clock, shifted: what the offset file does to the real services.
class ShiftedClock : public Clock {
 public:
  absl::Time Now() override {
    MutexLock lock(&mutex_);
    return absl::Now() + shift_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    shift_ += by;
  }

 private:
  Mutex mutex_;
  absl::Duration shift_ RB_GUARDED_BY(mutex_);
};

// One server for all tests of the program; each begins with an empty one.
RedisServer& SharedServer() {
  static RedisServer server;
  return server;
}

class RedisHarness : public StoreHarness {
 public:
  RedisHarness() : random_(NewSystemRandom()) {
    EXPECT_EQ(SharedServer().Say({"FLUSHALL"}), "OK");
    store_ = OpenAnother();
  }
  Store& store() override { return *store_; }
  std::unique_ptr<Store> OpenAnother() override {
    absl::StatusOr<std::unique_ptr<Store>> store =
        OpenRedisStore({.unix_socket = SharedServer().socket(), .clock = &clock_, .random = random_.get()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Advance(absl::Duration by) override { clock_.Advance(by); }
  bool OnDisk(const std::string& bytes) override {
    for (const auto& file : std::filesystem::recursive_directory_iterator(SharedServer().folder())) {
      if (!file.is_regular_file()) continue;
      std::ifstream in(file.path(), std::ios::binary);
      if (std::string(std::istreambuf_iterator<char>(in), {}).find(bytes) != std::string::npos) return true;
    }
    return false;
  }

 private:
  ShiftedClock clock_;
  const std::unique_ptr<Random> random_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Redis, StoreConformance,
                         testing::Values([]() -> std::unique_ptr<StoreHarness> {
                           return std::make_unique<RedisHarness>();
                         }));

class RedisStoreTest : public testing::Test {
 protected:
  RedisStoreTest() : random_(NewSystemRandom()) {}
  absl::StatusOr<std::unique_ptr<Store>> Open() {
    return OpenRedisStore({.unix_socket = server_.socket(), .clock = &clock_, .random = random_.get()});
  }
  static Commit PutCommit(const std::string& id, std::string value = "v") {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf({1, Kind::kCallback, id}, std::move(value)));
    return commit;
  }

  RedisServer server_;
  ShiftedClock clock_;
  const std::unique_ptr<Random> random_;
};

TEST_F(RedisStoreTest, WhatWasAcknowledgedSurvivesTheServersDeathAndTheStoreFindsBack) {
  const std::unique_ptr<Store> store = *Open();
  ASSERT_TRUE(store->CommitOnce(PutCommit("before")).ok());
  server_.Kill();
  EXPECT_EQ(store->CommitOnce(PutCommit("while away")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Get({1, Kind::kCallback, "before"}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Open().status().code(), absl::StatusCode::kUnavailable);
  server_.Start();
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "before"}).ok());
  EXPECT_TRUE(store->CommitOnce(PutCommit("after")).ok());
  EXPECT_EQ(store->Get({1, Kind::kCallback, "while away"}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RedisStoreTest, ScriptsThatWereForgottenAreLoadedAgain) {
  const std::unique_ptr<Store> store = *Open();
  ASSERT_EQ(server_.Say({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_TRUE(store->CommitOnce(PutCommit("a")).ok());
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "a"}).ok());
}

TEST_F(RedisStoreTest, AFullMemoryWritesNothingByHalvesAndWorksAgainOnceThereIsRoom) {
  const std::unique_ptr<Store> store = *Open();
  ASSERT_TRUE(store->CommitOnce(PutCommit("a")).ok());
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  Commit refused = PutCommit("b");
  refused.puts.push_back(DeleteOf({1, Kind::kCallback, "a"}, 1));
  refused.indexes.push_back({{1, "tm", "open"}, "b"});
  const absl::Status status = store->CommitOnce(refused).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "a"}).ok());
  EXPECT_TRUE(store->Scan({1, "tm", "open"}, "", "", {})->members.empty());
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  const absl::StatusOr<CommitResult> again = store->CommitOnce(refused);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->repeated);
}

TEST_F(RedisStoreTest, ACarelesslySetUpServerDoesNotCheckOut) {
  const std::unique_ptr<Store> store = *Open();
  EXPECT_TRUE(store->Check().ok());
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "appendfsync", "everysec"}), "OK");
  EXPECT_EQ(store->Check().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "appendfsync", "always"}), "OK");
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}), "OK");
  EXPECT_EQ(store->Check().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory-policy", "noeviction"}), "OK");
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "appendonly", "no"}), "OK");
  EXPECT_EQ(store->Check().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(RedisStoreTest, AWrongPasswordIsRefusedAndTheRightOneSignsIn) {
  ASSERT_EQ(server_.Say({"ACL", "SETUSER", "ringback", "on", ">secret", "~*", "+@all"}), "OK");
  RedisOptions options{.unix_socket = server_.socket(), .user = "ringback", .password = "wrong", .clock = &clock_,
                       .random = random_.get()};
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kUnavailable);
  options.password = "secret";
  EXPECT_TRUE(OpenRedisStore(options).ok());
}

TEST_F(RedisStoreTest, EveryKeyOfAShardCarriesItsTag) {
  const std::unique_ptr<Store> store = *Open();
  Commit commit = PutCommit("a");
  commit.puts[0].expires = absl::Now() + absl::Hours(1);
  commit.due.push_back(DueAt({Stage::kDelivery, 1, "tm", "a"}, absl::Now()));
  commit.indexes.push_back({{1, "tm", "open"}, "b"});
  commit.counters.push_back({"tm", "w", "n", 1});
  commit.events.push_back({"tm", "s", "v"});
  ASSERT_TRUE(store->CommitOnce(commit).ok());
  ASSERT_EQ(store->ClaimDue(Stage::kDelivery, {})->size(), 1u);
  const std::string strangers = server_.Say(
      {"EVAL", "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if not k:find('^rb:{01}:') then n = n + 1 end "
               "end return tostring(n) .. ' of ' .. (#redis.call('KEYS', '*') >= 10 and 'many' or 'few')", "0"});
  EXPECT_EQ(strangers, "0 of many");
}

}  // namespace
}  // namespace ringback::store
