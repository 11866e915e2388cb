// A store that passes everything on to another; whoever wraps or disturbs a part overrides it. `inner` outlives it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/store/store.h"

namespace ringback::store {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store* inner) : inner_(inner) {}
  absl::StatusOr<absl::Time> Now() override { return inner_->Now(); }
  absl::StatusOr<Record> Get(const Key& key) override { return inner_->Get(key); }
  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override {
    return inner_->GetMany(keys);
  }
  absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) override { return inner_->ReadNow(keys); }
  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override {
    return inner_->CommitOnce(commit);
  }
  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override {
    return inner_->CommitAll(commits);
  }
  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) override {
    return inner_->ClaimDue(stage, options);
  }
  absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) override {
    return inner_->Claim(key, lease);
  }
  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override {
    return inner_->Extend(lease, duration);
  }
  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    return inner_->Release(lease, due, uncount);
  }
  absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) override { return inner_->NextDue(stage); }
  absl::StatusOr<DueStats> Stats(Stage stage) override { return inner_->Stats(stage); }
  absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                         const Page& page) override {
    return inner_->Scan(index, from, to, page);
  }
  absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) override {
    return inner_->Changes(shard, team, since, limit);
  }
  absl::StatusOr<std::vector<std::pair<std::string, int64_t>>> Counters(int shard, const std::string& scope,
                                                                        const std::string& group) override {
    return inner_->Counters(shard, scope, group);
  }
  absl::StatusOr<int> Sweep() override { return inner_->Sweep(); }
  absl::Status Compact() override { return inner_->Compact(); }
  absl::StatusOr<ListResult> List(int shard, Kind kind, const std::string& prefix, const std::string& cursor,
                                  int limit) override {
    return inner_->List(shard, kind, prefix, cursor, limit);
  }
  absl::Status Check() override { return inner_->Check(); }

 private:
  Store* const inner_;
};

}  // namespace ringback::store
