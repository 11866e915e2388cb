// The small parts of runtime: opening stores, the pool, periodic work, metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <barrier>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "core/base/test_peers.h"
#include "core/runtime/metrics.h"
#include "core/runtime/open.h"
#include "core/runtime/periodic.h"
#include "core/runtime/pool.h"
#include "core/runtime/store_address.h"

namespace ringback::runtime {
namespace {

using testing::HasSubstr;

TEST(OpenTest, ARedisAddressIsChecked) {
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  for (const char* bad : {"redis://user:password@host:6379", "redis://host:port", "redis://host:6379/db", "redis://",
                          "redis://::1:6379", "redis://host:0", "redis://host/1/2", "sentinel://host:26379",
                          "sentinel://host/", "sentinel://a,,b/name", "sentinel://a/name/x"}) {
    Config config;
    config.store = bad;
    EXPECT_EQ(OpenStore(config, clock.get(), random.get()).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(OpenTest, AFolderForBlobsThatCannotBeIsSaidWithItsKey) {
  Config config;
  config.blobs = "dir:/proc/nothing";
  const absl::Status status = OpenBlobs(config).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "ringback.blobs: cannot make the folder /proc/nothing: No such file or directory");
}

// Opening asks no server: a process may start before its S3 does.
TEST(OpenTest, S3NeedsKeysThatOthersCannotReadAndNoServerYet) {
  unsetenv("AWS_ACCESS_KEY_ID");
  unsetenv("AWS_SECRET_ACCESS_KEY");
  TempDir folder;
  Config config;
  config.blobs = "s3://takes";
  config.s3_endpoint = "http://127.0.0.1:1";
  config.s3_path_style = true;
  const auto error = [&] { return std::string(OpenBlobs(config).status().message()); };
  EXPECT_THAT(error(), HasSubstr("AWS_ACCESS_KEY_ID"));
  config.s3_access_key_file = folder.Write("access", "key\n");
  config.s3_secret_key_file = folder.Write("secret", "\n");
  chmod(config.s3_access_key_file.c_str(), 0644);
  chmod(config.s3_secret_key_file.c_str(), 0600);
  EXPECT_THAT(error(), HasSubstr("others may read it"));
  chmod(config.s3_access_key_file.c_str(), 0600);
  EXPECT_THAT(error(), HasSubstr("secret is empty"));
  folder.Write("secret", "s\n");
  EXPECT_TRUE(OpenBlobs(config).ok()) << error();
  config.s3_endpoint = "http://s3.example.com";
  EXPECT_THAT(error(), HasSubstr("s3.allow_plain"));
}

TEST(StoreAddressTest, EveryPartOfAnAddressIsRead) {
  Config config;
  config.store = "redis://anna@[::1]:7000/3";
  config.store_replicas = 2;
  store::RedisOptions options = *RedisOptionsFrom(config);
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.port, 7000);
  EXPECT_EQ(options.user, "anna");
  EXPECT_EQ(options.database, 3);
  EXPECT_EQ(options.replicas, 2);
  EXPECT_FALSE(options.tls.has_value() || options.sentinels.has_value());

  config.store = "redis://store.example.com";
  options = *RedisOptionsFrom(config);
  EXPECT_EQ(options.host, "store.example.com");
  EXPECT_EQ(options.port, 6379);

  config.store = "sentinels://b@s1,s2:7001,[fe80::1]:7002/main/4";
  config.store_ca_file = "ca.pem";
  options = *RedisOptionsFrom(config);
  EXPECT_EQ(options.user, "b");
  EXPECT_EQ(options.database, 4);
  EXPECT_EQ(options.tls->ca_file, "ca.pem");
  EXPECT_EQ(options.sentinels->master_name, "main");
  const std::vector<std::pair<std::string, int>> addresses = {{"s1", 26379}, {"s2", 7001}, {"fe80::1", 7002}};
  EXPECT_EQ(options.sentinels->addresses, addresses);
  EXPECT_FALSE(IsRedisAddress("sqlite:redis.db"));
}

TEST(StoreAddressTest, ThePasswordIsReadAgainForEveryConnection) {
  const std::string path = testing::TempDir() + "/store_password";
  const auto write = [&](const char* text) {
    std::ofstream(path) << text << "\n";
    ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  };
  write("first");
  Config config;
  config.store = "redis://host";
  config.store_password_file = path;
  const store::RedisOptions options = *RedisOptionsFrom(config);
  EXPECT_EQ(*options.read_password(), "first");
  write("second");
  EXPECT_EQ(*options.read_password(), "second");
  config.store_password_file = path + ".missing";
  EXPECT_EQ(RedisOptionsFrom(config).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(PoolTest, RunsWhatItTookAndRefusesWhatIsTooMuch) {
  std::promise<void> entered, release;
  std::atomic<int> runs{0};
  Pool pool(1, 2);
  ASSERT_TRUE(pool.Submit([&] {
    entered.set_value();
    release.get_future().wait();
    ++runs;
  }));
  entered.get_future().wait();
  EXPECT_TRUE(pool.Submit([&] { ++runs; }));
  EXPECT_TRUE(pool.Submit([&] { ++runs; }));
  EXPECT_FALSE(pool.Submit([&] { ++runs; })) << "the queue is full";
  release.set_value();
  pool.Drain();
  EXPECT_EQ(runs, 3);
  EXPECT_FALSE(pool.Submit([] {})) << "draining";
}

TEST(PoolTest, EveryThreadComesWhenAllAreNeeded) {
  constexpr int kThreads = 4;
  Pool pool(kThreads, 100);
  for (int round = 0; round < 200; ++round) {
    const auto all = std::make_shared<std::barrier<>>(kThreads + 1);  // nobody goes on before all threads are at work
    for (int i = 0; i < kThreads; ++i) ASSERT_TRUE(pool.Submit([all] { all->arrive_and_wait(); }));
    all->arrive_and_wait();
  }
  pool.Drain();
}

TEST(PeriodicTest, RunsAtFirstThenEveryPeriodAndNeverTwiceAtATime) {
  const auto metrics = NewMetrics();
  class Kept : public rpc::Executor {
   public:
    bool Submit(std::function<void()> work) override {
      works.push_back(std::move(work));
      return true;
    }
    std::vector<std::function<void()>> works;
  } kept;
  int runs = 0;
  Periodic periodic("sweep", absl::Minutes(1), [&] {
    ++runs;
    return absl::OkStatus();
  });
  absl::Time now = absl::FromUnixSeconds(1'795'000'000);
  EXPECT_EQ(periodic.Tick(now, kept, *metrics), now + absl::Minutes(1));
  ASSERT_EQ(kept.works.size(), 1u);
  now += absl::Minutes(2);
  periodic.Tick(now, kept, *metrics);
  EXPECT_EQ(kept.works.size(), 1u) << "still running";
  kept.works[0]();
  EXPECT_EQ(runs, 1);
  periodic.Tick(now, kept, *metrics);
  ASSERT_EQ(kept.works.size(), 2u);
  kept.works[1]();
  EXPECT_EQ(periodic.Tick(now + absl::Seconds(59), kept, *metrics), now + absl::Minutes(1));
  EXPECT_EQ(kept.works.size(), 2u);
  // A clock that is set back does not silence it.
  now -= absl::Hours(5);
  periodic.Tick(now, kept, *metrics);
  periodic.Tick(now + absl::Minutes(1), kept, *metrics);
  EXPECT_EQ(kept.works.size(), 3u);
}

TEST(MetricsTest, TextHasHelpTypesLabelsAndSums) {
  const auto metrics = NewMetrics();
  metrics->Describe("ringback_things_total", "Things.");
  metrics->Count("ringback_things_total", {{"kind", "a"}});
  metrics->Count("ringback_things_total", {{"kind", "a"}}, 2);
  metrics->Count("ringback_things_total", {{"kind", "quote\"d"}});
  metrics->Count("ringback_pairs_total", {{"kind", "a"}, {"code", "OK"}});
  metrics->Count("ringback_pairs_total", {{"code", "OK"}, {"kind", "a"}});
  metrics->Gauge("ringback_level", {}, 2);
  metrics->Gauge("ringback_level", {}, 1.5);
  metrics->Observe("ringback_took_seconds", {{"m", "x"}}, 0.02);
  metrics->Observe("ringback_took_seconds", {{"m", "x"}}, 400);
  const std::string text = metrics->Text();
  for (const char* line : {
           "# HELP ringback_things_total Things.\n# TYPE ringback_things_total counter\n",
           "ringback_things_total{kind=\"a\"} 3\n",
           "ringback_things_total{kind=\"quote\\\"d\"} 1\n",
           "ringback_pairs_total{code=\"OK\",kind=\"a\"} 2\n",
           "# TYPE ringback_level gauge\nringback_level 1.5\n",
           "ringback_took_seconds_bucket{m=\"x\",le=\"0.025\"} 1\n",
           "ringback_took_seconds_bucket{m=\"x\",le=\"300\"} 1\n",
           "ringback_took_seconds_bucket{m=\"x\",le=\"+Inf\"} 2\n",
           "ringback_took_seconds_count{m=\"x\"} 2\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
}

}  // namespace
}  // namespace ringback::runtime
