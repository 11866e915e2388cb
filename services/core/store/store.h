// The store: the only truth of ringback. This header is the whole contract; redis_store.h and sqlite_store.h keep it,
// and store_conformance.h holds both to it. Values are opaque bytes here: what a record means belongs to domain, what
// its bytes are to the protos (ringback.store.v1).
//
// Calls block, are thread-safe, and run on runtime's pool: never on a gRPC reactor or an io_context.
//
// Errors, the same from both stores:
//   NOT_FOUND           Get of a record that is not there (or has expired).
//   ABORTED             Commit: a version differs, or the lease is no longer the caller's. Nothing was written. Load
//                       afresh and decide again; never repeat an effect, apply its outcome to the fresh record.
//   RESOURCE_EXHAUSTED  Disk or memory of the store is full. Nothing was written; works again once there is room. Claims,
//                       and commits of claimed work, may still succeed. (A full disk ends a Redis that syncs always:
//                       then UNAVAILABLE.)
//   UNAVAILABLE         The store cannot be reached, or could not promise durability. The outcome of a Commit is then
//                       unknown: repeat it with the same commit_id.
//   INVALID_ARGUMENT    A bug of the caller (a commit that touches two shards, an empty key).
//   DATA_LOSS           The store's file is damaged.
//
// Times are kept in whole microseconds, rounded down, and clamped to the years 1970 to 2255.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::store {

// What a record is. The number is part of the stored key and never changes.
enum class Kind : uint8_t {
  kTeam = 1,         // id: team
  kContact = 2,      // id: contact
  kCallback = 3,     // id: callback; the aggregate
  kHistoryPage = 4,  // id: callback + "." + page number
  kRecording = 5,    // id: recording
  kDelivery = 6,     // id: delivery
  kToken = 7,        // id: shard in clear + SHA-256 of the secret
  kSession = 8,      // id: shard in clear + SHA-256 of the secret
  kRequest = 9,      // id: team + "." + SHA-256 of principal and request_id; expires after 7 days
  kTombstone = 10,   // id: what was erased or is being erased, until its blobs are gone
  kAnswer = 11,      // id: answer
  kSignIn = 12,      // id: member
  kMailbox = 13,     // id: team + "." + SHA-256 of the mailbox's name
  kBusy = 14,        // id: member
  kDiary = 15,       // id: member; changes with every time of theirs that a customer takes
};

// A record's address. `shard` is the team's; records of one team share it, so one commit can hold them all.
struct Key {
  int shard = 0;
  Kind kind = Kind::kTeam;
  std::string id;
  friend bool operator==(const Key&, const Key&) = default;
};

struct Record {
  Key key;
  uint64_t version = 0;  // 1 for the first write, then one more with each.
  std::string value;
};

// What was read, and the store's time at which it was.
struct Reading {
  absl::Time now;
  std::vector<Record> records;
};

// Where an entry waits. The number is part of the stored key and never changes.
enum class Stage : uint8_t {
  kTranscode = 1,  // due now; id: recording
  kDelivery = 2,   // due now, or when the back-off ends; id: delivery
  kPromise = 3,    // due at the callback's next timer; id: callback; one entry per callback, never one per timer
  kRetention = 4,  // due at the purge date; id: what is to be purged
  kMailbox = 5,    // due when the mailbox is to be read again; id: as its record's
  kBusy = 6,       // due when the calendar subscription is to be fetched again; id: member
};

// One waiting entry in a due set.
struct DueKey {
  Stage stage = Stage::kTranscode;
  int shard = 0;
  std::string team;  // fairness is between teams
  std::string id;    // unique in (stage, team)
  friend bool operator==(const DueKey&, const DueKey&) = default;
};

