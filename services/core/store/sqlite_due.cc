#include "core/store/sqlite_due.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/store/commit_rules.h"

namespace ringback::store {
namespace {

struct Entry {
  int64_t due = 0;
  int64_t visible = 0;
  std::string lease;  // "" when not leased
  int attempts = 0;
};

struct DueTeam {
  TeamCursor team;
  int64_t room = 0;  // leases it may still get
};

Query& BindKey(Query& q, const DueKey& key) {
  return q.Bind(static_cast<int64_t>(key.stage)).Bind(key.shard).Bind(key.team).Bind(key.id);
}

absl::StatusOr<std::optional<Entry>> Find(SqliteDb& db, const DueKey& key) {
  Query q(db, "SELECT due, visible, lease, attempts FROM due WHERE stage = ? AND shard = ? AND team = ? AND id = ?");
  BindKey(q, key);
  std::optional<Entry> entry;
  if (q.Next()) entry = Entry{q.Int(0), q.Int(1), q.Bytes(2), static_cast<int>(q.Int(3))};
  RB_RETURN_IF_ERROR(q.status());
  return entry;
}

absl::Status Write(SqliteDb& db, const DueKey& key, const Entry& entry) {
  Query q(db,
          "INSERT INTO due(stage, shard, team, id, due, visible, attempts, lease) VALUES(?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT(stage, shard, team, id) DO UPDATE SET due = excluded.due, visible = excluded.visible, "
          "attempts = excluded.attempts, lease = excluded.lease");
  BindKey(q, key).Bind(entry.due).Bind(entry.visible).Bind(entry.attempts);
  if (entry.lease.empty()) {
    q.BindNull();
  } else {
    q.Bind(entry.lease);
  }
  return q.Run();
}

// Brings the team's row in line with its entries, of which there are `added` more now.
absl::Status SettleTeam(SqliteDb& db, Stage stage, int shard, const std::string& team, int added) {
  const auto bind = [&](Query& q) -> Query& { return q.Bind(static_cast<int64_t>(stage)).Bind(shard).Bind(team); };
  int64_t next = 0;
  {
    Query q(db, "SELECT visible FROM due WHERE stage = ? AND shard = ? AND team = ? ORDER BY visible LIMIT 1");
    const bool any = bind(q).Next();
    RB_RETURN_IF_ERROR(q.status());
    if (!any) {
      Query gone(db, "DELETE FROM due_team WHERE stage = ? AND shard = ? AND team = ?");
      return bind(gone).Run();
    }
    next = q.Int(0);
  }
  if (added == 0) {
    // Most changes leave the team's first entry as it was: then spare the write.
    Query q(db, "SELECT next FROM due_team WHERE stage = ? AND shard = ? AND team = ?");
    const bool same = bind(q).Next() && q.Int(0) == next;
    RB_RETURN_IF_ERROR(q.status());
    if (same) return absl::OkStatus();
  }
  Query q(db,
          "INSERT INTO due_team(stage, shard, team, next, entries) VALUES(?, ?, ?, ?, ?) "
          "ON CONFLICT(stage, shard, team) DO UPDATE SET next = excluded.next, entries = entries + excluded.entries");
  return bind(q).Bind(next).Bind(added).Run();
}

absl::StatusOr<Entry> Held(SqliteDb& db, const Lease& lease) {
  RB_ASSIGN_OR_RETURN(std::optional<Entry> entry, Find(db, lease.key));
  if (!entry.has_value()) return absl::AbortedError(absl::StrCat("due entry ", lease.key.id, " is gone"));
  if (lease.lease_id.empty() || entry->lease != lease.lease_id) {
    return absl::AbortedError(absl::StrCat("the lease of due entry ", lease.key.id, " is somebody else's"));
  }
  return *std::move(entry);
}

Lease TakeEntry(const DueKey& key, Entry& entry, absl::Duration lease, int64_t now, Random& random) {
  entry.lease = NewLeaseId(random);
  entry.visible = now + absl::ToInt64Microseconds(lease);
  ++entry.attempts;
  return Lease{key, entry.lease, FromMicros(entry.due), FromMicros(entry.visible), entry.attempts};
}

// The teams with something claimable, beginning behind the cursor.
absl::StatusOr<std::vector<TeamCursor>> DueTeams(SqliteDb& db, Stage stage, int64_t now, const TeamCursor& cursor) {
  constexpr size_t kTeamsMax = 1024;
  std::vector<TeamCursor> teams;
  {
    Query q(db, "SELECT shard, team FROM due_team WHERE stage = ? AND next <= ? ORDER BY next LIMIT ?");
    q.Bind(static_cast<int64_t>(stage)).Bind(now).Bind(kTeamsMax);
    while (q.Next()) teams.emplace_back(static_cast<int>(q.Int(0)), q.Bytes(1));
    RB_RETURN_IF_ERROR(q.status());
  }
  if (teams.size() < kTeamsMax) {
    std::sort(teams.begin(), teams.end());
    std::rotate(teams.begin(), std::upper_bound(teams.begin(), teams.end(), cursor), teams.end());
    return teams;
  }
  // After an outage nearly all teams may be due. Oldest first would then starve the youngest, so walk on in order: from
  // the cursor to the end, then from the beginning to the cursor. The plus keeps SQLite from sorting all of them.
  teams.clear();
  for (const bool behind_cursor : {true, false}) {
    Query q(db,
            behind_cursor ? "SELECT shard, team FROM due_team WHERE stage = ? AND (shard, team) > (?, ?) AND +next <= ? "
                            "ORDER BY shard, team LIMIT ?"
                          : "SELECT shard, team FROM due_team WHERE stage = ? AND (shard, team) <= (?, ?) AND +next <= ? "
                            "ORDER BY shard, team LIMIT ?");
    q.Bind(static_cast<int64_t>(stage)).Bind(cursor.first).Bind(cursor.second).Bind(now);
    q.Bind(static_cast<int64_t>(kTeamsMax - teams.size()));
    while (q.Next()) teams.emplace_back(static_cast<int>(q.Int(0)), q.Bytes(1));
    RB_RETURN_IF_ERROR(q.status());
  }
  return teams;
}

absl::StatusOr<int64_t> CountLeased(SqliteDb& db, Stage stage, const TeamCursor& team, int64_t now) {
  Query q(db,
          "SELECT COUNT(*) FROM due INDEXED BY due_leased "
          "WHERE stage = ? AND shard = ? AND team = ? AND lease IS NOT NULL AND visible > ?");
  q.Bind(static_cast<int64_t>(stage)).Bind(team.first).Bind(team.second).Bind(now);
  const int64_t count = q.Next() ? q.Int(0) : 0;
  RB_RETURN_IF_ERROR(q.status());
  return count;
}

// Leases up to `max` of the team's claimable entries.
absl::Status ClaimFromTeam(SqliteDb& db, Stage stage, const TeamCursor& team, int64_t max, const ClaimOptions& options,
                           int64_t now, Random& random, std::vector<Lease>& leases) {
  std::vector<std::string> ids;
  {
    Query q(db, "SELECT id FROM due WHERE stage = ? AND shard = ? AND team = ? AND visible <= ? ORDER BY visible LIMIT ?");
    q.Bind(static_cast<int64_t>(stage)).Bind(team.first).Bind(team.second).Bind(now).Bind(max);
    while (q.Next()) ids.push_back(q.Bytes(0));
    RB_RETURN_IF_ERROR(q.status());
  }
  for (std::string& id : ids) {
    const DueKey key{stage, team.first, team.second, std::move(id)};
    RB_ASSIGN_OR_RETURN(std::optional<Entry> entry, Find(db, key));
    leases.push_back(TakeEntry(key, *entry, options.lease, now, random));
    RB_RETURN_IF_ERROR(Write(db, key, *entry));
  }
  return ids.empty() ? absl::OkStatus() : SettleTeam(db, stage, team.first, team.second, 0);
}

}  // namespace

absl::Status WriteDue(SqliteDb& db, const DueChange& change, int64_t now) {
  const DueKey& key = change.key;
  RB_ASSIGN_OR_RETURN(const std::optional<Entry> before, Find(db, key));
  if (!change.due.has_value()) {
    if (!before.has_value()) return absl::OkStatus();
    Query q(db, "DELETE FROM due WHERE stage = ? AND shard = ? AND team = ? AND id = ?");
    RB_RETURN_IF_ERROR(BindKey(q, key).Run());
    return SettleTeam(db, key.stage, key.shard, key.team, -1);
  }
  Entry entry;
  entry.due = ToMicros(*change.due);
  entry.visible = entry.due;
  if (change.reserve > absl::ZeroDuration()) {
    entry.visible = std::max(entry.due, now + absl::ToInt64Microseconds(change.reserve));
  }
  if (change.keep_attempts && before.has_value()) entry.attempts = before->attempts;
  if (!change.lease_id.empty() && entry.due <= now) {
    entry.lease = change.lease_id;
    ++entry.attempts;
  }
  RB_RETURN_IF_ERROR(Write(db, key, entry));
  return SettleTeam(db, key.stage, key.shard, key.team, before.has_value() ? 0 : 1);
}

absl::Status CheckFence(SqliteDb& db, const Lease& lease) { return Held(db, lease).status(); }

absl::StatusOr<std::vector<Lease>> ClaimDueEntries(SqliteDb& db, Stage stage, const ClaimOptions& options, int64_t now,
                                                   TeamCursor& cursor, Random& random) {
  std::vector<Lease> leases;
  RB_ASSIGN_OR_RETURN(const std::vector<TeamCursor> due, DueTeams(db, stage, now, cursor));
  std::vector<DueTeam> teams;
  for (const TeamCursor& team : due) {
    RB_ASSIGN_OR_RETURN(const int64_t leased, CountLeased(db, stage, team, now));
    if (leased < options.team_in_flight_max) teams.push_back({team, options.team_in_flight_max - leased});
    if (teams.size() >= static_cast<size_t>(options.max)) break;
  }
  // In rounds of equal shares, until all is dealt or nobody has more.
  while (!teams.empty() && leases.size() < static_cast<size_t>(options.max)) {
    const int64_t left = options.max - static_cast<int64_t>(leases.size());
    const int64_t share = std::max<int64_t>(1, left / static_cast<int64_t>(teams.size()));
    std::vector<DueTeam> more;
    for (DueTeam& team : teams) {
      const int64_t want = std::min({share, team.room, options.max - static_cast<int64_t>(leases.size())});
      if (want == 0) break;
      const size_t before = leases.size();
      RB_RETURN_IF_ERROR(ClaimFromTeam(db, stage, team.team, want, options, now, random, leases));
      const int64_t got = static_cast<int64_t>(leases.size() - before);
      if (got > 0) cursor = team.team;
      team.room -= got;
      if (got == want && team.room > 0) more.push_back(team);
    }
    teams = std::move(more);
  }
  return leases;
}

absl::StatusOr<Lease> ClaimEntry(SqliteDb& db, const DueKey& key, absl::Duration lease, int64_t now, Random& random) {
  RB_ASSIGN_OR_RETURN(std::optional<Entry> entry, Find(db, key));
  if (!entry.has_value()) return absl::NotFoundError(absl::StrCat("no due entry ", key.id));
  if (entry->due > now) return absl::NotFoundError(absl::StrCat("due entry ", key.id, " is not due yet"));
  if (!entry->lease.empty() && entry->visible > now) {
    return absl::NotFoundError(absl::StrCat("due entry ", key.id, " is leased"));
  }
  Lease taken = TakeEntry(key, *entry, lease, now, random);
  RB_RETURN_IF_ERROR(Write(db, key, *entry));
  RB_RETURN_IF_ERROR(SettleTeam(db, key.stage, key.shard, key.team, 0));
  return taken;
}

absl::StatusOr<Lease> ExtendLease(SqliteDb& db, const Lease& lease, absl::Duration duration, int64_t now) {
  RB_ASSIGN_OR_RETURN(Entry entry, Held(db, lease));
  entry.visible = now + absl::ToInt64Microseconds(duration);
  RB_RETURN_IF_ERROR(Write(db, lease.key, entry));
  RB_RETURN_IF_ERROR(SettleTeam(db, lease.key.stage, lease.key.shard, lease.key.team, 0));
  Lease longer = lease;
  longer.expires = FromMicros(entry.visible);
  return longer;
}

absl::Status ReleaseLease(SqliteDb& db, const Lease& lease, std::optional<absl::Time> due, bool uncount) {
  RB_ASSIGN_OR_RETURN(Entry entry, Held(db, lease));
  if (due.has_value()) entry.due = ToMicros(*due);
  entry.visible = entry.due;
  entry.lease.clear();
  if (uncount) entry.attempts = std::max(0, entry.attempts - 1);
  RB_RETURN_IF_ERROR(Write(db, lease.key, entry));
  return SettleTeam(db, lease.key.stage, lease.key.shard, lease.key.team, 0);
}

absl::StatusOr<std::optional<absl::Time>> NextVisible(SqliteDb& db, Stage stage) {
  Query q(db, "SELECT next FROM due_team WHERE stage = ? ORDER BY next LIMIT 1");
  q.Bind(static_cast<int64_t>(stage));
  std::optional<absl::Time> next;
  if (q.Next()) next = FromMicros(q.Int(0));
  RB_RETURN_IF_ERROR(q.status());
  return next;
}

absl::StatusOr<DueStats> CountDue(SqliteDb& db, Stage stage, int64_t now) {
  DueStats stats;
  int64_t entries = 0;
  {
    Query q(db, "SELECT TOTAL(entries) FROM due_team WHERE stage = ?");
    q.Bind(static_cast<int64_t>(stage));
    if (q.Next()) entries = q.Int(0);
    RB_RETURN_IF_ERROR(q.status());
  }
  {
    // Team by team over the covering index: the future entries of a team are never looked at.
    Query q(db,
            "SELECT COUNT(*), MIN(due.due) FROM due_team CROSS JOIN due INDEXED BY due_visible "
            "ON due.stage = due_team.stage AND due.shard = due_team.shard AND due.team = due_team.team "
            "AND due.visible <= ?2 WHERE due_team.stage = ?1 AND due_team.next <= ?2");
    q.Bind(static_cast<int64_t>(stage)).Bind(now);
    if (q.Next()) {
      stats.waiting = q.Int(0);
      if (stats.waiting > 0) stats.oldest_age = absl::Microseconds(now - q.Int(1));
    }
    RB_RETURN_IF_ERROR(q.status());
  }
  {
    Query q(db, "SELECT COUNT(*) FROM due INDEXED BY due_leased WHERE stage = ? AND lease IS NOT NULL AND visible > ?");
    q.Bind(static_cast<int64_t>(stage)).Bind(now);
    if (q.Next()) stats.leased = q.Int(0);
    RB_RETURN_IF_ERROR(q.status());
  }
  stats.future = entries - stats.waiting - stats.leased;
  return stats;
}

}  // namespace ringback::store
