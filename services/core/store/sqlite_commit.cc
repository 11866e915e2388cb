#include "core/store/sqlite_commit.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/store/commit_rules.h"
#include "core/store/sqlite_due.h"

namespace ringback::store {
namespace {

// The versions the puts will write, in their order; ABORTED when one finds another version than it expects.
absl::StatusOr<std::vector<int64_t>> NextVersions(SqliteDb& db, const Commit& commit, int64_t now) {
  std::vector<int64_t> versions;
  for (const Put& put : commit.puts) {
    Query q(db, "SELECT version, expires FROM record WHERE shard = ? AND kind = ? AND id = ?");
    q.Bind(put.key.shard).Bind(static_cast<int64_t>(put.key.kind)).Bind(put.key.id);
    const bool alive = q.Next() && (q.IsNull(1) || q.Int(1) > now);
    RB_RETURN_IF_ERROR(q.status());
    const int64_t version = alive ? q.Int(0) : 0;
    if (!put.any_version && version != static_cast<int64_t>(put.expected_version)) {
      return absl::AbortedError(absl::StrCat("record ", put.key.id, " has version ", version, ", not ",
                                             put.expected_version));
    }
    versions.push_back(version + 1);
  }
  return versions;
}

absl::Status WriteRecord(SqliteDb& db, const Put& put, int64_t version) {
  if (!put.value.has_value()) {
    Query q(db, "DELETE FROM record WHERE shard = ? AND kind = ? AND id = ?");
    return q.Bind(put.key.shard).Bind(static_cast<int64_t>(put.key.kind)).Bind(put.key.id).Run();
  }
  Query q(db,
          "INSERT INTO record(shard, kind, id, version, expires, value) VALUES(?, ?, ?, ?, ?, ?) "
          "ON CONFLICT(shard, kind, id) DO UPDATE SET version = excluded.version, expires = excluded.expires, "
          "value = excluded.value");
  q.Bind(put.key.shard).Bind(static_cast<int64_t>(put.key.kind)).Bind(put.key.id).Bind(version);
  if (put.expires.has_value()) {
    q.Bind(ToMicros(*put.expires));
  } else {
    q.BindNull();
  }
  return q.Bind(*put.value).Run();
}

absl::Status WriteIndex(SqliteDb& db, const IndexChange& change) {
  Query q(db, change.remove ? "DELETE FROM entry WHERE shard = ? AND scope = ? AND name = ? AND member = ?"
                            : "INSERT OR IGNORE INTO entry(shard, scope, name, member) VALUES(?, ?, ?, ?)");
  return q.Bind(change.index.shard).Bind(change.index.scope).Bind(change.index.name).Bind(change.member).Run();
}

absl::Status WriteCounter(SqliteDb& db, int shard, const CounterDelta& delta) {
  Query q(db,
          "INSERT INTO counter(shard, scope, team_week, name, value) VALUES(?, ?, ?, ?, ?) "
          "ON CONFLICT(shard, scope, team_week, name) DO UPDATE SET value = value + excluded.value");
  return q.Bind(shard).Bind(delta.scope).Bind(delta.group).Bind(delta.name).Bind(delta.delta).Run();
}

absl::Status WriteEvent(SqliteDb& db, int shard, const Event& event, int64_t now) {
  int64_t revision = 1;
  {
    Query q(db, "SELECT revision FROM event WHERE shard = ? AND team = ? ORDER BY revision DESC LIMIT 1");
    q.Bind(shard).Bind(event.team);
    if (q.Next()) revision = q.Int(0) + 1;
    RB_RETURN_IF_ERROR(q.status());
  }
  {
    Query q(db, "INSERT INTO event(shard, team, revision, time, subject, value) VALUES(?, ?, ?, ?, ?, ?)");
    q.Bind(shard).Bind(event.team).Bind(revision).Bind(now).Bind(event.subject).Bind(event.value);
    RB_RETURN_IF_ERROR(q.Run());
  }
  constexpr int kTrimEvery = 100;
  if (revision % kTrimEvery != 0) return absl::OkStatus();
  Query q(db, "DELETE FROM event WHERE shard = ? AND team = ? AND revision <= ?");
  return q.Bind(shard).Bind(event.team).Bind(revision - kEventsKept).Run();
}

absl::Status WriteAll(SqliteDb& db, const Commit& commit, const std::vector<int64_t>& versions, int64_t now) {
  {
    Query q(db, "INSERT INTO done(shard, id, time) VALUES(?, ?, ?)");
    RB_RETURN_IF_ERROR(q.Bind(commit.shard).Bind(commit.commit_id).Bind(now).Run());
  }
  for (size_t i = 0; i < commit.puts.size(); ++i) RB_RETURN_IF_ERROR(WriteRecord(db, commit.puts[i], versions[i]));
  for (const DueChange& change : commit.due) RB_RETURN_IF_ERROR(WriteDue(db, change, now));
  for (const IndexChange& change : commit.indexes) RB_RETURN_IF_ERROR(WriteIndex(db, change));
  for (const CounterDelta& delta : commit.counters) RB_RETURN_IF_ERROR(WriteCounter(db, commit.shard, delta));
  for (const Event& event : commit.events) RB_RETURN_IF_ERROR(WriteEvent(db, commit.shard, event, now));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CommitResult> ApplyCommit(SqliteDb& db, const Commit& commit, absl::Time now) {
  {
    Query q(db, "SELECT time FROM done WHERE shard = ? AND id = ?");
    q.Bind(commit.shard).Bind(commit.commit_id);
    if (q.Next()) return CommitResult{FromMicros(q.Int(0)), /*repeated=*/true};
    RB_RETURN_IF_ERROR(q.status());
  }
  if (commit.lease.has_value()) RB_RETURN_IF_ERROR(CheckFence(db, *commit.lease));
  const int64_t micros = ToMicros(now);
  RB_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, NextVersions(db, commit, micros));
  RB_RETURN_IF_ERROR(WriteAll(db, commit, versions, micros));
  return CommitResult{FromMicros(micros), /*repeated=*/false};
}

}  // namespace ringback::store
