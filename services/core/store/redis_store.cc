#include "core/store/redis_store.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/store/commit_rules.h"
#include "core/store/redis_check.h"
#include "core/store/redis_committer.h"
#include "core/store/redis_compact.h"
#include "core/store/redis_packed.h"
#include "core/store/redis_pool.h"
#include "core/store/redis_tls.h"

namespace ringback::store {
namespace {

constexpr int kSweepMaxPerShard = 1000;
constexpr size_t kFingerprintBytes = 14;  // of a commit_id's hash
// A record's marks: fingerprint and time in 16 digits.
constexpr int64_t kMarksMax = 32;
constexpr size_t kMarkBytes = kFingerprintBytes + 16;

std::string BaseOf(int shard) { return absl::StrFormat("rb:{%02d}", shard); }
std::string Number(Stage stage) { return absl::StrCat(static_cast<int>(stage)); }
std::string Number(Kind kind) { return absl::StrCat(static_cast<int>(kind)); }
std::string_view Flag(bool on) { return on ? "1" : "0"; }
std::string PlaceOf(const DueKey& key) { return absl::StrCat(static_cast<int>(key.stage), ":", key.team); }
std::string RecordsKey(int shard, Kind kind) { return absl::StrCat(BaseOf(shard), ":r:", Number(kind)); }
std::string Scoped(const std::string& scope, const std::string& name) {
  return absl::StrCat(scope.size(), ":", scope, ":", name);
}

std::string FingerprintOf(const std::string& commit_id) {
  unsigned char hash[crypto_generichash_BYTES_MIN];
  crypto_generichash(hash, sizeof hash, reinterpret_cast<const unsigned char*>(commit_id.data()), commit_id.size(),
                     nullptr, 0);
  static_assert(sizeof hash >= kFingerprintBytes);
  return std::string(reinterpret_cast<const char*>(hash), kFingerprintBytes);
}

// "VERSION EXPIRES COUNT MARKS VALUE"; version 0 when the reply is nil or the record has expired.
absl::StatusOr<Record> RecordOf(const Key& key, const redisReply& reply, int64_t now) {
  Record record{key};
  if (reply.type != REDIS_REPLY_STRING) return record;
  const std::string_view text(reply.str, static_cast<size_t>(reply.len));
  const size_t first = text.find(' ');
  const size_t second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  const size_t third = second == std::string_view::npos ? second : text.find(' ', second + 1);
  if (third == std::string_view::npos) return absl::DataLossError(absl::StrCat("Redis holds a damaged record ", key.id));
  RB_ASSIGN_OR_RETURN(const int64_t marks, StoredNumber(text.substr(second + 1, third - second - 1), "count in a record"));
  if (marks < 0 || marks > kMarksMax) return absl::DataLossError(absl::StrCat("Redis holds a damaged record ", key.id));
  const size_t value = third + 1 + static_cast<size_t>(marks) * kMarkBytes;
  if (value > text.size()) return absl::DataLossError(absl::StrCat("Redis holds a damaged record ", key.id));
  const std::string_view expires = text.substr(first + 1, second - first - 1);
  if (!expires.empty()) {
    RB_ASSIGN_OR_RETURN(const int64_t end, StoredNumber(expires, "expiry of a record"));
    if (end <= now) return record;
  }
  RB_ASSIGN_OR_RETURN(const int64_t version, StoredNumber(text.substr(0, first), "version of a record"));
  record.version = static_cast<uint64_t>(version);
  record.value = text.substr(value);
  return record;
}

// "TIME LENGTH SUBJECT VALUE"
absl::StatusOr<StoredEvent> EventOf(const std::string& team, int64_t revision, const std::string& text) {
  const size_t first = text.find(' ');
  const size_t second = first == std::string::npos ? first : text.find(' ', first + 1);
  if (second == std::string::npos) return absl::DataLossError(absl::StrCat("Redis holds a damaged event of ", team));
  RB_ASSIGN_OR_RETURN(const int64_t time, StoredNumber(std::string_view(text).substr(0, first), "time of an event"));
  RB_ASSIGN_OR_RETURN(const int64_t length,
                      StoredNumber(std::string_view(text).substr(first + 1, second - first - 1), "length in an event"));
  const size_t value = second + 1 + static_cast<size_t>(length);
  if (length < 0 || value > text.size()) return absl::DataLossError(absl::StrCat("Redis holds a damaged event of ", team));
  return StoredEvent{revision, FromMicros(time),
                     Event{team, text.substr(second + 1, static_cast<size_t>(length)), text.substr(value)}};
}

// Matches what begins with `prefix`, whatever bytes it has.
std::string GlobOf(const std::string& prefix) {
  std::string glob;
  for (const char c : prefix) {
    if (absl::StrContains("*?[]\\^-", c)) glob += '\\';
    glob += c;
  }
  return glob + "*";
}

// The keys with the teams that have something due, of every shard.
RedisCommand TeamKeys(Stage stage) {
  RedisCommand keys;
  for (int shard = 0; shard < kShards; ++shard) keys.Add(absl::StrCat(BaseOf(shard), ":t:", Number(stage)));
  return keys;
}

// team, id, lease_id, due, expires, attempts
absl::StatusOr<Lease> LeaseOf(Stage stage, int shard, const std::vector<std::string>& texts, size_t at) {
  RB_ASSIGN_OR_RETURN(const int64_t due, StoredNumber(texts[at + 3], "due time"));
  RB_ASSIGN_OR_RETURN(const int64_t expires, StoredNumber(texts[at + 4], "end of a lease"));
  RB_ASSIGN_OR_RETURN(const int64_t attempts, StoredNumber(texts[at + 5], "count of attempts"));
  return Lease{{stage, shard, texts[at], texts[at + 1]}, texts[at + 2], FromMicros(due), FromMicros(expires),
               static_cast<int>(attempts)};
}
constexpr size_t kLeaseTexts = 6;

absl::Status LeaseLost(const Lease& lease) {
  return absl::AbortedError(absl::StrCat("the lease of due entry ", lease.key.id, " is no longer the caller's"));
}

// Whether the commit is to be taken although Redis's memory is full: work that was claimed, and what only removes.
bool GoesOnWhenFull(const Commit& commit) {
  if (commit.lease.has_value()) return true;
  return std::all_of(commit.puts.begin(), commit.puts.end(), [](const Put& put) { return !put.value.has_value(); }) &&
         std::all_of(commit.due.begin(), commit.due.end(), [](const DueChange& due) { return !due.due.has_value(); }) &&
         std::all_of(commit.indexes.begin(), commit.indexes.end(), [](const IndexChange& c) { return c.remove; }) &&
         commit.counters.empty() && commit.events.empty() && !(commit.puts.empty() && commit.due.empty());
}

// As kCommit reads it.
RedisWrite WriteOf(const Commit& commit) {
  RedisPacked body;
  body.Add(FingerprintOf(commit.commit_id));
  body.Add(int64_t{commit.lease.has_value()});
  if (commit.lease.has_value()) body.Add(PlaceOf(commit.lease->key)).Add(commit.lease->key.id).Add(commit.lease->lease_id);
  body.Add(static_cast<int64_t>(commit.puts.size()));
  for (const Put& put : commit.puts) {
    body.Add(Number(put.key.kind)).Add(put.key.id).Add(put.any_version ? "" : absl::StrCat(put.expected_version));
    body.Add(Flag(put.value.has_value())).Add(put.value.has_value() ? std::string_view(*put.value) : "");
    body.Add(put.expires.has_value() ? absl::StrCat(ToMicros(*put.expires)) : "");
  }
  body.Add(static_cast<int64_t>(commit.due.size()));
  for (const DueChange& change : commit.due) {
    body.Add(PlaceOf(change.key)).Add(change.key.id);
    body.Add(change.due.has_value() ? absl::StrCat(ToMicros(*change.due)) : "");
    body.Add(Flag(change.keep_attempts)).Add(absl::ToInt64Microseconds(change.reserve)).Add(change.lease_id);
  }
  body.Add(static_cast<int64_t>(commit.indexes.size()));
  for (const IndexChange& change : commit.indexes) {
    body.Add(Scoped(change.index.scope, change.index.name)).Add(change.member).Add(Flag(change.remove));
  }
  body.Add(static_cast<int64_t>(commit.counters.size()));
  for (const CounterDelta& delta : commit.counters) {
    body.Add(Scoped(delta.scope, delta.group)).Add(delta.name).Add(absl::StrCat(delta.delta));
  }
  body.Add(static_cast<int64_t>(commit.events.size()));
  for (const Event& event : commit.events) body.Add(event.team).Add(event.subject).Add(event.value);

  RedisWrite write{GoesOnWhenFull(commit) ? Script::kCommitFull : Script::kCommit, {BaseOf(commit.shard)}, {}};
  write.arguments.Add(body.Bytes());
  return write;
}

absl::StatusOr<CommitResult> CommitResultOf(const RedisAnswer& answer) {
  RB_RETURN_IF_ERROR(answer.status());
  const std::string& word = (*answer)[0];
  const std::string& text = (*answer)[1];
  if (word == "ABORTED") return absl::AbortedError(text);
  if (word == "ERROR") return ErrorOfText(text);
  if (word == "DATA_LOSS") return absl::DataLossError(absl::StrCat("half of a commit was written: ", text));
  RB_ASSIGN_OR_RETURN(const int64_t time, StoredNumber(text, "time of a commit"));
  return CommitResult{FromMicros(time), word == "REPEATED"};
}

class RedisStore : public Store {
 public:
  explicit RedisStore(const RedisOptions& options)
      : options_(options), random_(*options.random), pool_(options_), committer_(options_, &pool_) {}

