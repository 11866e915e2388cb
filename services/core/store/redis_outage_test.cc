// What the Redis store does while Redis is away, stopped, full, demoted, or short of replicas: it says UNAVAILABLE (or
// RESOURCE_EXHAUSTED), loses nothing it acknowledged, and works again by itself.
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "core/base/mutex.h"
#include "core/store/redis_server.h"
#include "core/store/redis_store.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

class RedisOutageTest : public testing::Test {
 protected:
  RedisOutageTest() : random_(NewSystemRandom()) {}

  RedisOptions Options() { return {.port = server_.port(), .clock = &clock_, .random = random_.get()}; }
  std::unique_ptr<Store> Open() { return *OpenRedisStore(Options()); }
  std::unique_ptr<Store> OpenWaitingFor(int replicas, std::chrono::milliseconds timeout = std::chrono::seconds(3)) {
    RedisOptions options = Options();
    options.replicas = replicas;
    options.command_timeout = timeout;
    return *OpenRedisStore(options);
  }
  static Commit PutCommit(const std::string& id, std::string value = "v") {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf({1, Kind::kCallback, id}, std::move(value)));
    return commit;
  }
  static void WorksAgain(Store& store) {
    static int count = 0;
    Eventually([&] { return store.CommitOnce(PutCommit(absl::StrCat("again", ++count))).ok(); }, "the store works again");
  }

  RedisServer server_;
  ShiftedClock clock_;
  const std::unique_ptr<Random> random_;
};

TEST_F(RedisOutageTest, WhatWasAcknowledgedSurvivesTheServersDeathAndTheStoreFindsBack) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_TRUE(store->CommitOnce(PutCommit("before")).ok());
  server_.Kill();
  EXPECT_EQ(store->CommitOnce(PutCommit("while away")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Get({1, Kind::kCallback, "before"}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->ClaimDue(Stage::kPromise, {}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(OpenRedisStore(Options()).status().code(), absl::StatusCode::kUnavailable);
  server_.Start();
  WorksAgain(*store);
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "before"}).ok());
  EXPECT_EQ(store->Get({1, Kind::kCallback, "while away"}).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(RedisOutageTest, KilledAndStartedAgainUnderLoadItLosesNoAcknowledgedCommit) {
  const std::unique_ptr<Store> store = Open();
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  Mutex mutex;
  std::vector<std::string> kept;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; !stop; ++i) {
        const std::string id = absl::StrCat(t, ".", i);
        if (!store->CommitOnce(PutCommit(id, std::string(500, 'v'))).ok()) continue;
        ++acknowledged;
        MutexLock lock(&mutex);
        kept.push_back(id);
      }
    });
  }
  for (int round = 0; round < 4; ++round) {
    const int before = acknowledged;
    Eventually([&] { return acknowledged > before + 300; }, "commits go on");
    server_.Kill();
    server_.Start();
  }
  const int before = acknowledged;
  Eventually([&] { return acknowledged > before + 300; }, "commits go on after the last start");
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::vector<Key> keys;
  for (const std::string& id : kept) keys.push_back({1, Kind::kCallback, id});
  const auto records = store->GetMany(keys);
  ASSERT_TRUE(records.ok()) << records.status();
  for (const Record& record : *records) EXPECT_EQ(record.version, 1u) << record.key.id << " was acknowledged and is lost";
}