// Puts, moves or removes one due entry.
struct DueChange {
  DueKey key;
  std::optional<absl::Time> due;  // nullopt removes the entry, leased or not.
  // Keep the count of attempts (a retry) instead of starting at 0 (new work).
  bool keep_attempts = false;
  // Above zero: the entry is born reserved for this long. ClaimDue passes it over, Claim by key takes it at once: the
  // fast path of the hand-off. When the time is over anybody may take it.
  absl::Duration reserve = absl::ZeroDuration();
  // With `reserve`: an entry that is due is born leased under this id, which nobody may ever have used, its attempt counted
  // as if claimed: whoever is told of it (BornLease) has it. For the fast path of the hand-off, which saves the claim.
  std::string lease_id = {};
  // Not stored: travels with the hand-off, so that the worker need not fetch it. Stores ignore it.
  std::shared_ptr<const std::string> payload = nullptr;
};

// A claimed entry. Whoever holds the newest lease of an entry may commit with it, even if it ran out in the meantime and
// nobody else came; the moment another claims, the older lease is worth nothing.
struct Lease {
  DueKey key;
  std::string lease_id;
  absl::Time due;       // when the entry was due, however often it was claimed since
  absl::Time expires;   // others may take it from then on
  int attempts = 0;     // this claim included; counted when claimed, so a worker's death counts too
};

// The lease of an entry that was born leased at `committed`, the commit's time, and had not kept its attempts.
inline Lease BornLease(const DueChange& change, absl::Time committed) {
  return {change.key, change.lease_id, *change.due, committed + change.reserve, /*attempts=*/1};
}

struct Put {
  Key key;
  // The version that must be there now; 0: the record must not be there.
  uint64_t expected_version = 0;
  std::optional<std::string> value;    // nullopt deletes.
  std::optional<absl::Time> expires;   // gone from every read from then on, from disk within a day.
  bool any_version = false;            // Blind write: expected_version is not looked at.
};

// An ordered set of short strings per scope (a team's id, or "*" for the shard). Members are "sort key" + '\x1f' + id by
// convention; order is by bytes.
struct IndexKey {
  int shard = 0;
  std::string scope;
  std::string name;
};
struct IndexChange {
  IndexKey index;
  std::string member;
  bool remove = false;
};

// Adds `delta` to the counter (scope, group, name), which starts at 0: commutative, so no version. A group is a TeamWeek.
struct CounterDelta {
  std::string scope;
  std::string group;
  std::string name;
  int64_t delta = 0;
};

// What changed, for viewers and watches. The store gives each event its team's next revision.
struct Event {
  std::string team;
  std::string subject;  // the id of the callback (or other record) that changed
  std::string value;    // opaque bytes, at most a few hundred
};
struct StoredEvent {
  int64_t revision = 0;  // 1, 2, 3, … per team, without gaps
  absl::Time time;
  Event event;
};
struct ChangesResult {
  std::vector<StoredEvent> events;
  int64_t newest = 0;     // the team's newest revision
  bool complete = true;   // false: older events were trimmed away; list everything and go on from `newest`.
};
// A team's event log keeps at least this many newest events.
inline constexpr int kEventsKept = 10000;

struct Commit {
  int shard = 0;  // of everything below
  // Unique per logical commit, at most 64 bytes. Remembered for at least an hour beside the data: committing the same id
  // again returns OK with the first result and changes nothing.
  std::string commit_id;
  std::optional<Lease> lease;  // fence: ABORTED unless it is still the entry's newest. Does not end the lease by itself.
  std::vector<Put> puts;
  std::vector<DueChange> due;
  std::vector<IndexChange> indexes;
  std::vector<CounterDelta> counters;
  std::vector<Event> events;
};
struct CommitResult {
  absl::Time time;         // the store's, when it was committed
  bool repeated = false;   // this commit_id had been committed before
};

struct ClaimOptions {
  int max = 1;
  absl::Duration lease = absl::Seconds(30);
  int team_in_flight_max = 64;  // of one team over all claimers, per stage
};

struct Page {
  std::string after;  // exclusive: the last member of the previous page; "" from the start of the range
  int limit = 100;
  bool descending = false;
};
struct ScanResult {
  std::vector<std::string> members;
  bool more = false;
};

