#include "core/store/redis_store.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/store/commit_rules.h"
#include "core/store/redis_connection.h"

namespace ringback::store {
namespace {

using Call = RedisConnection::Call;

constexpr int kSweepMaxPerShard = 1000;
// Commits of one pipeline: enough to share an fsync, few enough that other clients get their turn.
constexpr size_t kPipelineMax = 256;
constexpr std::chrono::seconds kRewriteWaitMax{120};

std::string BaseOf(int shard) { return absl::StrFormat("rb:{%02d}", shard); }
std::string Number(Stage stage) { return absl::StrCat(static_cast<int>(stage)); }
std::string Number(Kind kind) { return absl::StrCat(static_cast<int>(kind)); }
std::string Flag(bool on) { return on ? "1" : "0"; }
std::string RecordKey(const Key& key) { return absl::StrCat(BaseOf(key.shard), ":r:", Number(key.kind), ":", key.id); }
std::string ScopedKey(int shard, const char* what, const std::string& scope, const std::string& name) {
  return absl::StrCat(BaseOf(shard), what, scope.size(), ":", scope, ":", name);
}

// "VERSION EXPIRES VALUE"; version 0 when the reply is nil or the record has expired.
Record RecordOf(const Key& key, const redisReply& reply, int64_t now) {
  Record record{key};
  if (reply.type != REDIS_REPLY_STRING) return record;
  const std::string text = TextOf(reply);
  const size_t first = text.find(' ');
  const size_t second = text.find(' ', first + 1);
  const std::string expires = text.substr(first + 1, second - first - 1);
  if (!expires.empty() && std::stoll(expires) <= now) return record;
  record.version = std::stoull(text.substr(0, first));
  record.value = text.substr(second + 1);
  return record;
}

// {team, id, lease_id, due, expires, attempts}
Lease LeaseOf(Stage stage, int shard, const redisReply& reply) {
  const auto text = [&](int i) { return TextOf(*reply.element[i]); };
  const auto number = [&](int i) { return IntOf(*reply.element[i]); };
  return Lease{{stage, shard, text(0), text(1)}, text(2), FromMicros(number(3)), FromMicros(number(4)),
               static_cast<int>(number(5))};
}

absl::Status LeaseLost(const Lease& lease) {
  return absl::AbortedError(absl::StrCat("the lease of due entry ", lease.key.id, " is no longer the caller's"));
}

Call CommitCall(const Commit& commit, const std::string& offset) {
  Call call{Script::kCommit, BaseOf(commit.shard), {offset, commit.commit_id}};
  const auto add = [&](std::vector<std::string> fields) {
    call.arguments.insert(call.arguments.end(), std::make_move_iterator(fields.begin()),
                          std::make_move_iterator(fields.end()));
  };
  add({Flag(commit.lease.has_value())});
  if (commit.lease.has_value()) {
    const DueKey& key = commit.lease->key;
    add({Number(key.stage), key.team, key.id, commit.lease->lease_id});
  }
  add({absl::StrCat(commit.puts.size())});
  for (const Put& put : commit.puts) {
    add({Number(put.key.kind), put.key.id, put.any_version ? "" : absl::StrCat(put.expected_version),
         Flag(put.value.has_value()), put.value.value_or(""),
         put.expires.has_value() ? absl::StrCat(ToMicros(*put.expires)) : ""});
  }
  add({absl::StrCat(commit.due.size())});
  for (const DueChange& change : commit.due) {
    add({Number(change.key.stage), change.key.team, change.key.id,
         change.due.has_value() ? absl::StrCat(ToMicros(*change.due)) : "", Flag(change.keep_attempts),
         absl::StrCat(absl::ToInt64Microseconds(change.reserve))});
  }
  add({absl::StrCat(commit.indexes.size())});
  for (const IndexChange& change : commit.indexes) {
    add({change.index.scope, change.index.name, change.member, Flag(change.remove)});
  }
  add({absl::StrCat(commit.counters.size())});
  for (const CounterDelta& delta : commit.counters) {
    add({delta.scope, delta.group, delta.name, absl::StrCat(delta.delta)});
  }
  add({absl::StrCat(commit.events.size())});
  for (const Event& event : commit.events) add({event.team, event.subject, event.value});
  return call;
}

absl::StatusOr<CommitResult> CommitResultOf(const redisReply& reply) {
  RB_RETURN_IF_ERROR(ErrorOf(reply));
  const std::string word = TextOf(*reply.element[0]);
  if (word == "ABORTED") return absl::AbortedError(TextOf(*reply.element[1]));
  return CommitResult{FromMicros(IntOf(*reply.element[1])), word == "REPEATED"};
}

class RedisStore : public Store {
 public:
  explicit RedisStore(const RedisOptions& options)
      : clock_(*options.clock), random_(*options.random), pool_(options) {}

