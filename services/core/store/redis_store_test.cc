// The Redis store against real redis-servers of its own: the conformance suite, alone and with a replica that must have
// every write, and what only such a server has: scripts, users, settings, keys. Outages are in redis_outage_test.cc.
#include "core/store/every_record.h"
#include "core/store/redis_store.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>

#include "absl/strings/match.h"
#include "core/store/redis_server.h"
#include "core/store/redis_tls.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

// A master, maybe with a replica.
struct Servers {
  explicit Servers(int replicas) : replica(replicas > 0 ? std::make_unique<RedisServer>() : nullptr) {
    if (replica == nullptr) return;
    replica->Follow(master);
    EXPECT_EQ(master.Say({"CONFIG", "SET", "min-replicas-to-write", "1"}), "OK");
  }
  RedisServer master;
  const std::unique_ptr<RedisServer> replica;
};

class RedisHarness : public StoreHarness {
 public:
  explicit RedisHarness(Servers& servers) : servers_(servers), random_(NewSystemRandom()) {
    EXPECT_EQ(servers_.master.Say({"FLUSHALL"}), "OK");
    store_ = OpenAnother();
  }
  Store& store() override { return *store_; }
  std::unique_ptr<Store> OpenAnother() override {
    absl::StatusOr<std::unique_ptr<Store>> store = OpenRedisStore({.port = servers_.master.port(),
                                                                   .replicas = servers_.replica == nullptr ? 0 : 1,
                                                                   .clock = &clock_,
                                                                   .random = random_.get()});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  void Advance(absl::Duration by) override { clock_.Advance(by); }
  bool OnDisk(const std::string& bytes) override {
    for (const RedisServer* server : {&servers_.master, servers_.replica.get()}) {
      if (server == nullptr) continue;
      for (const auto& file : std::filesystem::recursive_directory_iterator(server->folder())) {
        if (!file.is_regular_file()) continue;
        std::ifstream in(file.path(), std::ios::binary);
        if (absl::StrContains(std::string(std::istreambuf_iterator<char>(in), {}), bytes)) return true;
      }
    }
    return false;
  }

 private:
  Servers& servers_;
  ShiftedClock clock_;
  const std::unique_ptr<Random> random_;
  std::unique_ptr<Store> store_;
};

// One set of servers for all tests of the program; each begins with an empty one.
template <int replicas>
std::unique_ptr<StoreHarness> MakeHarness() {
  static Servers servers(replicas);
  return std::make_unique<RedisHarness>(servers);
}

INSTANTIATE_TEST_SUITE_P(Redis, StoreConformance, testing::Values(&MakeHarness<0>));
INSTANTIATE_TEST_SUITE_P(RedisWithReplica, StoreConformance, testing::Values(&MakeHarness<1>));

class RedisStoreTest : public testing::Test {
 protected:
  RedisStoreTest() : random_(NewSystemRandom()) {}
  RedisOptions Options() { return {.port = server_.port(), .clock = &clock_, .random = random_.get()}; }
  std::unique_ptr<Store> Open() { return *OpenRedisStore(Options()); }
  static Commit PutCommit(const std::string& id, std::string value = "v") {
    Commit commit = NewCommit(1);
    commit.puts.push_back(PutOf({1, Kind::kCallback, id}, std::move(value)));
    return commit;
  }

