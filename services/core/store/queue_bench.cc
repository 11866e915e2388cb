// Measures the Redis store as a durable queue with timers. Obeys lines on standard input and answers each with one line
// of JSON, so that scripts/bench_parts/queue.py can let it and BullMQ take turns on one redis-server:
//   handoff N leased|key|poll   commit of one due entry by one thread to its lease in the hands of another, which it was
//                          born with, or which that thread claims by key or by asking for what is due: milliseconds, one
//                          by one
//   process N bare|real    claims and completes what was put before, 50 in flight
//   together N             puts and processes at the same time
//   insert N bare|full|timer DUE_MS    one commit per entry; due at DUE_MS since 1970
//   fire N                 claims and completes N entries that are due
//   timers N RATE          N timers, RATE a second: how late each is claimed, in milliseconds
//   plain N bare|full|real what Redis can do at most: the changes of insert (bare, full) and of process real to the same
//                          structures as plain commands, pipelined by one thread, nothing checked, remembered or fenced, and
//                          for "real" with one command per key for all 25 entries of a round
// "bare" is a due entry with a record of 150 bytes, "timer" the entry alone, "full" and "real" a callback as ringback
// writes it: record, token, three indexes, event, timer.
//   ringback-queue-bench PORT
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/store/redis_connection.h"
#include "core/store/redis_store.h"

namespace ringback::store {
namespace {

constexpr int kTeams = 256;         // of many timers
constexpr int kBusyTeams = 8;       // of work that is waiting, each on a shard of its own
constexpr int kGroup = 100;         // commits per call when filling
constexpr int kThreads = 2;         // as many cores as the others get
constexpr int kInFlight = 50 / kThreads;
constexpr int kFireGroup = 1000;
constexpr size_t kValuesBytes = size_t{1} << 20;  // where all values are taken from
constexpr size_t kBareBytes = 150;
constexpr size_t kRecordBytes = 600;
constexpr size_t kTokenBytes = 80;
constexpr size_t kEventBytes = 100;
constexpr absl::Duration kLease = absl::Seconds(30);

double SecondsSince(Steady::time_point begin) { return std::chrono::duration<double>(Steady::now() - begin).count(); }
int ShardOfTeam(int team) { return team % kShards; }
std::string Team(int team) { return absl::StrFormat("tm%02dteam%08d", ShardOfTeam(team), team); }

// The first two sort keys of a callback's place among the open ones: before and after it was worked on.
std::string OpenMember(int turn, const std::string& id) { return absl::StrCat("00178000000000", turn, "\x1f", id); }

enum class Shape { kTimer, kBare, kFull };

class QueueBench {
 public:
  explicit QueueBench(int port)
      : clock_(NewSystemClock()),
        random_(NewSystemRandom()),
        options_{.port = port, .clock = clock_.get(), .random = random_.get()},
        values_(kValuesBytes, '\0') {
    random_->Fill(values_.data(), values_.size());
    auto store = OpenRedisStore(options_);
    RB_CHECK(store.ok());
    store_ = *std::move(store);
  }

  std::string Obey(const std::string& line) {
    std::istringstream words(line);
    std::string what, kind;
    int count = 0;
    words >> what >> count;
    if (what == "handoff") {
      words >> kind;
      return Numbers("ms", Handoff(count, kind));
    }
    if (what == "process") {
      words >> kind;
      const Shape shape = kind == "real" ? Shape::kFull : Shape::kBare;
      Insert(count, shape, absl::Now() - absl::Seconds(100), kBusyTeams);
      return Rate(Process(count, kInFlight, kind == "real"));
    }
    if (what == "together") return Rate(Together(count));
    if (what == "insert") {
      int64_t due_ms = 0;
      words >> kind >> due_ms;
      const Shape shape = kind == "full" ? Shape::kFull : kind == "timer" ? Shape::kTimer : Shape::kBare;
      return Rate(Insert(count, shape, absl::FromUnixMillis(due_ms)));
    }
    if (what == "plain") {
      words >> kind;
      return Rate(kind == "real" ? PlainProcess(count) : PlainInsert(count, kind == "full"));
    }
    if (what == "fire") return Rate(Process(count, kFireGroup, /*real=*/false));
    if (what == "timers") {
      int rate = 0;
      words >> rate;
      return Numbers("late_ms", Timers(count, rate));
    }
    return "{\"error\": \"unknown\"}";
  }