  absl::StatusOr<absl::Time> Now() override {
    RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read({{"TIME"}}));
    return FromMicros(NowOf(*replies[0]));
  }

  absl::StatusOr<Record> Get(const Key& key) override {
    RB_ASSIGN_OR_RETURN(std::vector<Record> records, GetMany({key}));
    if (records.front().version == 0) return absl::NotFoundError(absl::StrCat("no record ", key.id));
    return std::move(records.front());
  }

  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override;
  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override { return CommitAll({commit}).front(); }
  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override;
  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) override;
  absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) override;
  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override;
  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override;
  absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) override;
  absl::StatusOr<DueStats> Stats(Stage stage) override;
  absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                  const Page& page) override;
  absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) override;
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Counters(int shard, const std::string& scope,
                                                                        const std::string& group) override;
  absl::StatusOr<int> Sweep() override;
  absl::Status Compact() override;
  absl::StatusOr<std::vector<Record>> List(int shard, Kind kind, const std::string& after_id, int limit) override;
  absl::Status Check() override;

 private:
  struct StageCursor {
    int shard = kShards - 1;          // served last
    std::map<int, std::string> team;  // served last, per shard
  };

  // How far the store's clock is ahead of the machine's. Steps of 10 ms: reading two clocks one after the other is
  // never exact, and a shift is a test's.
  absl::Duration Offset() {
    const absl::Duration difference = clock_.Now() - absl::Now();
    constexpr absl::Duration kStep = absl::Milliseconds(10);
    return absl::Floor(difference + kStep / 2, kStep);
  }
  std::string OffsetText() { return absl::StrCat(absl::ToInt64Microseconds(Offset())); }
  int64_t NowOf(const redisReply& time) {
    return IntOf(*time.element[0]) * 1000000 + IntOf(*time.element[1]) + absl::ToInt64Microseconds(Offset());
  }

  // Commands and scripts that may run twice: a broken connection is tried once more on a fresh one.
  absl::StatusOr<std::vector<Reply>> Read(const std::vector<Command>& commands);
  absl::StatusOr<std::vector<Reply>> RunTwice(const std::vector<Call>& calls);
  // A script that must not run twice.
  absl::StatusOr<Reply> RunOnce(Call call);
  // Every shard's earliest entry of the stage, in microseconds; `now` is the store's.
  absl::StatusOr<std::map<int, int64_t>> FirstDue(Stage stage, int64_t& now);
  // Claims on one shard, and moves that shard's cursor.
  absl::StatusOr<std::vector<Lease>> ClaimOnShard(Stage stage, int shard, int64_t max, const ClaimOptions& options);
  std::string NewLeaseId();

  Clock& clock_;
  Random& random_;
  RedisPool pool_;
  Mutex mutex_;
  std::map<Stage, StageCursor> cursors_ RB_GUARDED_BY(mutex_);
};

absl::StatusOr<std::vector<Reply>> RedisStore::Read(const std::vector<Command>& commands) {
  for (int attempt = 1;; ++attempt) {
    RB_ASSIGN_OR_RETURN(const RedisPool::Loan connection, pool_.Borrow());
    absl::StatusOr<std::vector<Reply>> replies = connection->Send(commands);
    if (!replies.ok() && attempt == 1) continue;
    if (!replies.ok()) return replies.status();
    for (const Reply& reply : *replies) RB_RETURN_IF_ERROR(ErrorOf(*reply));
    return replies;
  }
}

