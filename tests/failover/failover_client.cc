// One team's services in the failover test: commits records through the Redis store as fast as it answers, and notes
// every one that was acknowledged. Later the same program looks whether all of them are there.
//   ringback-failover-client write FILE REPLICAS MASTER HOST:PORT…    until its standard input ends
//   ringback-failover-client verify FILE REPLICAS MASTER HOST:PORT…   prints how many are lost; 0 is success
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/store/redis_store.h"

namespace ringback::store {
namespace {

constexpr int kThreads = 4;
constexpr size_t kPage = 500;
constexpr std::chrono::milliseconds kPause{20};  // between refusals, as a worker backs off

std::unique_ptr<Store> Open(const RedisOptions& options) {
  while (true) {
    auto store = OpenRedisStore(options);
    if (store.ok()) return *std::move(store);
    std::this_thread::sleep_for(kPause);
  }
}

Key KeyOf(const std::string& id) { return {id.front() % kShards, Kind::kCallback, id}; }

int Write(const std::string& file, const RedisOptions& options, Random& random) {
  const std::unique_ptr<Store> store = Open(options);
  std::ofstream acknowledged(file, std::ios::app);
  std::atomic<bool> stop{false};
  std::atomic<int64_t> refused{0};
  Mutex mutex;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        Commit commit;
        const std::string id = absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16));
        commit.shard = KeyOf(id).shard;
        commit.commit_id = id;
        commit.puts.push_back({KeyOf(id), 0, id});
        // As every caller does: an unknown outcome is repeated with the same commit_id.
        while (!stop) {
          const auto result = store->CommitOnce(commit);
          if (result.ok()) {
            MutexLock lock(&mutex);
            acknowledged << id << std::endl;
            break;
          }
          if (result.status().code() != absl::StatusCode::kUnavailable) {
            std::cerr << result.status() << std::endl;
            _exit(1);
          }
          ++refused;
          std::this_thread::sleep_for(kPause);
        }
      }
    });
  }
  std::cin.ignore(std::numeric_limits<std::streamsize>::max());
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::cerr << refused << " refusals" << std::endl;
  return 0;
}

int Verify(const std::string& file, const RedisOptions& options) {
  const std::unique_ptr<Store> store = Open(options);
  std::ifstream in(file);
  std::vector<Key> keys;
  int64_t lost = 0, looked_at = 0;
  const auto look = [&] {
    const auto records = store->GetMany(keys);
    if (!records.ok()) {
      std::cerr << records.status() << std::endl;
      _exit(1);
    }
    for (const Record& record : *records) {
      if (record.version != 1 || record.value != record.key.id) ++lost;
    }
    looked_at += static_cast<int64_t>(keys.size());
    keys.clear();
  };
  for (std::string id; std::getline(in, id);) {
    keys.push_back(KeyOf(id));
    if (keys.size() == kPage) look();
  }
  if (!keys.empty()) look();
  std::cout << lost << " of " << looked_at << std::endl;
  return lost == 0 ? 0 : 3;
}

}  // namespace
}  // namespace ringback::store

int main(int argc, char** argv) {
  using namespace ringback;
  const auto clock = NewSystemClock();
  const auto random = NewSystemRandom();
  store::RedisOptions options;
  options.clock = clock.get();
  options.random = random.get();
  if (argc < 6 || !absl::SimpleAtoi(argv[3], &options.replicas)) {
    std::cerr << "usage: ringback-failover-client write|verify FILE REPLICAS MASTER HOST:PORT…" << std::endl;
    return 2;
  }
  store::RedisSentinels sentinels;
  sentinels.master_name = argv[4];
  for (int i = 5; i < argc; ++i) {
    const std::string address = argv[i];
    const size_t colon = address.rfind(':');
    int port = 0;
    if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) return 2;
    sentinels.addresses.emplace_back(address.substr(0, colon), port);
  }
  options.sentinels = sentinels;
  return std::string(argv[1]) == "write" ? store::Write(argv[2], options, *random) : store::Verify(argv[2], options);
}