 private:
  static std::string Rate(double per_second) { return absl::StrFormat("{\"per_s\": %.1f}", per_second); }
  static std::string Numbers(const char* name, const std::vector<double>& values) {
    return absl::StrFormat("{\"%s\": [%s]}", name, absl::StrJoin(values, ",", [](std::string* out, double value) {
                             absl::StrAppendFormat(out, "%.4f", value);
                           }));
  }

  // Differs from all others, as records do: Redis's Lua keeps each text once, and finds its like by some of its bytes.
  std::string Value(size_t bytes) const { return values_.substr(random_->Next() % (values_.size() - bytes), bytes); }

  Commit NewCommit(int shard) {
    Commit commit;
    commit.shard = shard;
    commit.commit_id = NewId(id_prefix::kHistory, shard, *random_);
    return commit;
  }

  void CommitEach(const std::vector<Commit>& commits) {
    for (const auto& result : store_->CommitAll(commits)) {
      if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
      RB_CHECK(result.ok());
    }
  }

  Commit Entry(int team, Shape shape, absl::Time due) {
    const int shard = ShardOfTeam(team);
    Commit commit = NewCommit(shard);
    const std::string id = NewId(id_prefix::kCallback, shard, *random_);
    commit.due.push_back({{Stage::kPromise, shard, Team(team), id}, due});
    if (shape == Shape::kTimer) return commit;
    commit.puts.push_back(
        {{shard, Kind::kCallback, id}, 0, Value(shape == Shape::kBare ? kBareBytes : kRecordBytes)});
    if (shape == Shape::kBare) return commit;
    commit.puts.push_back({{shard, Kind::kToken, NewSecret(id_prefix::kPage, shard, *random_)}, 0, Value(kTokenBytes)});
    commit.indexes.push_back({{shard, Team(team), "open"}, OpenMember(0, id)});
    commit.indexes.push_back({{shard, Team(team), "open_by:mb1"}, OpenMember(0, id)});
    commit.indexes.push_back({{shard, Team(team), "subject"}, absl::StrCat("p:+49", random_->Next() % 10'000'000'000, "\x1f", id)});
    commit.events.push_back({Team(team), id, Value(kEventBytes)});
    return commit;
  }

  double Insert(int count, Shape shape, absl::Time due, int teams = kTeams) {
    std::atomic<int> next{0};
    const auto begin = Steady::now();
    InThreads([&](int) {
      for (;;) {
        const int first = next.fetch_add(kGroup);
        if (first >= count) return;
        std::vector<Commit> commits;
        for (int i = first; i < std::min(count, first + kGroup); ++i) {
          commits.push_back(Entry(i % teams, shape, due + absl::Microseconds(i)));
        }
        CommitEach(commits);
      }
    });
    return count / SecondsSince(begin);
  }

  // One round of a worker: claims, loads the record if it is real work, completes. How many.
  int ClaimAndComplete(int max, bool real) {
    const auto leases = store_->ClaimDue(Stage::kPromise, {.max = max, .lease = kLease, .team_in_flight_max = 100'000});
    RB_CHECK(leases.ok());
    std::vector<Commit> commits;
    std::vector<Key> keys;
    for (const Lease& lease : *leases) {
      commits.push_back(NewCommit(lease.key.shard));
      Commit& commit = commits.back();
      commit.lease = lease;
      if (!real) {
        commit.due.push_back({lease.key, std::nullopt});
        continue;
      }
      keys.push_back({lease.key.shard, Kind::kCallback, lease.key.id});
      commit.due.push_back({lease.key, absl::Now() + absl::Hours(1)});
      for (const char* name : {"open", "open_by:mb1"}) {
        commit.indexes.push_back({{lease.key.shard, lease.key.team, name}, OpenMember(0, lease.key.id), /*remove=*/true});
        commit.indexes.push_back({{lease.key.shard, lease.key.team, name}, OpenMember(1, lease.key.id)});
      }
      commit.events.push_back({lease.key.team, lease.key.id, Value(kEventBytes)});
    }
    if (real && !keys.empty()) {
      auto records = store_->GetMany(keys);
      RB_CHECK(records.ok());
      for (size_t i = 0; i < keys.size(); ++i) {
        commits[i].puts.push_back({keys[i], (*records)[i].version, std::move((*records)[i].value)});
      }
    }
    if (!commits.empty()) CommitEach(commits);
    return static_cast<int>(commits.size());
  }

  double Process(int count, int max, bool real) {
    std::atomic<int> done{0};
    const auto begin = Steady::now();
    InThreads([&](int) {
      while (done < count) done += ClaimAndComplete(max, real);
    });
    return count / SecondsSince(begin);
  }

  double Together(int count) {
    std::atomic<int> done{0};
    const auto begin = Steady::now();
    std::thread filler([&] {
      for (int first = 0; first < count; first += kInFlight * kThreads) {
        std::vector<Commit> commits;
        for (int i = first; i < std::min(count, first + kInFlight * kThreads); ++i) {
          commits.push_back(Entry(i % kBusyTeams, Shape::kTimer, absl::Now()));
        }
        CommitEach(commits);
      }
    });
    while (done < count) done += ClaimAndComplete(kInFlight * kThreads, /*real=*/false);
    filler.join();
    return count / SecondsSince(begin);
  }

  std::vector<double> Handoff(int count, const std::string& kind) {
    const bool poll = kind == "poll", leased = kind == "leased";
    struct Mail {
      Mutex mutex;
      CondVar changed;
      std::optional<Lease> offered RB_GUARDED_BY(mutex);  // without an id: to be claimed
      bool taken RB_GUARDED_BY(mutex) = false;
    } mail;
    std::vector<double> ms;
    std::atomic<bool> ended{false};
    Steady::time_point begin;  // written before the commit, read after the claim it caused
    std::thread claimer([&] {
      while (true) {
        absl::StatusOr<Lease> lease;
        if (poll) {
          auto leases = store_->ClaimDue(Stage::kDelivery, {.lease = kLease});
          RB_CHECK(leases.ok());
          if (ended) return;
          if (leases->empty()) continue;
          lease = leases->front();
        } else {
          {
            MutexLock lock(&mail.mutex);
            while (!mail.offered.has_value() && !ended) mail.changed.Wait(&mail.mutex);
            if (ended) return;
            lease = *std::exchange(mail.offered, std::nullopt);
          }
          if (lease->lease_id.empty()) lease = store_->Claim(lease->key, kLease);
        }
        RB_CHECK(lease.ok());
        MutexLock lock(&mail.mutex);
        ms.push_back(SecondsSince(begin) * 1000);
        mail.taken = true;
        mail.changed.NotifyAll();
      }
    });
    for (int i = 0; i < count; ++i) {
      Commit commit = NewCommit(ShardOfTeam(i % kTeams));
      const DueKey key{Stage::kDelivery, commit.shard, Team(i % kTeams), NewId(id_prefix::kDelivery, commit.shard, *random_)};
      commit.due.push_back({key, absl::UnixEpoch()});
      if (!poll) commit.due.back().reserve = absl::Seconds(2);
      if (leased) commit.due.back().lease_id = absl::StrCat(random_->Next());
      {
        MutexLock lock(&mail.mutex);
        begin = Steady::now();
      }
      const auto committed = store_->CommitOnce(commit);
      RB_CHECK(committed.ok());
      {
        MutexLock lock(&mail.mutex);
        if (!poll) mail.offered = BornLease(commit.due.back(), committed->time);
        mail.changed.NotifyAll();
        while (!mail.taken) mail.changed.Wait(&mail.mutex);
        mail.taken = false;
      }
      Commit done = NewCommit(commit.shard);
      done.due.push_back({key, std::nullopt});
      RB_CHECK(store_->CommitOnce(done).ok());
    }
    {
      MutexLock lock(&mail.mutex);
      ended = true;
      mail.changed.NotifyAll();
    }
    claimer.join();
    return ms;
  }

  std::vector<double> Timers(int count, int rate) {
    const absl::Time first = absl::Now() + absl::Seconds(1) + absl::Seconds(count / 20'000.0);
    std::vector<Commit> commits;
    for (int i = 0; i < count; ++i) {
      commits.push_back(Entry(i % kTeams, Shape::kTimer, first + absl::Seconds(1) * i / rate));
      if (commits.size() == kGroup || i + 1 == count) {
        CommitEach(commits);
        commits.clear();
      }
    }
    std::vector<double> late_ms;
    while (static_cast<int>(late_ms.size()) < count) {
      const auto leases = store_->ClaimDue(Stage::kPromise, {.max = 100, .lease = kLease, .team_in_flight_max = 1000});
      RB_CHECK(leases.ok());
      const absl::Time now = absl::Now();
      std::vector<Commit> done;
      for (const Lease& lease : *leases) {
        late_ms.push_back(absl::ToDoubleMilliseconds(now - lease.due));
        done.push_back(NewCommit(lease.key.shard));
        done.back().lease = lease;
        done.back().due.push_back({lease.key, std::nullopt});
      }
      if (!done.empty()) {
        CommitEach(done);
        continue;
      }
      const auto next = store_->NextDue(Stage::kPromise);
      RB_CHECK(next.ok());
      if (next->has_value()) std::this_thread::sleep_for(absl::ToChronoNanoseconds(std::min(**next - absl::Now(), absl::Seconds(1))));
    }
    return late_ms;
  }

  // The keys of a team, as redis_scripts has them.
  static std::string KeyOf(int team, const char* letter, const std::string& rest) {
    return absl::StrFormat("rb:{%02d}:%s:%s", ShardOfTeam(team), letter, rest);
  }
  static std::string PlaceKey(int team, const char* letter) {
    return KeyOf(team, letter, absl::StrCat(static_cast<int>(Stage::kPromise), ":", Team(team)));
  }
  static std::string RecordsKey(int team, Kind kind) { return KeyOf(team, "r", absl::StrCat(static_cast<int>(kind))); }
  static std::string IndexKey(int team, const char* name) {
    return KeyOf(team, "i", absl::StrCat(Team(team).size(), ":", Team(team), ":", name));
  }
  static std::string EventKey(int team) { return KeyOf(team, "v", Team(team)); }

  void Say(RedisConnection& connection, const std::vector<RedisCommand>& commands) {
    const auto replies = connection.Send(commands, Steady::now() + std::chrono::seconds(10));
    RB_CHECK(replies.ok());
    for (const Reply& reply : *replies) RB_CHECK(reply->type != REDIS_REPLY_ERROR);
  }

  std::vector<RedisCommand> PlainEntry(int team, const std::string& id, bool full) {
    std::vector<RedisCommand> commands;
    commands.push_back(
        {"HSET", RecordsKey(team, Kind::kCallback), id, Value(full ? kRecordBytes : kBareBytes)});
    commands.push_back({"ZADD", PlaceKey(team, "d"), "1800000000000000", id});
    if (!full) return commands;
    commands.push_back({"HSET", RecordsKey(team, Kind::kToken), NewSecret(id_prefix::kPage, ShardOfTeam(team), *random_),
                        Value(kTokenBytes)});
    for (const char* name : {"open", "open_by:mb1"}) {
      commands.push_back({"ZADD", IndexKey(team, name), "0", OpenMember(0, id)});
    }
    commands.push_back({"ZADD", IndexKey(team, "subject"), "0",
                        absl::StrCat("p:+49", random_->Next() % 10'000'000'000, "\x1f", id)});
    commands.push_back({"RPUSH", EventKey(team), Value(kEventBytes)});
    return commands;
  }

  double PlainInsert(int count, bool full, int teams = kTeams, std::vector<std::vector<std::string>>* ids = nullptr) {
    const auto connection = RedisConnection::OpenPlain(options_, Steady::now() + std::chrono::seconds(10));
    RB_CHECK(connection.ok());
    const auto begin = Steady::now();
    for (int first = 0; first < count; first += kGroup) {
      std::vector<RedisCommand> commands;
      for (int i = first; i < std::min(count, first + kGroup); ++i) {
        const std::string id = NewId(id_prefix::kCallback, ShardOfTeam(i % teams), *random_);
        for (RedisCommand& command : PlainEntry(i % teams, id, full)) commands.push_back(std::move(command));
        if (ids != nullptr) (*ids)[i % teams].push_back(id);
      }
      Say(**connection, commands);
    }
    return count / SecondsSince(begin);
  }

  double PlainProcess(int count) {
    std::vector<std::vector<std::string>> ids(kBusyTeams);
    PlainInsert(count, /*full=*/true, kBusyTeams, &ids);
    const auto connection = RedisConnection::OpenPlain(options_, Steady::now() + std::chrono::seconds(10));
    RB_CHECK(connection.ok());
    const std::string lease(30, 'l');
    const auto begin = Steady::now();
    for (size_t first = 0; first < ids[0].size(); first += kInFlight) {
      std::vector<RedisCommand> commands;
      for (int team = 0; team < kBusyTeams; ++team) {
        const auto mine = absl::MakeConstSpan(ids[team]).subspan(first, kInFlight);
        const auto with_all = [&](RedisCommand command, auto add) {
          for (const std::string& id : mine) add(command, id);
          commands.push_back(std::move(command));
        };
        const auto plain = [](RedisCommand& command, const std::string& id) { command.Add(id); };
        const auto scored = [](std::string_view score) {
          return [score](RedisCommand& command, const std::string& id) { command.Add(score).Add(id); };
        };
        const std::string due = PlaceKey(team, "d"), entry = PlaceKey(team, "e"), leased = PlaceKey(team, "l");
        const std::string records = RecordsKey(team, Kind::kCallback);
        commands.push_back({"ZRANGEBYSCORE", due, "-inf", "+inf", "WITHSCORES", "LIMIT", "0", absl::StrCat(kInFlight)});
        with_all({"ZADD", due}, scored("1800000030000000"));
        with_all({"ZADD", leased}, scored("1800000030000000"));
        with_all({"HSET", entry}, [&](RedisCommand& command, const std::string& id) { command.Add(id).Add(lease); });
        with_all({"HMGET", records}, plain);
        with_all({"HMGET", entry}, plain);
        with_all({"HSET", records},
                 [this](RedisCommand& command, const std::string& id) { command.Add(id).Add(Value(kRecordBytes)); });
        with_all({"ZADD", due}, scored("1800003600000000"));
        with_all({"HDEL", entry}, plain);
        with_all({"ZREM", leased}, plain);
        for (const char* name : {"open", "open_by:mb1"}) {
          with_all({"ZREM", IndexKey(team, name)},
                   [](RedisCommand& command, const std::string& id) { command.Add(OpenMember(0, id)); });
          with_all({"ZADD", IndexKey(team, name)},
                   [](RedisCommand& command, const std::string& id) { command.Add("0").Add(OpenMember(1, id)); });
        }
        with_all({"RPUSH", EventKey(team)},
                 [this](RedisCommand& command, const std::string&) { command.Add(Value(kEventBytes)); });
      }
      Say(**connection, commands);
    }
    return count / SecondsSince(begin);
  }

  static void InThreads(const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) threads.emplace_back(work, t);
    for (std::thread& thread : threads) thread.join();
  }

  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Random> random_;
  const RedisOptions options_;
  std::string values_;
  std::unique_ptr<Store> store_;
};

}  // namespace
}  // namespace ringback::store

int main(int argc, char** argv) {
  int port = 0;
  if (argc != 2 || !absl::SimpleAtoi(argv[1], &port)) {
    std::fprintf(stderr, "usage: ringback-queue-bench PORT    (scripts/bench queue runs it)\n");
    return 2;
  }
  ringback::store::QueueBench bench(port);
  for (std::string line; std::getline(std::cin, line);) std::cout << bench.Obey(line) << std::endl;
  return 0;
}
