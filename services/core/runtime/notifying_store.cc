#include "core/runtime/notifying_store.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/rpc/trace.h"
#include "core/runtime/due_job.h"
#include "core/store/commit_rules.h"

namespace ringback::runtime {
namespace {

using namespace store;  // the whole of its contract is wrapped here

// A worker never sleeps longer than a second, so that only what is due sooner needs a nudge.
constexpr absl::Duration kSoon = absl::Seconds(1);

// One job of a commit that goes to a worker: which of its due changes, whose credit, and the lease it is born with ("":
// reserved only).
struct Sending {
  size_t change = 0;
  handoff::Ticket ticket;
  std::string lease_id;
};
using Sendings = std::vector<Sending>;

class NotifyingStore : public Store {
 public:
  NotifyingStore(std::unique_ptr<Store> store, NotifyingParts parts)
      : store_(std::move(store)), parts_(parts), signals_(parts.signals), clock_(parts.clock) {}

  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override {
    const Sendings sendings = TakeCredits(commit);
    if (sendings.empty()) {
      auto result = store_->CommitOnce(commit);
      Settle(commit, sendings, result);
      return result;
    }
    const Commit leased = Leased(commit, sendings);
    auto result = store_->CommitOnce(leased);
    Settle(leased, sendings, result);
    return result;
  }

  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override {
    std::vector<Sendings> sendings;
    std::vector<Commit> some_leased;  // stays empty without any credit
    for (const Commit& commit : commits) {
      sendings.push_back(TakeCredits(commit));
      if (sendings.back().empty()) continue;
      if (some_leased.empty()) some_leased = commits;
      some_leased[sendings.size() - 1] = Leased(commit, sendings.back());
    }
    const std::vector<Commit>& made = some_leased.empty() ? commits : some_leased;
    auto results = store_->CommitAll(made);
    for (size_t i = 0; i < results.size() && i < made.size(); ++i) Settle(made[i], sendings[i], results[i]);
    return results;
  }

  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    absl::Status status = store_->Release(lease, due, uncount);
    if (status.ok() && due.value_or(lease.due) <= clock_->Now() + kSoon) signals_->Notify(DueTopic(lease.key.stage));
    return status;
  }