  RedisServer server_;
  ShiftedClock clock_;
  const std::unique_ptr<Random> random_;
};

TEST_F(RedisStoreTest, ScriptsThatWereForgottenAreLoadedAgain) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_EQ(server_.Say({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_TRUE(store->CommitOnce(PutCommit("a")).ok());
  EXPECT_TRUE(store->Get({1, Kind::kCallback, "a"}).ok());
  ASSERT_EQ(server_.Say({"SCRIPT", "FLUSH"}), "OK");
  EXPECT_EQ(AllRecords(*store, 1, Kind::kCallback)->size(), 1u);
  ASSERT_EQ(server_.Say({"SCRIPT", "FLUSH"}), "OK");
  std::vector<Commit> several;
  for (int shard = 0; shard < 5; ++shard) {
    several.push_back(NewCommit(shard));
    several.back().counters.push_back({"tm", "w", "n", 1});
  }
  for (const auto& result : store->CommitAll(several)) EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(store->Counters(3, "tm", "w")->at(0).second, 1) << "once, not twice";
}

TEST_F(RedisStoreTest, AFailingCommitDoesNotStopThoseBesideIt) {
  const std::unique_ptr<Store> store = Open();
  std::vector<Commit> commits;
  for (int i = 0; i < 6; ++i) commits.push_back(PutCommit(absl::StrCat("r", i)));
  commits[2].puts[0].expected_version = 7;
  commits[4] = commits[3];  // a repeat within the same group
  const auto results = store->CommitAll(commits);
  EXPECT_EQ(results[2].status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(results[4]->repeated);
  for (const size_t i : {0u, 1u, 3u, 5u}) EXPECT_TRUE(results[i].ok()) << results[i].status();
  EXPECT_FALSE(results[5]->repeated);
}

TEST_F(RedisStoreTest, DamagedBytesAreSaidToBeSo) {
  const std::unique_ptr<Store> store = Open();
  for (const char* bytes : {"", "garbage", "x  0 v", "99999999999999999999  0 v", "1 soon 0 v", "1  v", "1  1 v", "1  -1 v", "1  99999999 v"}) {
    server_.Say({"HSET", "rb:{01}:r:3", "a", bytes});
    EXPECT_EQ(store->Get({1, Kind::kCallback, "a"}).status().code(), absl::StatusCode::kDataLoss) << bytes;
  }
}

TEST_F(RedisStoreTest, HalfACommitIsNotTakenForAWholeOne) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_EQ(server_.Say({"SET", "rb:{01}:i:2:tm:open", "no index"}), "OK");
  Commit commit = PutCommit("a");
  commit.indexes.push_back({{1, "tm", "open"}, "a"});
  EXPECT_EQ(store->CommitOnce(commit).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(store->CommitOnce(commit).ok()) << "a repeat must not look like success";
  EXPECT_TRUE(store->CommitOnce(PutCommit("b")).ok());
}

TEST_F(RedisStoreTest, ADamagedKeySpoilsTheCommitsThatTouchItAlone) {
  const std::unique_ptr<Store> store = Open();
  ASSERT_EQ(server_.Say({"SET", "rb:{01}:i:2:tm:open", "no index"}), "OK");
  server_.Say({"HSET", "rb:{01}:r:3", "r4", "garbage"});
  std::vector<Commit> commits;
  for (int i = 0; i < 6; ++i) {
    commits.push_back(PutCommit(absl::StrCat("r", i)));
    commits.back().counters.push_back({"tm", "w", "n", 1});
    commits.back().events.push_back({"tm", "s", "v"});
  }
  commits[2].indexes.push_back({{1, "tm", "open"}, "a"});
  const auto results = store->CommitAll(commits);
  EXPECT_EQ(results[2].status().code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(results[4].ok());
  for (const size_t i : {0u, 1u, 3u, 5u}) {
    EXPECT_TRUE(results[i].ok()) << results[i].status();
    EXPECT_EQ(store->Get({1, Kind::kCallback, absl::StrCat("r", i)})->version, 1u);
  }
  EXPECT_EQ(store->Get({1, Kind::kCallback, "r2"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->Counters(1, "tm", "w")->at(0).second, 4) << "each counts once, whoever it came with";
  EXPECT_EQ(store->Changes(1, "tm", 0, 100)->events.size(), 4u);
}

TEST_F(RedisStoreTest, ACommitSeesWhatThoseBesideItLeave) {
  const std::unique_ptr<Store> store = Open();
  const DueKey key{Stage::kDelivery, 1, "tm", "a"};
  Commit first = PutCommit("a");
  first.due.push_back(DueAt(key, absl::Now() - absl::Seconds(1)));
  first.indexes.push_back({{1, "tm", "open"}, "a"});
  ASSERT_TRUE(store->CommitOnce(first).ok());
  const Lease lease = *store->Claim(key, absl::Minutes(1));

  std::vector<Commit> commits(5, NewCommit(1));
  for (Commit& commit : commits) commit.commit_id = NewCommit(1).commit_id;
  commits[0].lease = lease;  // ends the lease, and comes back later
  commits[0].due.push_back(DueAt(key, absl::Now() + absl::Hours(1)));
  commits[1].lease = lease;  // too late
  commits[1].due.push_back({key, std::nullopt});
  commits[2].puts.push_back({{1, Kind::kCallback, "a"}, 1, "second"});
  commits[2].indexes.push_back({{1, "tm", "open"}, "a", /*remove=*/true});
  commits[3].puts.push_back({{1, Kind::kCallback, "a"}, 1, "late"});  // has version 2 now
  commits[4].puts.push_back({{1, Kind::kCallback, "a"}, 2, std::nullopt});
  commits[4].indexes.push_back({{1, "tm", "open"}, "b"});
  const auto results = store->CommitAll(commits);
  for (const size_t i : {0u, 2u, 4u}) EXPECT_TRUE(results[i].ok()) << i << ": " << results[i].status();
  for (const size_t i : {1u, 3u}) EXPECT_EQ(results[i].status().code(), absl::StatusCode::kAborted) << i;
  EXPECT_EQ(store->Get({1, Kind::kCallback, "a"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store->Stats(Stage::kDelivery)->future, 1);
  EXPECT_EQ(server_.Say({"EVAL", "return tostring(redis.call('EXISTS', 'rb:{01}:e:2:tm', 'rb:{01}:l:2:tm'))", "0"}), "0");
  const auto open = store->Scan({1, "tm", "open"}, "", "", {.limit = 10});
  ASSERT_EQ(open->members.size(), 1u);
  EXPECT_EQ(open->members[0], "b");
  EXPECT_TRUE(store->CommitAll({commits[4], commits[2]})[0]->repeated) << "remembered by what is dropped";
}

TEST_F(RedisStoreTest, ACarelesslySetUpServerDoesNotCheckOut) {
  const std::unique_ptr<Store> store = Open();
  EXPECT_TRUE(store->Check().ok()) << store->Check();
  const std::vector<std::array<const char*, 3>> settings = {{"appendfsync", "everysec", "always"},
                                                            {"no-appendfsync-on-rewrite", "yes", "no"},
                                                            {"maxmemory-policy", "allkeys-lru", "noeviction"},
                                                            {"appendonly", "no", "yes"}};
  for (const auto& [name, wrong, right] : settings) {
    ASSERT_EQ(server_.Say({"CONFIG", "SET", name, wrong}), "OK");
    const absl::Status status = store->Check();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_TRUE(absl::StrContains(status.message(), name)) << status;
    ASSERT_EQ(server_.Say({"CONFIG", "SET", name, right}), "OK");
  }
}

TEST_F(RedisStoreTest, ReplicasThatAreAskedForButMissingAreFound) {
  RedisServer replica;
  replica.Follow(server_);
  RedisOptions options = Options();
  options.replicas = 1;
  const std::unique_ptr<Store> store = *OpenRedisStore(options);
  EXPECT_TRUE(absl::StrContains(store->Check().message(), "min-replicas-to-write")) << store->Check();
  ASSERT_EQ(server_.Say({"CONFIG", "SET", "min-replicas-to-write", "1"}), "OK");
  EXPECT_TRUE(store->Check().ok()) << store->Check();
  replica.Kill();
  Eventually([&] { return absl::StrContains(store->Check().message(), "has 0 of the 1 replicas"); }, "the loss is seen");
}

TEST_F(RedisStoreTest, AWrongPasswordIsRefusedAndTheFilesNewOneIsReadAgain) {
  ASSERT_EQ(server_.Say({"ACL", "SETUSER", "ringback", "on", ">secret", "~rb:*", "+@all", "-@dangerous", "+info",
                         "+config|get", "+bgrewriteaof", "+role"}),
            "OK");
  RedisOptions options = Options();
  options.user = "ringback";
  options.password = "wrong";
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kUnavailable);
  options.user = "";
  const absl::Status needless = OpenRedisStore(options).status();
  EXPECT_TRUE(absl::StrContains(needless.message(), "refuses the user or password")) << needless;
  EXPECT_TRUE(absl::IsUnavailable(needless)) << "it may get that password in a moment";
  options.user = "ringback";
  std::string in_file = "secret";
  options.read_password = [&]() -> absl::StatusOr<std::string> { return in_file; };
  const auto store = OpenRedisStore(options);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->Check().ok()) << (*store)->Check();
  EXPECT_TRUE((*store)->CommitOnce(PutCommit("a")).ok());
  EXPECT_TRUE((*store)->Compact().ok());
  in_file = "changed";
  ASSERT_EQ(server_.Say({"ACL", "SETUSER", "ringback", "resetpass", ">changed"}), "OK");
  server_.Say({"CLIENT", "KILL", "USER", "ringback"});
  EXPECT_TRUE((*store)->CommitOnce(PutCommit("b")).ok());
}

TEST_F(RedisStoreTest, TlsThatCannotBeIsRefusedAtStart) {
  RedisOptions options = Options();
  options.tls = RedisTls{"/does/not/exist.pem", "", ""};
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(RedisStoreTest, OverTlsTheServerMustBeTheOneThatIsNamed) {
  if (const absl::Status status = CheckTls({}); !status.ok()) GTEST_SKIP() << status;
  const std::string pem = server_.folder() + "/pem", key = server_.folder() + "/key", other = server_.folder() + "/other";
  for (const auto& [file, key_file] : {std::pair(pem, key), std::pair(other, other + ".key")}) {
    ASSERT_EQ(std::system(absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
                                       "/CN=localhost -addext subjectAltName=DNS:localhost -keyout ", key_file, " -out ", file,
                                       " 2>/dev/null").c_str()),
              0);
  }
  const int port = FreePort();
  RedisServer server(/*sentinel=*/false, {"--tls-port", absl::StrCat(port), "--tls-cert-file", pem, "--tls-key-file", key,
                                          "--tls-ca-cert-file", pem});
  RedisOptions options = Options();
  options.host = "localhost";
  options.port = port;
  options.tls = RedisTls{pem, pem, key};
  const auto store = OpenRedisStore(options);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->CommitOnce(PutCommit("a", std::string(100'000, 'v'))).ok());
  EXPECT_EQ((*store)->Get({1, Kind::kCallback, "a"})->value.size(), 100'000u);
  server.Kill();
  EXPECT_EQ((*store)->CommitOnce(PutCommit("b")).status().code(), absl::StatusCode::kUnavailable);
  server.Start();
  Eventually([&] { return (*store)->CommitOnce(PutCommit("c")).ok(); }, "it finds back");

  options.host = "127.0.0.1";
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kUnavailable) << "not in the certificate";
  options.host = "localhost";
  options.tls->ca_file = other;
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kUnavailable) << "signed by nobody we trust";
  options.tls = RedisTls{pem, "", ""};
  EXPECT_EQ(OpenRedisStore(options).status().code(), absl::StatusCode::kUnavailable) << "the server wants our certificate";
}

TEST_F(RedisStoreTest, SentinelsNameTheMaster) {
  RedisServer sentinel(/*sentinel=*/true);
  ASSERT_EQ(sentinel.Say({"SENTINEL", "MONITOR", "rb", "127.0.0.1", absl::StrCat(server_.port()), "1"}), "OK");
  RedisOptions options = Options();
  options.port = 1;
  options.sentinels = RedisSentinels{{{"127.0.0.1", 1}, {"127.0.0.1", sentinel.port()}}, "rb", ""};
  const auto store = OpenRedisStore(options);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE((*store)->CommitOnce(PutCommit("a")).ok());
  options.sentinels->master_name = "other";
  const absl::Status unknown = OpenRedisStore(options).status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StrContains(unknown.message(), "knows no master named other")) << unknown;
}

TEST_F(RedisStoreTest, AWaitingTimerTakesNoMoreThanItsPlaceInTheDueSet) {
  const std::unique_ptr<Store> store = Open();
  Commit commit = NewCommit(1);
  const DueKey key{Stage::kDelivery, 1, "tm", "a"};
  commit.due.push_back(DueAt(key, absl::Now()));
  ASSERT_TRUE(store->CommitOnce(commit).ok());
  EXPECT_EQ(server_.Say({"EVAL", "return tostring(redis.call('EXISTS', 'rb:{01}:e:2:tm'))", "0"}), "0");
  const Lease lease = *store->Claim(key, absl::Minutes(1));
  ASSERT_TRUE(store->Release(lease, std::nullopt, /*uncount=*/true).ok());
  EXPECT_EQ(server_.Say({"EVAL", "return tostring(redis.call('EXISTS', 'rb:{01}:e:2:tm', 'rb:{01}:l:2:tm'))", "0"}), "0");
}

TEST_F(RedisStoreTest, EveryKeyOfAShardCarriesItsTag) {
  const std::unique_ptr<Store> store = Open();
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
               "end return tostring(n) .. ' of ' .. (#redis.call('KEYS', '*') >= 9 and 'many' or 'few')", "0"});
  EXPECT_EQ(strangers, "0 of many");
}

}  // namespace
}  // namespace ringback::store
