// One suite for every store: what store.h promises, as tests with sentences for names (store_conformance_*.cc). A store
// joins by a harness and one INSTANTIATE_TEST_SUITE_P line; what only one technology has is tested beside it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/store/store.h"

namespace ringback::store {

// A fresh, empty store and its surroundings.
class StoreHarness {
 public:
  virtual ~StoreHarness() = default;
  virtual Store& store() = 0;
  // One more Store on the same data and the same clock, as another process would have it.
  virtual std::unique_ptr<Store> OpenAnother() = 0;
  // Moves the store's clock. It may also move by itself, but not by a minute within one test.
  virtual void Advance(absl::Duration by) = 0;
  // Whether any file of the store holds these bytes.
  virtual bool OnDisk(const std::string& bytes) = 0;
};

using HarnessFactory = std::unique_ptr<StoreHarness> (*)();

class StoreConformance : public testing::TestWithParam<HarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }

  Store& store() { return harness_->store(); }
  void Advance(absl::Duration by) { harness_->Advance(by); }
  absl::Time Now() { return store().Now().value(); }

  // Commits and fails the test when that is refused.
  CommitResult MustCommit(const Commit& commit) {
    const absl::StatusOr<CommitResult> result = store().CommitOnce(commit);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.value_or(CommitResult());
  }
  // Puts entries "0" … "count-1" of the team, due a minute ago.
  void Fill(Stage stage, int shard, const std::string& team, int count);
  std::vector<Lease> MustClaim(Stage stage, const ClaimOptions& options) {
    absl::StatusOr<std::vector<Lease>> leases = store().ClaimDue(stage, options);
    EXPECT_TRUE(leases.ok()) << leases.status();
    return leases.ok() ? *std::move(leases) : std::vector<Lease>();
  }

  std::unique_ptr<StoreHarness> harness_;
};

// A commit to the shard with an id of its own.
Commit NewCommit(int shard);
Put PutOf(const Key& key, std::string value, uint64_t expected_version = 0);
Put DeleteOf(const Key& key, uint64_t expected_version);
DueChange DueAt(const DueKey& key, absl::Time due);
DueChange DueGone(const DueKey& key);

}  // namespace ringback::store