  absl::StatusOr<absl::Time> Now() override {
    RB_ASSIGN_OR_RETURN(const Reply time, ReadOne({"TIME"}));
    return FromMicros(NowOf(*time));
  }

  absl::StatusOr<Record> Get(const Key& key) override {
    RB_ASSIGN_OR_RETURN(std::vector<Record> records, GetMany({key}));
    if (records.front().version == 0) return absl::NotFoundError(absl::StrCat("no record ", key.id));
    return std::move(records.front());
  }

  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override {
    RB_ASSIGN_OR_RETURN(Reading reading, ReadNow(keys));
    return std::move(reading.records);
  }

  absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) override;
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
  absl::StatusOr<ListResult> List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                  int limit) override;
  absl::Status Check() override;

 private:
  struct StageCursor {
    int shard = kShards - 1;                 // served last
    std::array<std::string, kShards> teams;  // served last, per shard
  };

  int64_t Offset() { return absl::ToInt64Microseconds(options_.clock->Offset()); }
  int64_t NowOf(const redisReply& time) {
    return IntOf(*time.element[0]) * 1000000 + IntOf(*time.element[1]) + Offset();
  }
  Steady::time_point Deadline() const { return Steady::now() + options_.command_timeout; }

  // Commands that may run twice: a broken connection is tried once more on a fresh one. `make` names them for the
  // connection they will go over.
  using Make = std::function<std::vector<RedisCommand>(const RedisConnection&)>;
  absl::StatusOr<std::vector<Reply>> Read(const Make& make);
  absl::StatusOr<Reply> ReadOne(const RedisCommand& command);
  absl::StatusOr<Reply> ReadByScript(Script script, const RedisCommand& keys, const RedisCommand& arguments);
  // A script that may run twice, with `arguments` behind the offset.
  RedisCommand CallOf(const RedisConnection& connection, Script script, const RedisCommand& keys,
                      const RedisCommand& arguments) {
    RedisCommand call = connection.Begin(script, keys.parts());
    call.Add(keys).Add(Offset()).Add(arguments);
    return call;
  }
  RedisAnswer Write(RedisWrite write);