absl::StatusOr<std::vector<Reply>> RedisStore::RunTwice(const std::vector<Call>& calls) {
  for (int attempt = 1;; ++attempt) {
    RB_ASSIGN_OR_RETURN(const RedisPool::Loan connection, pool_.Borrow());
    absl::StatusOr<std::vector<Reply>> replies = connection->Run(calls);
    if (replies.ok() || attempt == 2) return replies;
  }
}

absl::StatusOr<Reply> RedisStore::RunOnce(Call call) {
  RB_ASSIGN_OR_RETURN(const RedisPool::Loan connection, pool_.Borrow());
  std::vector<Call> calls;
  calls.push_back(std::move(call));
  RB_ASSIGN_OR_RETURN(std::vector<Reply> replies, connection->Run(calls));
  RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  return std::move(replies[0]);
}

std::string RedisStore::NewLeaseId() {
  char bytes[12];
  random_.Fill(bytes, sizeof bytes);
  return absl::BytesToHexString(absl::string_view(bytes, sizeof bytes));
}

absl::StatusOr<std::vector<Record>> RedisStore::GetMany(const std::vector<Key>& keys) {
  // One MGET per shard: the records of a shard are read at one moment.
  std::map<int, std::vector<size_t>> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    RB_RETURN_IF_ERROR(CheckKey(keys[i]));
    places[keys[i].shard].push_back(i);
  }
  std::vector<Command> commands = {{"TIME"}};
  for (const auto& [shard, indexes] : places) {
    Command& command = commands.emplace_back(Command{"MGET"});
    for (const size_t i : indexes) command.push_back(RecordKey(keys[i]));
  }
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read(commands));
  const int64_t now = NowOf(*replies[0]);
  std::vector<Record> records(keys.size());
  size_t next = 1;
  for (const auto& [shard, indexes] : places) {
    const redisReply& values = *replies[next++];
    for (size_t i = 0; i < indexes.size(); ++i) {
      records[indexes[i]] = RecordOf(keys[indexes[i]], *values.element[i], now);
    }
  }
  return records;
}

std::vector<absl::StatusOr<CommitResult>> RedisStore::CommitAll(const std::vector<Commit>& commits) {
  std::vector<absl::StatusOr<CommitResult>> results(commits.size(), absl::StatusOr<CommitResult>(CommitResult()));
  std::vector<Call> calls;
  std::vector<size_t> places;
  const auto flush = [&] {
    const absl::StatusOr<std::vector<Reply>> replies = RunTwice(calls);
    for (size_t i = 0; i < places.size(); ++i) {
      if (replies.ok()) {
        results[places[i]] = CommitResultOf(*(*replies)[i]);
      } else {
        results[places[i]] = replies.status();
      }
    }
    calls.clear();
    places.clear();
  };
  const std::string offset = OffsetText();
  for (size_t i = 0; i < commits.size(); ++i) {
    const absl::Status check = CheckCommit(commits[i]);
    if (!check.ok()) {
      results[i] = check;
      continue;
    }
    calls.push_back(CommitCall(commits[i], offset));
    places.push_back(i);
    if (calls.size() == kPipelineMax) flush();
  }
  if (!calls.empty()) flush();
  return results;
}

absl::StatusOr<std::map<int, int64_t>> RedisStore::FirstDue(Stage stage, int64_t& now) {
  std::vector<Command> commands = {{"TIME"}};
  for (int shard = 0; shard < kShards; ++shard) {
    commands.push_back({"ZRANGE", absl::StrCat(BaseOf(shard), ":t:", Number(stage)), "0", "0", "WITHSCORES"});
  }
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read(commands));
  now = NowOf(*replies[0]);
  std::map<int, int64_t> first;
  for (int shard = 0; shard < kShards; ++shard) {
    const redisReply& reply = *replies[static_cast<size_t>(shard) + 1];
    if (reply.elements == 2) first[shard] = IntOf(*reply.element[1]);
  }
  return first;
}