TEST_F(RedisOutageTest, AStoppedServerIsUnavailableInTimeAndWorksAgain) {
  const std::unique_ptr<Store> store = OpenWaitingFor(0, std::chrono::milliseconds(400));
  ASSERT_TRUE(store->CommitOnce(PutCommit("before")).ok());
  server_.Signal(SIGSTOP);
  const absl::Time begin = absl::Now();
  EXPECT_EQ(store->CommitOnce(PutCommit("a")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Get({1, Kind::kCallback, "before"}).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Claim({Stage::kPromise, 1, "tm", "x"}, absl::Minutes(1)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(10)) << "three calls of 0.4 s, though the kernel still takes connections";
  server_.Signal(SIGCONT);
  WorksAgain(*store);
}

TEST_F(RedisOutageTest, ACommitWhoseAnswerWasLostIsRepeatedWithItsFirstResult) {
  const std::unique_ptr<Store> store = OpenWaitingFor(0, std::chrono::milliseconds(400));
  Commit commit = PutCommit("a");
  commit.counters.push_back({"tm", "w", "n", 1});
  server_.Signal(SIGSTOP);
  // It lies in the stopped server's buffer, and is carried out once that goes on.
  EXPECT_EQ(store->CommitOnce(commit).status().code(), absl::StatusCode::kUnavailable);
  server_.Signal(SIGCONT);
  absl::StatusOr<CommitResult> result;
  Eventually([&] { return (result = store->CommitOnce(commit)).ok(); }, "the repeat is answered");
  EXPECT_EQ(store->Counters(1, "tm", "w")->at(0).second, 1);
  EXPECT_TRUE(store->CommitOnce(commit)->repeated);
}

TEST_F(RedisOutageTest, AFullMemoryRefusesNewWorkWholeAndLetsWhatIsThereGoOn) {
  const std::unique_ptr<Store> store = Open();
  const absl::Time due = absl::Now() - absl::Minutes(1);
  Commit before = PutCommit("a");
  for (const char* id : {"t1", "t2", "t3"}) before.due.push_back(DueAt({Stage::kPromise, 1, "tm", id}, due));
  ASSERT_TRUE(store->CommitOnce(before).ok());
  Commit elsewhere = NewCommit(2);
  elsewhere.due.push_back(DueAt({Stage::kPromise, 2, "tm2", "t4"}, due));
  ASSERT_TRUE(store->CommitOnce(elsewhere).ok());
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory", "1"}), "OK");

  Commit refused = PutCommit("b");
  refused.puts.push_back(DeleteOf({1, Kind::kCallback, "a"}, 1));
  refused.indexes.push_back({{1, "tm", "open"}, "b"});
  const absl::Status status = store->CommitOnce(refused).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "a"}).ok());
  EXPECT_TRUE(store->Scan({1, "tm", "open"}, "", "", {})->members.empty());
  EXPECT_EQ(store->Check().code(), absl::StatusCode::kResourceExhausted);

  // Timers fire: claimed (on several shards at once), carried out, moved; and what only removes makes room.
  const auto leases = store->ClaimDue(Stage::kPromise, {.max = 20});
  ASSERT_TRUE(leases.ok()) << leases.status();
  ASSERT_EQ(leases->size(), 4u);
  Commit fired = NewCommit(1);
  fired.lease = leases->at(0);
  fired.puts.push_back(PutOf({1, Kind::kCallback, "a"}, "alarmed", 1));
  fired.puts.push_back(PutOf({1, Kind::kDelivery, "alarm"}, "to the manager"));
  fired.due.push_back(DueAt(leases->at(0).key, absl::Now() + absl::Hours(1)));
  fired.events.push_back({"tm", "a", "escalated"});
  EXPECT_TRUE(store->CommitOnce(fired).ok()) << store->CommitOnce(fired).status();
  EXPECT_TRUE(store->Extend(leases->at(1), absl::Minutes(1)).ok());
  EXPECT_TRUE(store->Release(leases->at(2), std::nullopt, false).ok());
  EXPECT_TRUE(store->Claim(leases->at(2).key, absl::Minutes(1)).ok());
  Commit removing = NewCommit(1);
  removing.puts.push_back(DeleteOf({1, Kind::kDelivery, "alarm"}, 1));
  EXPECT_TRUE(store->CommitOnce(removing).ok());
  EXPECT_TRUE(store->Sweep().ok()) << store->Sweep().status();

  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory", "0"}), "OK");
  refused.puts[1].expected_version = 2;
  const absl::StatusOr<CommitResult> again = store->CommitOnce(refused);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->repeated);
}

TEST_F(RedisOutageTest, AFullMemoryRefusesTheCommitThatWritesAndNotTheOneBesideItThatWouldHaveBeenRefusedAnyway) {
  const std::unique_ptr<Store> store = Open();
  const Key often{1, Kind::kCallback, "often"};
  uint64_t version = 0;
  const auto change = [&] {  // so often that the record has no room for the mark of one more
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf(often, "v", version));
    return commit;
  };
  for (; version < 40; ++version) ASSERT_TRUE(store->CommitOnce(change()).ok());
  Commit stale = NewCommit(1);
  stale.puts.push_back(PutOf(often, "v", 7));
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "maxmemory", "1"}), "OK");
  const auto results = store->CommitAll({change(), stale});
  EXPECT_EQ(results[0].status().code(), absl::StatusCode::kResourceExhausted) << results[0].status();
  EXPECT_EQ(results[1].status().code(), absl::StatusCode::kAborted) << results[1].status();
  EXPECT_EQ(store->Get(often)->version, 40u);
}