  const RedisOptions options_;
  Random& random_;
  RedisPool pool_;
  RedisCommitter committer_;
  Mutex mutex_;
  std::map<Stage, StageCursor> cursors_ RB_GUARDED_BY(mutex_);
};

absl::StatusOr<std::vector<Reply>> RedisStore::Read(const Make& make) {
  const Steady::time_point deadline = Deadline();
  for (int attempt = 1;; ++attempt) {
    RB_ASSIGN_OR_RETURN(RedisPool::Loan loan, pool_.Borrow(deadline));
    absl::StatusOr<std::vector<Reply>> replies = loan->Send(make(*loan.operator->()), deadline);
    if (!replies.ok() && attempt == 1) continue;
    if (!replies.ok()) return replies.status();
    const auto error = std::find_if(replies->begin(), replies->end(),
                                    [](const Reply& reply) { return reply->type == REDIS_REPLY_ERROR; });
    if (error == replies->end()) return replies;
    const std::string text = TextOf(**error);
    if (attempt == 1 && absl::StartsWith(text, "NOSCRIPT")) {
      RB_RETURN_IF_ERROR(loan->LoadScripts(deadline));
      continue;
    }
    if (LostMaster(text)) loan.Distrust();
    return ErrorOfText(text);
  }
}

absl::StatusOr<Reply> RedisStore::ReadOne(const RedisCommand& command) {
  RB_ASSIGN_OR_RETURN(std::vector<Reply> replies,
                      Read([&](const RedisConnection&) { return std::vector<RedisCommand>{command}; }));
  return std::move(replies.front());
}

