#include "core/store/store_conformance.h"

#include <atomic>

#include "absl/strings/str_cat.h"

namespace ringback::store {

Commit NewCommit(int shard) {
  static std::atomic<int> next{0};
  Commit commit;
  commit.shard = shard;
  commit.commit_id = absl::StrCat("commit-", ++next);
  return commit;
}

Put PutOf(const Key& key, std::string value, uint64_t expected_version) {
  Put put;
  put.key = key;
  put.expected_version = expected_version;
  put.value = std::move(value);
  return put;
}

Put DeleteOf(const Key& key, uint64_t expected_version) {
  Put put;
  put.key = key;
  put.expected_version = expected_version;
  return put;
}

DueChange DueAt(const DueKey& key, absl::Time due) {
  DueChange change;
  change.key = key;
  change.due = due;
  return change;
}

DueChange DueGone(const DueKey& key) {
  DueChange change;
  change.key = key;
  return change;
}

void StoreConformance::Fill(Stage stage, int shard, const std::string& team, int count) {
  constexpr int kPerCommit = 200;
  const absl::Time due = Now() - absl::Minutes(1);
  std::vector<Commit> commits;
  for (int i = 0; i < count; ++i) {
    if (i % kPerCommit == 0) commits.push_back(NewCommit(shard));
    commits.back().due.push_back(DueAt({stage, shard, team, absl::StrCat(i)}, due));
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
}

}  // namespace ringback::store