absl::StatusOr<std::vector<Lease>> RedisStore::ClaimOnShard(Stage stage, int shard, int64_t max,
                                                            const ClaimOptions& options) {
  std::string cursor;
  {
    MutexLock lock(&mutex_);
    cursor = cursors_[stage].team[shard];
  }
  RB_ASSIGN_OR_RETURN(const Reply reply,
                      RunOnce({Script::kClaimDue,
                               BaseOf(shard),
                               {OffsetText(), Number(stage), absl::StrCat(max),
                                absl::StrCat(absl::ToInt64Microseconds(options.lease)),
                                absl::StrCat(options.team_in_flight_max), cursor, NewLeaseId()}}));
  std::vector<Lease> leases;
  for (size_t i = 0; i < reply->elements; ++i) leases.push_back(LeaseOf(stage, shard, *reply->element[i]));
  if (!leases.empty()) {
    MutexLock lock(&mutex_);
    cursors_[stage].shard = shard;
    cursors_[stage].team[shard] = leases.back().key.team;
  }
  return leases;
}

absl::StatusOr<std::vector<Lease>> RedisStore::ClaimDue(Stage stage, const ClaimOptions& options) {
  RB_RETURN_IF_ERROR(CheckClaim(options));
  int64_t now = 0;
  RB_ASSIGN_OR_RETURN(const auto first, FirstDue(stage, now));
  std::vector<int> shards;
  int cursor = 0;
  {
    MutexLock lock(&mutex_);
    cursor = cursors_[stage].shard;
  }
  for (int i = 1; i <= kShards; ++i) {
    const auto found = first.find((cursor + i) % kShards);
    if (found != first.end() && found->second <= now) shards.push_back(found->first);
  }
  std::vector<Lease> leases;
  const auto left = [&] { return options.max - static_cast<int64_t>(leases.size()); };
  // In rounds of equal shares, as among the teams of a shard.
  while (!shards.empty() && left() > 0) {
    const int64_t share = std::max<int64_t>(1, left() / static_cast<int64_t>(shards.size()));
    std::vector<int> more;
    for (const int shard : shards) {
      const int64_t want = std::min(share, left());
      if (want == 0) break;
      absl::StatusOr<std::vector<Lease>> got = ClaimOnShard(stage, shard, want, options);
      // What is leased already must reach the caller, or it would wait for its leases to end.
      if (!got.ok() && !leases.empty()) return leases;
      if (!got.ok()) return got.status();
      leases.insert(leases.end(), got->begin(), got->end());
      if (static_cast<int64_t>(got->size()) == want) more.push_back(shard);
    }
    shards = std::move(more);
  }
  return leases;
}

absl::StatusOr<Lease> RedisStore::Claim(const DueKey& key, absl::Duration lease) {
  RB_RETURN_IF_ERROR(CheckDueKey(key));
  RB_RETURN_IF_ERROR(CheckLeaseDuration(lease));
  RB_ASSIGN_OR_RETURN(const Reply reply,
                      RunOnce({Script::kClaim,
                               BaseOf(key.shard),
                               {OffsetText(), Number(key.stage), key.team, key.id,
                                absl::StrCat(absl::ToInt64Microseconds(lease)), NewLeaseId()}}));
  if (reply->elements == 2) return absl::NotFoundError(TextOf(*reply->element[1]));
  return LeaseOf(key.stage, key.shard, *reply);
}

absl::StatusOr<Lease> RedisStore::Extend(const Lease& lease, absl::Duration duration) {
  RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
  RB_RETURN_IF_ERROR(CheckLeaseDuration(duration));
  const DueKey& key = lease.key;
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      RunTwice({{Script::kExtend,
                                 BaseOf(key.shard),
                                 {OffsetText(), Number(key.stage), key.team, key.id, lease.lease_id,
                                  absl::StrCat(absl::ToInt64Microseconds(duration))}}}));
  RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  if (replies[0]->elements == 0) return LeaseLost(lease);
  Lease longer = lease;
  longer.expires = FromMicros(IntOf(*replies[0]->element[0]));
  return longer;
}