absl::StatusOr<Reply> RedisStore::ReadByScript(Script script, const RedisCommand& keys, const RedisCommand& arguments) {
  RB_ASSIGN_OR_RETURN(std::vector<Reply> replies, Read([&](const RedisConnection& connection) {
                        return std::vector<RedisCommand>{CallOf(connection, script, keys, arguments)};
                      }));
  return std::move(replies.front());
}

RedisAnswer RedisStore::Write(RedisWrite write) {
  std::vector<RedisWrite> writes;
  writes.push_back(std::move(write));
  return std::move(committer_.Run(std::move(writes)).front());
}

absl::StatusOr<Reading> RedisStore::ReadNow(const std::vector<Key>& keys) {
  std::map<int, std::map<Kind, std::vector<size_t>>> places;
  for (size_t i = 0; i < keys.size(); ++i) {
    RB_RETURN_IF_ERROR(CheckKey(keys[i]));
    places[keys[i].shard][keys[i].kind].push_back(i);
  }
  // The records of a shard are read at one moment: by one command, or where they are of several kinds by one script.
  const auto command_for = [&](const RedisConnection& connection, int shard, const auto& kinds) {
    RedisCommand ids;
    for (const auto& [kind, indexes] : kinds) {
      if (kinds.size() > 1) ids.Add(Number(kind)).Add(static_cast<int64_t>(indexes.size()));
      for (const size_t i : indexes) ids.Add(keys[i].id);
    }
    if (kinds.size() > 1) return CallOf(connection, Script::kGet, {BaseOf(shard)}, ids);
    return RedisCommand{"HMGET", RecordsKey(shard, kinds.begin()->first)}.Add(ids);
  };
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read([&](const RedisConnection& connection) {
                        std::vector<RedisCommand> commands = {{"TIME"}};
                        for (const auto& [shard, kinds] : places) commands.push_back(command_for(connection, shard, kinds));
                        return commands;
                      }));
  const int64_t now = NowOf(*replies[0]);
  Reading reading{FromMicros(now), std::vector<Record>(keys.size())};
  size_t next = 1;
  for (const auto& [shard, kinds] : places) {
    const redisReply& values = *replies[next++];
    size_t at = 0;
    for (const auto& [kind, indexes] : kinds) {
      for (const size_t i : indexes) {
        RB_ASSIGN_OR_RETURN(reading.records[i], RecordOf(keys[i], *values.element[at++], now));
      }
    }
  }
  return reading;
}

std::vector<absl::StatusOr<CommitResult>> RedisStore::CommitAll(const std::vector<Commit>& commits) {
  std::vector<absl::StatusOr<CommitResult>> results(commits.size(), absl::StatusOr<CommitResult>(CommitResult()));
  std::vector<RedisWrite> writes;
  std::vector<size_t> places;
  for (size_t i = 0; i < commits.size(); ++i) {
    const absl::Status check = CheckCommit(commits[i]);
    if (!check.ok()) {
      results[i] = check;
      continue;
    }
    writes.push_back(WriteOf(commits[i]));
    places.push_back(i);
  }
  const std::vector<RedisAnswer> answers = committer_.Run(std::move(writes));
  for (size_t i = 0; i < places.size(); ++i) results[places[i]] = CommitResultOf(answers[i]);
  return results;
}

absl::StatusOr<std::vector<Lease>> RedisStore::ClaimDue(Stage stage, const ClaimOptions& options) {
  RB_RETURN_IF_ERROR(CheckClaim(options));
  RedisWrite write{Script::kClaimDue, TeamKeys(stage), {}};
  write.arguments.Add(Number(stage)).Add(int64_t{options.max}).Add(absl::ToInt64Microseconds(options.lease));
  write.arguments.Add(int64_t{options.team_in_flight_max}).Add(NewLeaseId(random_));
  {
    MutexLock lock(&mutex_);
    const StageCursor& cursor = cursors_[stage];
    RedisPacked served;
    served.Add(int64_t{cursor.shard});
    for (const std::string& team : cursor.teams) served.Add(team);
    write.arguments.Add(served.Bytes());
  }
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, Write(std::move(write)));
  std::vector<Lease> leases;
  absl::Status damaged;
  for (size_t at = 0; at + kLeaseTexts < texts.size(); at += kLeaseTexts + 1) {
    const absl::StatusOr<int64_t> shard = StoredNumber(texts[at], "shard");
    absl::StatusOr<Lease> lease = shard.ok() && *shard >= 0 && *shard < kShards
                                      ? LeaseOf(stage, static_cast<int>(*shard), texts, at + 1)
                                      : absl::DataLossError("Redis names no shard of a lease");
    if (lease.ok()) {
      leases.push_back(*std::move(lease));
    } else {
      damaged = lease.status();
    }
  }
  // What is leased already must reach the caller, or it would wait for its leases to end.
  if (leases.empty() && !damaged.ok()) return damaged;
  MutexLock lock(&mutex_);
  for (const Lease& lease : leases) {
    cursors_[stage].shard = lease.key.shard;
    cursors_[stage].teams[static_cast<size_t>(lease.key.shard)] = lease.key.team;
  }
  return leases;
}