  absl::StatusOr<absl::Time> Now() override {
    auto now = store_->Now();
    if (now.ok()) Saw(*now);
    return now;
  }
  absl::StatusOr<Record> Get(const Key& key) override { return store_->Get(key); }
  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override { return store_->GetMany(keys); }
  absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) override {
    auto reading = store_->ReadNow(keys);
    if (reading.ok()) Saw(reading->now);
    return reading;
  }
  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) override {
    return store_->ClaimDue(stage, options);
  }
  absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) override { return store_->Claim(key, lease); }
  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override {
    return store_->Extend(lease, duration);
  }
  absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) override { return store_->NextDue(stage); }
  absl::StatusOr<DueStats> Stats(Stage stage) override { return store_->Stats(stage); }
  absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                  const Page& page) override {
    return store_->Scan(index, from, to, page);
  }
  absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) override {
    return store_->Changes(shard, team, since, limit);
  }
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Counters(int shard, const std::string& scope,
                                                                        const std::string& group) override {
    return store_->Counters(shard, scope, group);
  }
  absl::StatusOr<int> Sweep() override { return store_->Sweep(); }
  absl::Status Compact() override { return store_->Compact(); }
  absl::StatusOr<ListResult> List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                  int limit) override {
    return store_->List(shard, kind, prefix, cursor, limit);
  }
  absl::Status Check() override { return store_->Check(); }

 private:
  // The newest time of the store's own clock that was read through here. Whoever makes something due "now" has asked for
  // it just before; this machine's clock might be a little off.
  void Saw(absl::Time now) {
    const int64_t micros = absl::ToUnixMicros(now);
    int64_t seen = store_now_.load();
    while (seen < micros && !store_now_.compare_exchange_weak(seen, micros)) continue;
  }

  Sendings TakeCredits(const Commit& commit) {
    Sendings sendings;
    if (parts_.handoff == nullptr) return sendings;
    const absl::Time now = absl::FromUnixMicros(store_now_.load());
    for (size_t i = 0; i < commit.due.size(); ++i) {
      const DueChange& change = commit.due[i];
      if (!change.due || *change.due > now || change.reserve > absl::ZeroDuration()) continue;
      auto ticket = parts_.handoff->TakeCredit(StageName(change.key.stage));
      if (!ticket.has_value()) continue;
      // How often it was tried before, only the store knows: such an entry is claimed.
      sendings.push_back({i, *std::move(ticket), change.keep_attempts ? "" : NewLeaseId(*parts_.random)});
    }
    return sendings;
  }

  static Commit Leased(const Commit& commit, const Sendings& sendings) {
    Commit leased = commit;
    for (const Sending& sending : sendings) {
      leased.due[sending.change].reserve = kHandoffReserve;
      leased.due[sending.change].lease_id = sending.lease_id;
    }
    return leased;
  }

  // `commit` as it was made.
  void Settle(const Commit& commit, const Sendings& sendings, const absl::StatusOr<CommitResult>& result) {
    if (result.ok()) Saw(result->time);
    // A commit that had been made before has had its jobs.
    const bool sends = result.ok() && !result->repeated;
    std::set<size_t> sent;
    for (const auto& [i, ticket, lease_id] : sendings) {
      if (!sends) {
        parts_.handoff->ReturnCredit(ticket);
        continue;
      }
      sent.insert(i);
      const DueChange& change = commit.due[i];
      // After a failover the store's clock may be a little behind what it said before: then the entry was not due yet, and
      // nobody's lease.
      const bool leased = !lease_id.empty() && *change.due <= result->time;
      handoff::Job job;
      job.stage = ticket.stage;
      job.key = leased ? EncodeLeased(BornLease(change, result->time)) : EncodeReserved(change.key);
      job.payload = change.payload;
      if (!TraceScope::Current().empty()) job.traceparent = rpc::TraceParent(TraceScope::Current(), *parts_.random);
      parts_.handoff->Send(ticket, std::move(job));
    }
    if (result.ok()) Tell(commit, sent, result->time);
  }

  void Tell(const Commit& commit, const std::set<size_t>& sent, absl::Time now) {
    std::set<std::string> topics;
    for (size_t i = 0; i < commit.due.size(); ++i) {
      const DueChange& change = commit.due[i];
      if (sent.contains(i)) continue;
      if (change.due && *change.due + change.reserve <= now + kSoon) topics.insert(DueTopic(change.key.stage));
    }
    for (const Event& event : commit.events) topics.insert("changes/" + event.team);
    for (const std::string& topic : topics) signals_->Notify(topic);
  }

  const std::unique_ptr<Store> store_;
  const NotifyingParts parts_;
  std::atomic<int64_t> store_now_{0};  // microseconds
  handoff::Signals* const signals_;
  Clock* const clock_;
};

}  // namespace

std::unique_ptr<store::Store> NewNotifyingStore(std::unique_ptr<store::Store> store, NotifyingParts parts) {
  return std::make_unique<NotifyingStore>(std::move(store), parts);
}

const char* DueTopic(store::Stage stage) {
  switch (stage) {
    case Stage::kTranscode: return "due/transcode";
    case Stage::kDelivery: return "due/delivery";
    case Stage::kPromise: return "due/promise";
    case Stage::kRetention: return "due/retention";
    case Stage::kMailbox: return "due/mailbox";
    case Stage::kBusy: return "due/busy";
  }
  return "due/";
}

const char* StageName(store::Stage stage) { return DueTopic(stage) + sizeof("due/") - 1; }

}  // namespace ringback::runtime