TEST_F(RedisOutageTest, ADemotedMasterIsNeitherWrittenToNorReadFor) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_TRUE(store->CommitOnce(PutCommit("a")).ok());
  RedisServer other;
  ASSERT_EQ(server_.Say({"REPLICAOF", "127.0.0.1", absl::StrCat(other.port())}), "OK");
  EXPECT_EQ(store->CommitOnce(PutCommit("b")).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(store->Get({1, Kind::kCallback, "a"}).status().code(), absl::StatusCode::kUnavailable)
      << "its connections are not used any more";
  EXPECT_EQ(OpenRedisStore(Options()).status().code(), absl::StatusCode::kUnavailable);
  ASSERT_EQ(server_.Say({"REPLICAOF", "NO", "ONE"}), "OK");
  WorksAgain(*store);
}

TEST_F(RedisOutageTest, AReaderNoticesWithinASecondThatItsServerIsNoMasterAnyMore) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_TRUE(store->CommitOnce(PutCommit("a")).ok());
  RedisServer other;
  other.Follow(server_);  // so that the data would still be there
  ASSERT_EQ(server_.Say({"REPLICAOF", "127.0.0.1", absl::StrCat(other.port())}), "OK");
  Eventually([&] { return store->Get({1, Kind::kCallback, "a"}).status().code() == absl::StatusCode::kUnavailable; },
             "reads are refused");
}

TEST_F(RedisOutageTest, NothingIsAcknowledgedThatTooFewReplicasHave) {
  RedisServer replica;
  replica.Follow(server_);
  const std::unique_ptr<Store> store = OpenWaitingFor(1, std::chrono::milliseconds(600));
  const Commit first = PutCommit("a");
  Eventually([&] { return store->CommitOnce(first).ok(); }, "both have it");
  EXPECT_NE(replica.Say({"HGET", "rb:{01}:r:3", "a"}), "") << "acknowledged: the replica has it";

  replica.Signal(SIGSTOP);
  Commit commit = PutCommit("b");
  const absl::Status status = store->CommitOnce(commit).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(status.message(), "0 of 1 replicas")) << status;
  // Answers that write nothing of their own rest on what the replica has not got either.
  const std::unique_ptr<Store> another = OpenWaitingFor(1, std::chrono::milliseconds(600));
  EXPECT_EQ(another->CommitOnce(commit).status().code(), absl::StatusCode::kUnavailable) << "a repeat";
  EXPECT_EQ(another->CommitOnce(PutCommit("b")).status().code(), absl::StatusCode::kUnavailable) << "another version";
  EXPECT_EQ(another->Claim({Stage::kPromise, 1, "tm", "b"}, absl::Minutes(1)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(another->Get({1, Kind::kCallback, "a"}).ok()) << "reading goes on";

  replica.Signal(SIGCONT);
  absl::StatusOr<CommitResult> again;
  Eventually([&] { return (again = store->CommitOnce(commit)).ok(); }, "the replica is back");
  EXPECT_TRUE(again->repeated);
  EXPECT_NE(replica.Say({"HGET", "rb:{01}:r:3", "b"}), "");
}

TEST_F(RedisOutageTest, WhatAReplicaAcknowledgedIsThereAfterItsMastersDeath) {
  RedisServer replica;
  replica.Follow(server_);
  const std::unique_ptr<Store> store = OpenWaitingFor(1);
  std::vector<Commit> commits;
  for (int i = 0; i < 500; ++i) commits.push_back(PutCommit(absl::StrCat(i)));
  std::vector<Key> acknowledged;
  const auto results = store->CommitAll(commits);
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) acknowledged.push_back(commits[i].puts[0].key);
  }
  ASSERT_EQ(acknowledged.size(), 500u);
  server_.Kill();
  ASSERT_EQ(replica.Say({"REPLICAOF", "NO", "ONE"}), "OK");
  RedisOptions options = Options();
  options.port = replica.port();
  const auto records = (*OpenRedisStore(options))->GetMany(acknowledged);
  ASSERT_TRUE(records.ok()) << records.status();
  for (const Record& record : *records) EXPECT_EQ(record.version, 1u) << record.key.id;
}

}  // namespace
}  // namespace ringback::store