absl::StatusOr<Lease> RedisStore::Claim(const DueKey& key, absl::Duration lease) {
  RB_RETURN_IF_ERROR(CheckDueKey(key));
  RB_RETURN_IF_ERROR(CheckLeaseDuration(lease));
  RedisWrite write{Script::kClaim, {BaseOf(key.shard)}, {}};
  write.arguments.Add(PlaceOf(key)).Add(key.team).Add(key.id).Add(absl::ToInt64Microseconds(lease)).Add(NewLeaseId(random_));
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, Write(std::move(write)));
  if (texts.size() < kLeaseTexts) return absl::NotFoundError(texts.back());
  return LeaseOf(key.stage, key.shard, texts, 0);
}

absl::StatusOr<Lease> RedisStore::Extend(const Lease& lease, absl::Duration duration) {
  RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
  RB_RETURN_IF_ERROR(CheckLeaseDuration(duration));
  RedisWrite write{Script::kExtend, {BaseOf(lease.key.shard)}, {}};
  write.arguments.Add(PlaceOf(lease.key)).Add(lease.key.id).Add(lease.lease_id).Add(absl::ToInt64Microseconds(duration));
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, Write(std::move(write)));
  if (texts.empty()) return LeaseLost(lease);
  RB_ASSIGN_OR_RETURN(const int64_t expires, StoredNumber(texts[0], "end of a lease"));
  Lease longer = lease;
  longer.expires = FromMicros(expires);
  return longer;
}

absl::Status RedisStore::Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) {
  RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
  // Sent once: a repeat would find the lease gone and could not tell whether it was this call that ended it.
  RedisWrite write{Script::kRelease, {BaseOf(lease.key.shard)}, {}, /*repeatable=*/false};
  write.arguments.Add(PlaceOf(lease.key)).Add(lease.key.id).Add(lease.lease_id);
  write.arguments.Add(due.has_value() ? absl::StrCat(ToMicros(*due)) : "").Add(Flag(uncount));
  RB_ASSIGN_OR_RETURN(const std::vector<std::string> texts, Write(std::move(write)));
  return texts.empty() ? LeaseLost(lease) : absl::OkStatus();
}

absl::StatusOr<std::optional<absl::Time>> RedisStore::NextDue(Stage stage) {
  RB_ASSIGN_OR_RETURN(const Reply first, ReadByScript(Script::kNextDue, TeamKeys(stage), {Number(stage)}));
  if (first->elements == 0) return std::nullopt;
  RB_ASSIGN_OR_RETURN(const int64_t micros, StoredNumber(TextOf(*first->element[0]), "due time"));
  return FromMicros(micros);
}

absl::StatusOr<DueStats> RedisStore::Stats(Stage stage) {
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      Read([&](const RedisConnection& connection) {
                        std::vector<RedisCommand> calls;
                        for (int shard = 0; shard < kShards; ++shard) {
                          calls.push_back(CallOf(connection, Script::kStats, {BaseOf(shard)}, {Number(stage)}));
                        }
                        return calls;
                      }));
  DueStats stats;
  for (const Reply& reply : replies) {
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
  RB_ASSIGN_OR_RETURN(const Reply found,
                      ReadOne({page.descending ? "ZREVRANGEBYLEX" : "ZRANGEBYLEX",
                               absl::StrCat(BaseOf(index.shard), ":i:", Scoped(index.scope, index.name)),
                               page.descending ? high : low, page.descending ? low : high, "LIMIT", "0",
                               absl::StrCat(int64_t{page.limit} + 1)}));
  ScanResult result;
  for (size_t i = 0; i < found->elements; ++i) result.members.push_back(TextOf(*found->element[i]));
  result.more = result.members.size() > static_cast<size_t>(page.limit);
  if (result.more) result.members.pop_back();
  return result;
}

