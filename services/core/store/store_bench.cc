// Measures the SQLite store beside a raw append + fdatasync on the same disk, in turns within one run, and prints the
// medians as a table and as JSON. Judges nothing by time; scripts/bench compares with the targets.
//   ringback-store-bench [--dir DIR] [--seconds S] [--rounds N] [--large] [--json FILE]
// --large also measures claims beside 100,000 due entries of one team and 1,000,000 future entries (about a minute more).
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/store/sqlite_store.h"

namespace ringback::store {
namespace {

constexpr int kClients = 32;
constexpr int kGroup = 100;

struct Settings {
  std::string dir = ".";
  double seconds = 2;
  int rounds = 3;
  bool large = false;
  std::string json;
};

double Seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// Runs `step`, which returns how much it did, in `threads` threads for about `seconds`; what was done per second.
double Rate(int threads, double seconds, const std::function<int(int thread)>& step) {
  std::atomic<int64_t> done{0};
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      while (Seconds(std::chrono::steady_clock::now() - begin) < seconds) done += step(t);
    });
  }
  for (std::thread& thread : pool) thread.join();
  return static_cast<double>(done) / Seconds(std::chrono::steady_clock::now() - begin);
}

class Bench {
 public:
  explicit Bench(const Settings& settings)
      : settings_(settings), clock_(NewSystemClock()), random_(NewSystemRandom()) {
    std::string name = settings.dir + "/ringback-store-bench-XXXXXX";
    RB_CHECK(mkdtemp(name.data()) != nullptr);
    folder_ = name;
    auto store = OpenSqliteStore({.path = folder_ + "/bench.db", .clock = clock_.get(), .random = random_.get()});
    RB_CHECK(store.ok());
    store_ = *std::move(store);
  }
  ~Bench() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Run() {
    for (int round = 0; round < settings_.rounds; ++round) {
      Note("raw 4 KiB append + fdatasync, 1 thread, /s", RawAppend());
      Note("single commits, one 1 KB record, 32 threads, /s", SingleCommits(/*full=*/false));
      Note("single commits, callback with due, indexes, counter, event, 32 threads, /s", SingleCommits(/*full=*/true));
      Note("single commits, one 1 KB record, 1 thread, /s", SingleCommits(/*full=*/false, /*threads=*/1));
      Note("rows, 100 commits per call, 200 B, 4 threads, /s", GroupedCommits());
      Note("rows, 100 records per commit, 200 B, 4 threads, /s", GroupedRows());
      Note("claim + delete, one at a time, 32 threads, /s", ClaimAndDelete(1, kClients));
      Note("claim + delete, 100 at a time, 4 threads, /s", ClaimAndDelete(kGroup, 4));
    }
    if (settings_.large) Large();
  }

  void Print() {
    std::printf("SQLite %s, synchronous=FULL, %d rounds of %.1f s, medians\n", sqlite3_libversion(), settings_.rounds,
                settings_.seconds);
    for (const std::string& name : order_) std::printf("  %-78s %12.1f\n", name.c_str(), Median(name));
    const double raw = Median(order_[0]);
    std::printf("  %-78s %12.2f\n", "single commits (32 threads) : raw append", Median(order_[1]) / raw);
    if (settings_.json.empty()) return;
    std::ofstream json(settings_.json);
    json << "{\"bench\": \"store\", \"sqlite\": \"" << sqlite3_libversion() << "\", \"results\": {";
    for (size_t i = 0; i < order_.size(); ++i) {
      json << (i == 0 ? "" : ", ") << absl::StrFormat("\"%s\": %.1f", order_[i], Median(order_[i]));
    }
    json << absl::StrFormat("}, \"ratios\": {\"single commits to raw append\": %.3f}}\n", Median(order_[1]) / raw);
  }

