#include "core/store/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"
#include "core/store/commit_rules.h"
#include "core/store/sqlite_commit.h"
#include "core/store/sqlite_due.h"
#include "core/store/sqlite_readers.h"
#include "core/store/sqlite_schema.h"
#include "core/store/sqlite_scrub.h"
#include "core/store/sqlite_writer.h"

namespace ringback::store {
namespace {

// Remembered commits outlive the hour the contract promises, so that a test's jump of an hour does not drop them.
constexpr absl::Duration kCommitsKept = absl::Hours(2);
constexpr int kSweepMax = 1000;
// More than any store commits between a backup and its loss.
constexpr int64_t kRevisionsLost = int64_t{1} << 32;

// A read of several statements that must see one state.
class Snapshot {
 public:
  explicit Snapshot(SqliteDb& db) : db_(db), status_(Query(db, "BEGIN").Run()) {}
  ~Snapshot() {
    if (db_.in_transaction()) Query(db_, "COMMIT").Run().IgnoreError();
  }
  const absl::Status& status() const { return status_; }

 private:
  SqliteDb& db_;
  const absl::Status status_;
};

class SqliteStore : public Store {
 public:
  SqliteStore(const SqliteOptions& options, std::unique_ptr<SqliteDb> writer)
      : path_(options.path),
        clock_(*options.clock),
        random_(*options.random),
        readers_(options.path, options.busy_timeout, options.readers_max),
        writer_(std::move(writer)) {}

  absl::StatusOr<absl::Time> Now() override { return FromMicros(NowMicros()); }

  absl::StatusOr<Record> Get(const Key& key) override {
    RB_ASSIGN_OR_RETURN(std::vector<Record> records, GetMany({key}));
    if (records.front().version == 0) return absl::NotFoundError(absl::StrCat("no record ", key.id));
    return std::move(records.front());
  }

  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override {
    RB_ASSIGN_OR_RETURN(Reading reading, ReadNow(keys));
    return std::move(reading.records);
  }

  absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) override {
    for (const Key& key : keys) RB_RETURN_IF_ERROR(CheckKey(key));
    RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
    std::optional<Snapshot> snapshot;  // one statement alone sees one state anyhow
    if (keys.size() > 1) snapshot.emplace(*db);
    if (snapshot.has_value()) RB_RETURN_IF_ERROR(snapshot->status());
    const int64_t now = NowMicros();
    Reading reading{FromMicros(now), {}};
    for (const Key& key : keys) {
      Query q(*db,
              "SELECT version, value FROM record WHERE shard = ? AND kind = ? AND id = ? "
              "AND (expires IS NULL OR expires > ?)");
      q.Bind(key.shard).Bind(static_cast<int64_t>(key.kind)).Bind(key.id).Bind(now);
      Record record{key};
      if (q.Next()) {
        record.version = static_cast<uint64_t>(q.Int(0));
        record.value = q.Bytes(1);
      }
      RB_RETURN_IF_ERROR(q.status());
      reading.records.push_back(std::move(record));
    }
    return reading;
  }

  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override { return CommitAll({commit}).front(); }

  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override {
    std::vector<absl::StatusOr<CommitResult>> results(commits.size(), absl::StatusOr<CommitResult>(CommitResult()));
    std::vector<SqliteWriter::Part> parts;
    for (size_t i = 0; i < commits.size(); ++i) {
      parts.push_back([this, &commit = commits[i], &result = results[i]](SqliteDb& db) {
        const absl::Status check = CheckCommit(commit);
        result = check.ok() ? ApplyCommit(db, commit, clock_.Now()) : check;
        return result.status();
      });
    }
    const std::vector<absl::Status> statuses = writer_.RunAll(std::move(parts));
    for (size_t i = 0; i < commits.size(); ++i) {
      if (!statuses[i].ok()) results[i] = statuses[i];
    }
    return results;
  }

  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) override {
    RB_RETURN_IF_ERROR(CheckClaim(options));
    // A poll that finds nothing must cost the writer nothing.
    RB_ASSIGN_OR_RETURN(const std::optional<absl::Time> next, NextDue(stage));
    if (!next.has_value() || ToMicros(*next) > NowMicros()) return std::vector<Lease>();
    return Written<std::vector<Lease>>([this, stage, &options](SqliteDb& db) {
      // cursors_ belongs to the writer's thread.
      return ClaimDueEntries(db, stage, options, NowMicros(), cursors_[stage], random_);
    });
  }

  absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) override {
    RB_RETURN_IF_ERROR(CheckDueKey(key));
    RB_RETURN_IF_ERROR(CheckLeaseDuration(lease));
    return Written<Lease>([&](SqliteDb& db) { return ClaimEntry(db, key, lease, NowMicros(), random_); });
  }

  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override {
    RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
    RB_RETURN_IF_ERROR(CheckLeaseDuration(duration));
    return Written<Lease>([&](SqliteDb& db) { return ExtendLease(db, lease, duration, NowMicros()); });
  }

  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    RB_RETURN_IF_ERROR(CheckDueKey(lease.key));
    return writer_.Run([&](SqliteDb& db) { return ReleaseLease(db, lease, due, uncount); });
  }

  absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) override {
    RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
    return NextVisible(*db, stage);
  }

  absl::StatusOr<DueStats> Stats(Stage stage) override {
    RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
    const Snapshot snapshot(*db);
    RB_RETURN_IF_ERROR(snapshot.status());
    return CountDue(*db, stage, NowMicros());
  }

  absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                  const Page& page) override;
  absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) override;
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Counters(int shard, const std::string& scope,
                                                                        const std::string& group) override;
  absl::StatusOr<int> Sweep() override;
  absl::Status Compact() override;
  absl::StatusOr<ListResult> List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                  int limit) override;

  absl::Status Check() override {
    // A real write: only that proves room, permissions and a living disk.
    return writer_.Run([this](SqliteDb& db) {
      Query q(db, "INSERT OR REPLACE INTO meta(name, value) VALUES('checked', ?)");
      return q.Bind(NowMicros()).Run();
    });
  }

 private:
  int64_t NowMicros() { return ToMicros(clock_.Now()); }

  // Runs `body`, which returns a StatusOr<T>, in the writer's transaction and hands its value out.
  template <typename T, typename Body>
  absl::StatusOr<T> Written(Body body) {
    std::optional<T> value;
    RB_RETURN_IF_ERROR(writer_.Run([&](SqliteDb& db) {
      absl::StatusOr<T> result = body(db);
      if (result.ok()) value = *std::move(result);
      return result.status();
    }));
    return *std::move(value);
  }

  const std::string path_;
  Clock& clock_;
  Random& random_;
  SqliteReaders readers_;
  std::map<Stage, TeamCursor> cursors_;  // the writer's thread alone
  SqliteWriter writer_;                  // last: its thread uses the rest
};

absl::StatusOr<ScanResult> SqliteStore::Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                             const Page& page) {
  RB_RETURN_IF_ERROR(CheckPage(page.limit));
  RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
  const ScanRange range = RangeOfPage(from, to, page);
  const bool ends = !range.to.empty();
  // A literal each, so that every way walks the primary key and reads no member in vain.
  constexpr const char* kQueries[2][2] = {
      {"SELECT member FROM entry WHERE shard = ? AND scope = ? AND name = ? AND member >= ? ORDER BY member LIMIT ?",
       "SELECT member FROM entry WHERE shard = ? AND scope = ? AND name = ? AND member >= ? AND member < ? "
       "ORDER BY member LIMIT ?"},
      {"SELECT member FROM entry WHERE shard = ? AND scope = ? AND name = ? AND member >= ? ORDER BY member DESC LIMIT ?",
       "SELECT member FROM entry WHERE shard = ? AND scope = ? AND name = ? AND member >= ? AND member < ? "
       "ORDER BY member DESC LIMIT ?"}};
  Query q(*db, kQueries[page.descending][ends]);
  q.Bind(index.shard).Bind(index.scope).Bind(index.name).Bind(range.from);
  if (ends) q.Bind(range.to);
  q.Bind(int64_t{page.limit} + 1);
  ScanResult result;
  while (q.Next()) result.members.push_back(q.Bytes(0));
  RB_RETURN_IF_ERROR(q.status());
  result.more = result.members.size() > static_cast<size_t>(page.limit);
  if (result.more) result.members.pop_back();
  return result;
}

absl::StatusOr<ChangesResult> SqliteStore::Changes(int shard, const std::string& team, int64_t since, int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
  const Snapshot snapshot(*db);
  RB_RETURN_IF_ERROR(snapshot.status());
  ChangesResult result;
  {
    Query q(*db, "SELECT revision FROM event WHERE shard = ? AND team = ? ORDER BY revision DESC LIMIT 1");
    q.Bind(shard).Bind(team);
    if (q.Next()) result.newest = q.Int(0);
    RB_RETURN_IF_ERROR(q.status());
  }
  Query q(*db,
          "SELECT revision, time, subject, value FROM event WHERE shard = ? AND team = ? AND revision > ? "
          "ORDER BY revision LIMIT ?");
  q.Bind(shard).Bind(team).Bind(since).Bind(limit);
  while (q.Next()) {
    result.events.push_back({q.Int(0), FromMicros(q.Int(1)), Event{team, q.Bytes(2), q.Bytes(3)}});
  }
  RB_RETURN_IF_ERROR(q.status());
  JudgeChanges(since, result);
  return result;
}

absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> SqliteStore::Counters(int shard, const std::string& scope,
                                                                                   const std::string& group) {
  RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
  Query q(*db, "SELECT name, value FROM counter WHERE shard = ? AND scope = ? AND team_week = ? ORDER BY name");
  q.Bind(shard).Bind(scope).Bind(group);
  std::vector<std::pair<std::string, int64_t>> counters;
  while (q.Next()) counters.emplace_back(q.Bytes(0), q.Int(1));
  RB_RETURN_IF_ERROR(q.status());
  return counters;
}

absl::StatusOr<int> SqliteStore::Sweep() {
  RB_ASSIGN_OR_RETURN(const int removed, Written<int>([this](SqliteDb& db) -> absl::StatusOr<int> {
    const int64_t now = NowMicros();
    Query records(db, "DELETE FROM record WHERE n IN (SELECT n FROM record WHERE expires <= ? LIMIT ?)");
    RB_RETURN_IF_ERROR(records.Bind(now).Bind(kSweepMax).Run());
    const int expired = db.changes();
    Query commits(db, "DELETE FROM done WHERE n IN (SELECT n FROM done ORDER BY n LIMIT ?2) AND time < ?1");
    RB_RETURN_IF_ERROR(commits.Bind(now - absl::ToInt64Microseconds(kCommitsKept)).Bind(kSweepMax).Run());
    return expired + db.changes();
  }));
  return removed;
}

absl::Status SqliteStore::Compact() {
  return writer_.RunAlone([this](SqliteDb& db) { return ScrubFile(db, path_); });
}

absl::StatusOr<ListResult> SqliteStore::List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                             int limit) {
  RB_RETURN_IF_ERROR(CheckPage(limit));
  RB_ASSIGN_OR_RETURN(const SqliteReaders::Loan db, readers_.Borrow());
  Query q(*db,
          "SELECT id, version, value FROM record WHERE shard = ? AND kind = ? AND id >= ? AND id > ? "
          "AND (expires IS NULL OR expires > ?) ORDER BY id LIMIT ?");
  q.Bind(shard).Bind(static_cast<int64_t>(kind)).Bind(prefix).Bind(cursor).Bind(NowMicros()).Bind(limit);
  ListResult result;
  while (q.Next()) {
    std::string id = q.Bytes(0);
    if (!absl::StartsWith(id, prefix)) break;
    result.records.push_back({Key{shard, kind, std::move(id)}, static_cast<uint64_t>(q.Int(1)), q.Bytes(2)});
  }
  RB_RETURN_IF_ERROR(q.status());
  if (result.records.size() == static_cast<size_t>(limit)) result.cursor = result.records.back().key.id;
  return result;
}

absl::Status SyncPath(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) close(fd);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat("cannot sync ", path, ": ", std::strerror(error)));
}

absl::Status CopyInto(const std::string& path, const std::string& part) {
  RB_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDb> db, SqliteDb::Open(path, std::chrono::seconds(5)));
  db->LeaveLogOnClose();
  // VACUUM INTO reads one state, whatever is committed meanwhile, and fills the empty file it is given.
  Query q(*db, "VACUUM INTO ?");
  q.BindText(part);
  RB_RETURN_IF_ERROR(q.Run());
  return SyncPath(part, O_RDONLY);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteOptions& options) {
  RB_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDb> writer,
                      OpenWriter(options.path, options.busy_timeout, options.full_check_bytes_max));
  return std::make_unique<SqliteStore>(options, std::move(writer));
}

absl::Status BackupSqliteStore(const std::string& path, const std::string& copy) {
  struct stat found;
  if (stat(copy.c_str(), &found) == 0) return absl::AlreadyExistsError(absl::StrCat(copy, " is there already"));
  if (stat(path.c_str(), &found) != 0) return absl::NotFoundError(absl::StrCat("no database at ", path));
  const std::string part = copy + ".part";
  unlink(part.c_str());
  // Made here, so that nobody but the owner can read it.
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("cannot write ", part, ": ", std::strerror(errno)));
  close(fd);
  absl::Status status = CopyInto(path, part);
  if (status.ok() && rename(part.c_str(), copy.c_str()) != 0) {
    status = absl::UnavailableError(absl::StrCat("cannot rename ", part, ": ", std::strerror(errno)));
  }
  if (!status.ok()) {
    unlink(part.c_str());
    return status;
  }
  return SyncFolderOf(copy);
}

absl::Status MoveRevisionsOn(const std::string& path) {
  RB_ASSIGN_OR_RETURN(const std::unique_ptr<SqliteDb> db, SqliteDb::Open(path, std::chrono::seconds(5)));
  static_assert(kEventsKept < kRevisionsLost / 2, "numbers must not meet on their way");
  Query q(*db, "UPDATE event SET revision = revision + ?");
  return q.Bind(kRevisionsLost).Run();
}

}  // namespace ringback::store