absl::Status RedisStore::Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) {
  RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
  const DueKey& key = lease.key;
  RB_ASSIGN_OR_RETURN(const Reply reply,
                      RunOnce({Script::kRelease,
                               BaseOf(key.shard),
                               {OffsetText(), Number(key.stage), key.team, key.id, lease.lease_id,
                                due.has_value() ? absl::StrCat(ToMicros(*due)) : "", Flag(uncount)}}));
  return reply->integer == 1 ? absl::OkStatus() : LeaseLost(lease);
}

absl::StatusOr<std::optional<absl::Time>> RedisStore::NextDue(Stage stage) {
  int64_t now = 0;
  RB_ASSIGN_OR_RETURN(const auto first, FirstDue(stage, now));
  std::optional<int64_t> next;
  for (const auto& [shard, micros] : first) next = std::min(next.value_or(micros), micros);
  if (!next.has_value()) return std::nullopt;
  return FromMicros(*next);
}

absl::StatusOr<DueStats> RedisStore::Stats(Stage stage) {
  std::vector<Call> calls;
  const std::string offset = OffsetText();
  for (int shard = 0; shard < kShards; ++shard) calls.push_back({Script::kStats, BaseOf(shard), {offset, Number(stage)}});
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, RunTwice(calls));
  DueStats stats;
  for (const Reply& reply : replies) {
    RB_RETURN_IF_ERROR(ErrorOf(*reply));
    stats.waiting += IntOf(*reply->element[0]);
    stats.leased += IntOf(*reply->element[1]);
    stats.future += IntOf(*reply->element[2]);
    if (TextOf(*reply->element[3]).empty()) continue;
    const int64_t age = IntOf(*reply->element[4]) - IntOf(*reply->element[3]);
    stats.oldest_age = std::max(stats.oldest_age, absl::Microseconds(age));
  }
  return stats;
}

absl::StatusOr<ScanResult> RedisStore::Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                            const Page& page) {
  RB_RETURN_IF_ERROR(CheckPage(page.limit));
  const ScanRange range = RangeOfPage(from, to, page);
  const std::string low = range.from.empty() ? "-" : "[" + range.from;
  const std::string high = range.to.empty() ? "+" : "(" + range.to;
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      Read({{page.descending ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX",
                             ScopedKey(index.shard, ":i:", index.scope, index.name), page.descending ? high : low,
                             page.descending ? low : high, "LIMIT", "0", absl::StrCat(int64_t{page.limit} + 1)}}));
  ScanResult result;
  for (size_t i = 0; i < replies[0]->elements; ++i) result.members.push_back(TextOf(*replies[0]->element[i]));
  result.more = result.members.size() > static_cast<size_t>(page.limit);
  if (result.more) result.members.pop_back();
  return result;
}

absl::StatusOr<ChangesResult> RedisStore::Changes(int shard, const std::string& team, int64_t since, int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  const std::string base = BaseOf(shard);
  // Newest first: events that come between the two commands only make the answer newer.
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      Read({{"HGET", base + ":n", team},
                            {"XRANGE", absl::StrCat(base, ":v:", team), absl::StrCat(since + 1, "-0"), "+", "COUNT",
                             absl::StrCat(limit)}}));
  ChangesResult result;
  result.newest = IntOf(*replies[0]);
  for (size_t i = 0; i < replies[1]->elements; ++i) {
    const redisReply& entry = *replies[1]->element[i];
    const redisReply& fields = *entry.element[1];  // t TIME s SUBJECT v VALUE
    result.events.push_back({IntOf(*entry.element[0]), FromMicros(IntOf(*fields.element[1])),
                             Event{team, TextOf(*fields.element[3]), TextOf(*fields.element[5])}});
  }
  if (!result.events.empty()) result.newest = std::max(result.newest, result.events.back().revision);
  JudgeChanges(since, result);
  return result;
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> RedisStore::Counters(int shard, const std::string& scope,
                                                                                  const std::string& group) {
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read({{"HGETALL", ScopedKey(shard, ":c:", scope, group)}}));
  std::vector<std::pair<std::string, int64_t>> counters;
  for (size_t i = 0; i + 1 < replies[0]->elements; i += 2) {
    counters.emplace_back(TextOf(*replies[0]->element[i]), IntOf(*replies[0]->element[i + 1]));
  }
  std::sort(counters.begin(), counters.end());
  return counters;
}