struct ListResult {
  std::vector<Record> records;
  std::string cursor;  // where the next page begins; "" behind the last
};

struct DueStats {
  int64_t waiting = 0;   // claimable now (an entry whose lease ran out counts here again)
  int64_t leased = 0;
  int64_t future = 0;    // due later, or still reserved
  absl::Duration oldest_age = absl::ZeroDuration();  // of the oldest entry due and not leased
};

class Store {
 public:
  virtual ~Store() = default;

  // The store's clock: it alone rules leases and due times.
  virtual absl::StatusOr<absl::Time> Now() = 0;

  virtual absl::StatusOr<Record> Get(const Key& key) = 0;
  // In the keys' order; a record that is not there has version 0. Any shards; those of one shard are read at one moment.
  virtual absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) = 0;
  // Now and GetMany in one round trip.
  virtual absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) = 0;

  // All or nothing, and durable before it returns OK. Validates first, writes last. An event's revision follows the
  // order of commits. Due entries changed here are visible to ClaimDue at once.
  virtual absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) = 0;
  // Several independent commits under one fsync where the store can; results in their order.
  virtual std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) = 0;

  // Leases up to options.max entries that are due at the store's Now: within a team in the order in which they became
  // claimable, teams in turn, shards in turn; passes over teams with team_in_flight_max leases running. Each claim counts
  // an attempt, durably. Empty when nothing can be claimed now.
  virtual absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) = 0;
  // Leases one entry by key even while it is reserved. NOT_FOUND when it is not there, not due yet, or leased.
  virtual absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) = 0;
  // Prolongs from now. ABORTED when somebody else has claimed the entry or it is gone.
  virtual absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) = 0;
  // Gives the entry back: claimable from `due` on (its old due time if nullopt). The attempt stays counted unless
  // `uncount` (work that was never begun). ABORTED as Extend.
  virtual absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) = 0;
  // When the next entry can be claimed (due, reserved or leased ones when that ends); nullopt when the stage is empty.
  // Knows nothing of team_in_flight_max: it may lie in the past while ClaimDue comes back empty because every team with
  // something due is at its cap, so a loop that sleeps until NextDue needs a shortest sleep too.
  virtual absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) = 0;
  virtual absl::StatusOr<DueStats> Stats(Stage stage) = 0;

  // Members with from <= member < to ("" as `to` means no end), by bytes. A page taken while the set changes neither
  // repeats nor skips a member that was there all along.
  virtual absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                          const Page& page) = 0;

  // The team's events after `since`, oldest first, at most `limit`. Without gaps: a revision that is not there yet is
  // never passed over. Not complete also when `since` is ahead of the store (which was restored from a backup).
  virtual absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) = 0;

  virtual absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Counters(int shard, const std::string& scope,
                                                                                const std::string& group) = 0;

  // Removes what has expired (records, remembered commits, old events) from disk; bounded work per call. Returns how
  // many it removed.
  virtual absl::StatusOr<int> Sweep() = 0;

  // Makes what was deleted or has expired unreadable in the store's files too, not only through the store: SQLite leaves
  // no byte of it in database or write-ahead log, Redis rewrites its append-only file. Sweep first, then this; erasure
  // of a person calls both. Takes time in proportion to the store (Redis) or to the log (SQLite).
  virtual absl::Status Compact() = 0;

  // The records of the shard and kind whose id begins with `prefix`, in an order of the store's own: pages of about
  // `limit` (an empty one may have a next). A record that is there all along is on some page; on two, if the store
  // rearranges itself meanwhile. every_record.h walks them.
  virtual absl::StatusOr<ListResult> List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                          int limit) = 0;

  // OK when the store can be written to; else what is wrong and what would be right.
  virtual absl::Status Check() = 0;
};

}  // namespace ringback::store
