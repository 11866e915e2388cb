#include "core/runtime/notifying_store.h"

#include <set>
#include <string>
#include <utility>

namespace ringback::runtime {
namespace {

using namespace store;  // the whole of its contract is wrapped here

// A worker never sleeps longer than a second, so that only what is due sooner needs a nudge.
constexpr absl::Duration kSoon = absl::Seconds(1);

class NotifyingStore : public Store {
 public:
  NotifyingStore(std::unique_ptr<Store> store, handoff::Signals* signals, Clock* clock)
      : store_(std::move(store)), signals_(signals), clock_(clock) {}

  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override {
    auto result = store_->CommitOnce(commit);
    if (result.ok()) Tell(commit, result->time);
    return result;
  }

  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override {
    auto results = store_->CommitAll(commits);
    for (size_t i = 0; i < results.size() && i < commits.size(); ++i) {
      if (results[i].ok()) Tell(commits[i], results[i]->time);
    }
    return results;
  }

  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    absl::Status status = store_->Release(lease, due, uncount);
    if (status.ok() && due.value_or(lease.due) <= clock_->Now() + kSoon) signals_->Notify(DueTopic(lease.key.stage));
    return status;
  }

  absl::StatusOr<absl::Time> Now() override { return store_->Now(); }
  absl::StatusOr<Record> Get(const Key& key) override { return store_->Get(key); }
  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override { return store_->GetMany(keys); }
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
  absl::StatusOr<std::vector<Record>> List(int shard, Kind kind, const std::string& after_id, int limit) override {
    return store_->List(shard, kind, after_id, limit);
  }
  absl::Status Check() override { return store_->Check(); }

 private:
  void Tell(const Commit& commit, absl::Time now) {
    std::set<std::string> topics;
    for (const DueChange& change : commit.due) {
      if (change.due && *change.due + change.reserve <= now + kSoon) topics.insert(DueTopic(change.key.stage));
    }
    for (const Event& event : commit.events) topics.insert("changes/" + event.team);
    for (const std::string& topic : topics) signals_->Notify(topic);
  }

  const std::unique_ptr<Store> store_;
  handoff::Signals* const signals_;
  Clock* const clock_;
};

}  // namespace

std::unique_ptr<store::Store> NewNotifyingStore(std::unique_ptr<store::Store> store, handoff::Signals* signals,
                                                Clock* clock) {
  return std::make_unique<NotifyingStore>(std::move(store), signals, clock);
}

const char* DueTopic(store::Stage stage) {
  switch (stage) {
    case Stage::kTranscode: return "due/transcode";
    case Stage::kDelivery: return "due/delivery";
    case Stage::kPromise: return "due/promise";
    case Stage::kRetention: return "due/retention";
  }
  return "due/";
}

const char* StageName(store::Stage stage) { return DueTopic(stage) + sizeof("due/") - 1; }

}  // namespace ringback::runtime