 private:
  void Note(const std::string& name, double value) {
    if (!results_.contains(name)) order_.push_back(name);
    results_[name].push_back(value);
    std::fprintf(stderr, "%s: %.1f\n", name.c_str(), value);
  }
  double Median(const std::string& name) {
    std::vector<double> values = results_[name];
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

  double RawAppend() {
    const std::string path = folder_ + "/raw";
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    RB_CHECK(fd >= 0);
    const std::string block(4096, 'r');
    const double rate = Rate(1, settings_.seconds, [&](int) {
      RB_CHECK(write(fd, block.data(), block.size()) == static_cast<ssize_t>(block.size()));
      RB_CHECK(fdatasync(fd) == 0);
      return 1;
    });
    close(fd);
    std::filesystem::remove(path);
    return rate;
  }

  Commit NewCommit(int shard) {
    Commit commit;
    commit.shard = shard;
    commit.commit_id = absl::StrCat("c", next_++);
    return commit;
  }
  void AddRecord(Commit& commit, size_t bytes) {
    Put put;
    put.key = {commit.shard, Kind::kCallback, absl::StrFormat("cb%016x", random_->Next())};
    put.value = std::string(bytes, 'v');
    commit.puts.push_back(std::move(put));
  }

  double SingleCommits(bool full, int threads = kClients) {
    return Rate(threads, settings_.seconds, [&](int thread) {
      const int shard = thread % kShards;
      const std::string team = absl::StrCat("tm", shard);
      Commit commit = NewCommit(shard);
      AddRecord(commit, 1000);
      if (full) {
        const std::string id = commit.puts[0].key.id;
        commit.due.push_back({{Stage::kPromise, shard, team, id}, absl::Now() + absl::Hours(3)});
        commit.indexes.push_back({{shard, team, "open"}, id});
        commit.indexes.push_back({{shard, team, "by_member"}, id});
        commit.counters.push_back({team, "2026W05", "requested", 1});
        commit.events.push_back({team, id, "event"});
      }
      RB_CHECK(store_->CommitOnce(commit).ok());
      return 1;
    });
  }

  double GroupedCommits() {
    return Rate(4, settings_.seconds, [&](int thread) {
      std::vector<Commit> commits;
      for (int i = 0; i < kGroup; ++i) {
        commits.push_back(NewCommit(thread));
        AddRecord(commits.back(), 200);
      }
      for (const auto& result : store_->CommitAll(commits)) RB_CHECK(result.ok());
      return kGroup;
    });
  }

  double GroupedRows() {
    return Rate(4, settings_.seconds, [&](int thread) {
      Commit commit = NewCommit(thread);
      for (int i = 0; i < kGroup; ++i) AddRecord(commit, 200);
      RB_CHECK(store_->CommitOnce(commit).ok());
      return kGroup;
    });
  }

  void Fill(Stage stage, const std::string& team, int count, absl::Time due) {
    std::vector<Commit> commits;
    for (int i = 0; i < count; ++i) {
      if (i % 1000 == 0) commits.push_back(NewCommit(1));
      commits.back().due.push_back({{stage, 1, team, absl::StrFormat("%016x", random_->Next())}, due});
      if (commits.size() == 100 && commits.back().due.size() == 1000) Flush(commits);
    }
    Flush(commits);
  }
  void Flush(std::vector<Commit>& commits) {
    for (const auto& result : store_->CommitAll(commits)) RB_CHECK(result.ok());
    commits.clear();
  }

  int ClaimThenDelete(Stage stage, int max) {
    const auto leases = store_->ClaimDue(stage, {.max = max, .team_in_flight_max = 1'000'000});
    RB_CHECK(leases.ok());
    if (leases->empty()) return 0;
    Commit commit = NewCommit(1);
    if (leases->size() == 1) commit.lease = leases->front();
    for (const Lease& lease : *leases) commit.due.push_back({lease.key, std::nullopt});
    RB_CHECK(store_->CommitOnce(commit).ok());
    return static_cast<int>(leases->size());
  }

  double ClaimAndDelete(int max, int threads) {
    // Enough that nobody runs dry; the rest goes away unmeasured.
    const int count = static_cast<int>(settings_.seconds * (max == 1 ? 40'000 : 150'000));
    for (int team = 0; team < 20; ++team) Fill(Stage::kTranscode, absl::StrCat("tm", team), count / 20, absl::Now());
    const double rate =
        Rate(threads, settings_.seconds, [&](int) { return ClaimThenDelete(Stage::kTranscode, max); });
    while (ClaimThenDelete(Stage::kTranscode, 1000) > 0) {
    }
    return rate;
  }

  void Large() {
    const auto begin = std::chrono::steady_clock::now();
    for (int team = 0; team < 200; ++team) {
      Fill(Stage::kPromise, absl::StrCat("tm", team), 5000, absl::Now() + absl::Hours(1 + team));
    }
    Note("1,000,000 future entries put, /s", 1e6 / Seconds(std::chrono::steady_clock::now() - begin));
    Fill(Stage::kPromise, "flood", 100'000, absl::Now());
    Note("claim + delete beside 100 k due and 1 M future entries, 32 threads, /s",
         Rate(kClients, settings_.seconds, [&](int) { return ClaimThenDelete(Stage::kPromise, 1); }));
    const auto micros_each = [&](const std::function<void()>& call) {
      return 1e6 / Rate(1, settings_.seconds / 2, [&](int) { return call(), 1; });
    };
    Note("NextDue beside them, us", micros_each([&] { RB_CHECK(store_->NextDue(Stage::kPromise).ok()); }));
    Note("Stats beside them, us", micros_each([&] { RB_CHECK(store_->Stats(Stage::kPromise).ok()); }));
  }

  const Settings settings_;
  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Random> random_;
  std::string folder_;
  std::unique_ptr<Store> store_;
  std::atomic<int64_t> next_{0};
  std::map<std::string, std::vector<double>> results_;
  std::vector<std::string> order_;
};

bool Parse(int argc, char** argv, Settings& settings) {
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--large") {
      settings.large = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    if (flag == "--dir") {
      settings.dir = value;
    } else if (flag == "--json") {
      settings.json = value;
    } else if (flag == "--seconds") {
      if (!absl::SimpleAtod(value, &settings.seconds) || settings.seconds <= 0) return false;
    } else if (flag == "--rounds") {
      if (!absl::SimpleAtoi(value, &settings.rounds) || settings.rounds < 1) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace ringback::store

int main(int argc, char** argv) {
  ringback::store::Settings settings;
  if (!ringback::store::Parse(argc, argv, settings)) {
    std::fprintf(stderr,
                 "usage: ringback-store-bench [--dir DIR] [--seconds S] [--rounds N] [--large] [--json FILE]\n");
    return 2;
  }
  ringback::store::Bench bench(settings);
  bench.Run();
  bench.Print();
  return 0;
}