absl::StatusOr<int> RedisStore::Sweep() {
  std::vector<Call> calls;
  const std::string offset = OffsetText();
  for (int shard = 0; shard < kShards; ++shard) {
    calls.push_back({Script::kSweep, BaseOf(shard), {offset, absl::StrCat(kSweepMaxPerShard)}});
  }
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, RunTwice(calls));
  int removed = 0;
  for (const Reply& reply : replies) {
    RB_RETURN_IF_ERROR(ErrorOf(*reply));
    removed += static_cast<int>(reply->integer);
  }
  return removed;
}

absl::Status RedisStore::Compact() {
  // Redis answers BGREWRITEAOF with an error while a rewrite runs; that one may have begun before the erasure, so the
  // next one is what counts: a loop until one was started here and has ended.
  const auto give_up = std::chrono::steady_clock::now() + kRewriteWaitMax;
  bool started = false;
  while (std::chrono::steady_clock::now() < give_up) {
    RB_ASSIGN_OR_RETURN(const RedisPool::Loan connection, pool_.Borrow());
    RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, connection->Send({{"INFO", "persistence"}}));
    RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
    const std::string info = TextOf(*replies[0]);
    const bool idle = absl::StrContains(info, "aof_rewrite_in_progress:0") &&
                      absl::StrContains(info, "aof_rewrite_scheduled:0");
    if (idle && started) {
      if (absl::StrContains(info, "aof_last_bgrewrite_status:ok")) return absl::OkStatus();
      return absl::ResourceExhaustedError("Redis could not rewrite its append-only file; see its log");
    }
    if (idle) {
      RB_ASSIGN_OR_RETURN(const std::vector<Reply> rewrite, connection->Send({{"BGREWRITEAOF"}}));
      RB_RETURN_IF_ERROR(ErrorOf(*rewrite[0]));
      started = true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return absl::UnavailableError("Redis is still rewriting its append-only file; compact again");
}

absl::StatusOr<std::vector<Record>> RedisStore::List(int shard, Kind kind, const std::string& after_id, int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  RB_ASSIGN_OR_RETURN(
      const std::vector<Reply> replies,
      RunTwice({{Script::kList, BaseOf(shard), {OffsetText(), Number(kind), after_id, absl::StrCat(limit)}}}));
  RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  std::vector<Record> records;
  for (size_t i = 0; i + 2 < replies[0]->elements; i += 3) {
    const auto text = [&](size_t field) { return TextOf(*replies[0]->element[i + field]); };
    records.push_back({Key{shard, kind, text(0)}, std::stoull(text(1)), text(2)});
  }
  return records;
}

absl::Status RedisStore::Check() {
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      Read({{"INFO", "persistence"}, {"INFO", "memory"}, {"SET", "rb:{00}:checked", OffsetText()}}));
  const std::string persistence = TextOf(*replies[0]);
  const std::string memory = TextOf(*replies[1]);
  if (!absl::StrContains(persistence, "aof_enabled:1")) {
    return absl::FailedPreconditionError("Redis keeps no append-only file; set appendonly yes and appendfsync always");
  }
  if (!absl::StrContains(memory, "maxmemory_policy:noeviction")) {
    return absl::FailedPreconditionError("Redis would drop records when full; set maxmemory-policy noeviction");
  }
  // Services for hire often forbid CONFIG; then appendfsync is the operator's word.
  RB_ASSIGN_OR_RETURN(const RedisPool::Loan connection, pool_.Borrow());
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> config, connection->Send({{"CONFIG", "GET", "appendfsync"}}));
  if (config[0]->elements == 2 && TextOf(*config[0]->element[1]) != "always") {
    return absl::FailedPreconditionError(absl::StrCat("Redis may lose what it acknowledged: appendfsync is ",
                                                      TextOf(*config[0]->element[1]), "; set it to always"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRedisStore(const RedisOptions& options) {
  auto store = std::make_unique<RedisStore>(options);
  RB_RETURN_IF_ERROR(store->Now().status());
  return store;
}

}  // namespace ringback::store