absl::StatusOr<ChangesResult> RedisStore::Changes(int shard, const std::string& team, int64_t since, int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  RedisCommand arguments{team};
  arguments.Add(since).Add(int64_t{limit});
  RB_ASSIGN_OR_RETURN(const Reply reply, ReadByScript(Script::kChanges, {BaseOf(shard)}, arguments));
  ChangesResult result;
  result.newest = IntOf(*reply->element[0]);
  const int64_t before = IntOf(*reply->element[1]);
  const redisReply& events = *reply->element[2];
  for (size_t i = 0; i < events.elements; ++i) {
    RB_ASSIGN_OR_RETURN(result.events.emplace_back(),
                        EventOf(team, before + 1 + static_cast<int64_t>(i), TextOf(*events.element[i])));
  }
  JudgeChanges(since, result);
  return result;
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> RedisStore::Counters(int shard, const std::string& scope,
                                                                                  const std::string& group) {
  RB_ASSIGN_OR_RETURN(const Reply found, ReadOne({"HGETALL", absl::StrCat(BaseOf(shard), ":c:", Scoped(scope, group))}));
  std::vector<std::pair<std::string, int64_t>> counters;
  for (size_t i = 0; i + 1 < found->elements; i += 2) {
    counters.emplace_back(TextOf(*found->element[i]), IntOf(*found->element[i + 1]));
  }
  std::sort(counters.begin(), counters.end());
  return counters;
}

absl::StatusOr<int> RedisStore::Sweep() {
  std::vector<RedisWrite> writes;
  for (int shard = 0; shard < kShards; ++shard) {
    RedisWrite& write = writes.emplace_back(RedisWrite{Script::kSweep, {BaseOf(shard)}, {}});
    write.arguments.Add(int64_t{kSweepMaxPerShard});
  }
  int removed = 0;
  for (const RedisAnswer& answer : committer_.Run(std::move(writes))) {
    RB_RETURN_IF_ERROR(answer.status());
    RB_ASSIGN_OR_RETURN(const int64_t count, StoredNumber(answer->at(0), "count"));
    removed += static_cast<int>(count);
  }
  return removed;
}

absl::Status RedisStore::Compact() {
  RB_ASSIGN_OR_RETURN(const RedisPool::Loan loan, pool_.Borrow(Deadline()));
  return CompactRedis(*loan.operator->(), options_);
}

absl::StatusOr<ListResult> RedisStore::List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                            int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Read([&](const RedisConnection&) {
                        RedisCommand scan{"HSCAN", RecordsKey(shard, kind), cursor.empty() ? "0" : cursor};
                        if (!prefix.empty()) scan.Add("MATCH").Add(GlobOf(prefix));
                        scan.Add("COUNT").Add(int64_t{limit});
                        return std::vector<RedisCommand>{{"TIME"}, scan};
                      }));
  const int64_t now = NowOf(*replies[0]);
  ListResult result;
  result.cursor = TextOf(*replies[1]->element[0]);
  if (result.cursor == "0") result.cursor.clear();
  const redisReply& found = *replies[1]->element[1];  // id, record, id, record, …
  for (size_t i = 0; i + 1 < found.elements; i += 2) {
    RB_ASSIGN_OR_RETURN(Record record, RecordOf({shard, kind, TextOf(*found.element[i])}, *found.element[i + 1], now));
    if (record.version != 0) result.records.push_back(std::move(record));
  }
  return result;
}

absl::Status RedisStore::Check() {
  const Steady::time_point deadline = Deadline();
  RB_ASSIGN_OR_RETURN(const RedisPool::Loan loan, pool_.Borrow(deadline));
  return CheckRedis(*loan.operator->(), options_, deadline);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenRedisStore(const RedisOptions& options) {
  if (options.replicas < 0) return absl::InvalidArgumentError("the number of replicas to wait for must not be negative");
  if (options.sentinels.has_value() && options.sentinels->addresses.empty()) {
    return absl::InvalidArgumentError("no sentinel is named");
  }
  if (options.tls.has_value()) RB_RETURN_IF_ERROR(CheckTls(*options.tls));
  auto store = std::make_unique<RedisStore>(options);
  RB_RETURN_IF_ERROR(store->Now().status());
  return store;
}

}  // namespace ringback::store
