#include "core/runtime/measured_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/store/forwarding_store.h"

namespace ringback::runtime {
namespace {

using namespace store;  // most of its contract is wrapped here

// Now and Check are left out: the clock is asked in every call, and readiness has gauges of its own.
class MeasuredStore : public ForwardingStore {
 public:
  MeasuredStore(std::unique_ptr<Store> store, Metrics* metrics)
      : ForwardingStore(store.get()), store_(std::move(store)), metrics_(*metrics) {}

  absl::StatusOr<Record> Get(const Key& key) override {
    return Measured("get", [&] { return store_->Get(key); });
  }
  absl::StatusOr<std::vector<Record>> GetMany(const std::vector<Key>& keys) override {
    return Measured("get", [&] { return store_->GetMany(keys); });
  }
  absl::StatusOr<Reading> ReadNow(const std::vector<Key>& keys) override {
    return Measured("get", [&] { return store_->ReadNow(keys); });
  }
  absl::StatusOr<CommitResult> CommitOnce(const Commit& commit) override {
    return Measured("commit", [&] { return store_->CommitOnce(commit); });
  }
  std::vector<absl::StatusOr<CommitResult>> CommitAll(const std::vector<Commit>& commits) override {
    const auto begin = std::chrono::steady_clock::now();
    auto results = store_->CommitAll(commits);
    for (const auto& result : results) Note("commit", result.status(), begin);
    return results;
  }
  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const ClaimOptions& options) override {
    return Measured("claim_due", [&] { return store_->ClaimDue(stage, options); });
  }
  absl::StatusOr<Lease> Claim(const DueKey& key, absl::Duration lease) override {
    return Measured("claim", [&] { return store_->Claim(key, lease); });
  }
  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override {
    return Measured("extend", [&] { return store_->Extend(lease, duration); });
  }
  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    return Measured("release", [&] { return store_->Release(lease, due, uncount); });
  }
  absl::StatusOr<std::optional<absl::Time>> NextDue(Stage stage) override {
    return Measured("next_due", [&] { return store_->NextDue(stage); });
  }
  absl::StatusOr<DueStats> Stats(Stage stage) override {
    return Measured("stats", [&] { return store_->Stats(stage); });
  }
  absl::StatusOr<ScanResult> Scan(const IndexKey& index, const std::string& from, const std::string& to,
                                  const Page& page) override {
    return Measured("scan", [&] { return store_->Scan(index, from, to, page); });
  }
  absl::StatusOr<ChangesResult> Changes(int shard, const std::string& team, int64_t since, int limit) override {
    return Measured("changes", [&] { return store_->Changes(shard, team, since, limit); });
  }
  absl::StatusOr<int> Sweep() override {
    return Measured("sweep", [&] { return store_->Sweep(); });
  }
  absl::Status Compact() override {
    return Measured("compact", [&] { return store_->Compact(); });
  }

 private:
  using Time = std::chrono::steady_clock::time_point;

  static const absl::Status& StatusOf(const absl::Status& status) { return status; }
  template <typename T>
  static const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
    return result.status();
  }

  template <typename Call>
  std::invoke_result_t<Call> Measured(const char* name, Call call) {
    const Time begin = std::chrono::steady_clock::now();
    auto result = call();
    Note(name, StatusOf(result), begin);
    return result;
  }

  void Note(const char* call, const absl::Status& status, Time begin) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    metrics_.Count("ringback_store_calls_total", {{"call", call}, {"code", absl::StatusCodeToString(status.code())}});
    metrics_.Observe("ringback_store_seconds", {{"call", call}}, took.count());
  }

  const std::unique_ptr<Store> store_;
  Metrics& metrics_;
};

}  // namespace

std::unique_ptr<store::Store> NewMeasuredStore(std::unique_ptr<store::Store> store, Metrics* metrics) {
  return std::make_unique<MeasuredStore>(std::move(store), metrics);
}

}  // namespace ringback::runtime
