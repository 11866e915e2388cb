#include "core/store/commit_rules.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/ids.h"

namespace ringback::store {
namespace {

constexpr int64_t kMicrosMax = int64_t{1} << 53;
constexpr size_t kCommitIdBytesMax = 64;
constexpr int64_t kDeltaMax = int64_t{1} << 61;  // several may meet in one counter

absl::Status CheckShard(int shard) {
  if (shard >= 0 && shard < kShards) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("shard ", shard, " is not within 0..", kShards - 1));
}

absl::Status OtherShard(const char* what, int shard, int commit_shard) {
  return absl::InvalidArgumentError(
      absl::StrCat("a commit touches one shard: ", what, " of shard ", shard, " in a commit to shard ", commit_shard));
}

}  // namespace

absl::Status CheckKey(const Key& key) {
  if (key.id.empty()) return absl::InvalidArgumentError("a record's id must not be empty");
  return CheckShard(key.shard);
}

absl::Status CheckDueKey(const DueKey& key) {
  if (key.team.empty()) return absl::InvalidArgumentError("a due entry's team must not be empty");
  if (key.id.empty()) return absl::InvalidArgumentError("a due entry's id must not be empty");
  return CheckShard(key.shard);
}

absl::Status CheckLeaseDuration(absl::Duration duration) {
  if (duration >= absl::Milliseconds(1)) return absl::OkStatus();
  return absl::InvalidArgumentError("a lease must last a millisecond at least");
}

absl::Status CheckClaim(const ClaimOptions& options) {
  if (options.max < 1) return absl::InvalidArgumentError("max must be 1 or more");
  if (options.team_in_flight_max < 1) return absl::InvalidArgumentError("team_in_flight_max must be 1 or more");
  return CheckLeaseDuration(options.lease);
}

absl::Status CheckPage(int limit) {
  if (limit >= 1) return absl::OkStatus();
  return absl::InvalidArgumentError("limit must be 1 or more");
}

absl::Status CheckCommit(const Commit& commit) {
  if (absl::Status status = CheckShard(commit.shard); !status.ok()) return status;
  if (commit.commit_id.empty() || commit.commit_id.size() > kCommitIdBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("commit_id must have 1 to ", kCommitIdBytesMax, " bytes"));
  }
  if (commit.lease.has_value()) {
    if (absl::Status status = CheckDueKey(commit.lease->key); !status.ok()) return status;
    if (commit.lease->key.shard != commit.shard) return OtherShard("lease", commit.lease->key.shard, commit.shard);
  }
  std::set<std::tuple<Kind, std::string_view>> records;
  for (const Put& put : commit.puts) {
    if (absl::Status status = CheckKey(put.key); !status.ok()) return status;
    if (put.key.shard != commit.shard) return OtherShard("record", put.key.shard, commit.shard);
    if (!records.emplace(put.key.kind, put.key.id).second) {
      return absl::InvalidArgumentError(absl::StrCat("record ", put.key.id, " is put twice in one commit"));
    }
  }
  std::set<std::tuple<Stage, std::string_view, std::string_view>> entries;
  for (const DueChange& change : commit.due) {
    if (absl::Status status = CheckDueKey(change.key); !status.ok()) return status;
    if (change.key.shard != commit.shard) return OtherShard("due entry", change.key.shard, commit.shard);
    if (!entries.emplace(change.key.stage, change.key.team, change.key.id).second) {
      return absl::InvalidArgumentError(absl::StrCat("due entry ", change.key.id, " is changed twice in one commit"));
    }
    if (!change.lease_id.empty() && (!change.due.has_value() || change.keep_attempts || change.reserve <= absl::ZeroDuration())) {
      return absl::InvalidArgumentError(
          absl::StrCat("due entry ", change.key.id, " can be born leased only as new work with a time to reserve it for"));
    }
  }
  for (const IndexChange& change : commit.indexes) {
    if (change.index.shard != commit.shard) return OtherShard("index", change.index.shard, commit.shard);
    if (change.index.scope.empty() || change.index.name.empty() || change.member.empty()) {
      return absl::InvalidArgumentError("an index change needs scope, name and member");
    }
  }
  for (const CounterDelta& delta : commit.counters) {
    if (delta.scope.empty() || delta.group.empty() || delta.name.empty()) {
      return absl::InvalidArgumentError("a counter needs scope, group and name");
    }
    if (delta.delta < -kDeltaMax || delta.delta > kDeltaMax) {
      return absl::InvalidArgumentError(absl::StrCat("a counter changes by at most ", kDeltaMax, " at once"));
    }
  }
  for (const Event& event : commit.events) {
    if (event.team.empty()) return absl::InvalidArgumentError("an event's team must not be empty");
  }
  return absl::OkStatus();
}

ScanRange RangeOfPage(const std::string& from, const std::string& to, const Page& page) {
  ScanRange range{from, to};
  if (page.after.empty()) return range;
  if (page.descending) {
    if (to.empty() || page.after < to) range.to = page.after;
  } else {
    range.from = std::max(from, page.after + '\0');  // the next string there can be
  }
  return range;
}

std::string NewLeaseId(Random& random) {
  char bytes[12];
  random.Fill(bytes, sizeof bytes);
  return absl::BytesToHexString(absl::string_view(bytes, sizeof bytes));
}

int64_t ToMicros(absl::Time time) { return std::clamp<int64_t>(absl::ToUnixMicros(time), 0, kMicrosMax); }

void JudgeChanges(int64_t since, ChangesResult& result) {
  const bool ahead = since > result.newest;
  const bool trimmed =
      since < result.newest && (result.events.empty() || result.events.front().revision != since + 1);
  result.complete = !ahead && !trimmed;
  if (!result.complete) result.events.clear();
}

}  // namespace ringback::store
