// Commits: all or nothing, fencing, repetition, events and counters.
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/store/every_record.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

const Key kRecord{7, Kind::kCallback, "cb07a"};
const DueKey kEntry{Stage::kPromise, 7, "tm07", "cb07a"};
const IndexKey kIndex{7, "tm07", "open"};

TEST_P(StoreConformance, ARecordStartsAtVersionOneAndCountsUp) {
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(kRecord, "one"));
  MustCommit(first);
  EXPECT_EQ(store().Get(kRecord)->version, 1u);
  Commit second = NewCommit(7);
  second.puts.push_back(PutOf(kRecord, "two", 1));
  MustCommit(second);
  const absl::StatusOr<Record> record = store().Get(kRecord);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->version, 2u);
  EXPECT_EQ(record->value, "two");
  EXPECT_EQ(record->key, kRecord);
}

TEST_P(StoreConformance, OneWrongVersionLeavesEveryPartOfTheCommitUndone) {
  Commit before = NewCommit(7);
  before.puts.push_back(PutOf(kRecord, "old"));
  before.due.push_back(DueAt(kEntry, Now() + absl::Hours(1)));
  before.indexes.push_back({kIndex, "m1"});
  before.counters.push_back({"tm07", "2026W05", "kept", 1});
  before.events.push_back({"tm07", "cb07a", "e1"});
  MustCommit(before);
  const std::optional<absl::Time> next = *store().NextDue(Stage::kPromise);

  Commit wrong = NewCommit(7);
  wrong.puts.push_back(PutOf({7, Kind::kDelivery, "dl07"}, "new"));
  wrong.puts.push_back(PutOf(kRecord, "changed", 2));
  wrong.due.push_back(DueGone(kEntry));
  wrong.due.push_back(DueAt({Stage::kDelivery, 7, "tm07", "dl07"}, Now()));
  wrong.indexes.push_back({kIndex, "m1", /*remove=*/true});
  wrong.indexes.push_back({kIndex, "m2"});
  wrong.counters.push_back({"tm07", "2026W05", "kept", 5});
  wrong.events.push_back({"tm07", "cb07a", "e2"});
  EXPECT_EQ(store().CommitOnce(wrong).status().code(), absl::StatusCode::kAborted);

  EXPECT_EQ(store().Get(kRecord)->value, "old");
  EXPECT_EQ(store().Get({7, Kind::kDelivery, "dl07"}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*store().NextDue(Stage::kPromise), next);
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), std::nullopt);
  EXPECT_EQ(store().Scan(kIndex, "", "", {})->members, std::vector<std::string>{"m1"});
  EXPECT_EQ(store().Counters(7, "tm07", "2026W05")->at(0).second, 1);
  EXPECT_EQ(store().Changes(7, "tm07", 0, 10)->newest, 1);
}

TEST_P(StoreConformance, EveryPartOfACommitIsThereAfterwards) {
  Commit commit = NewCommit(7);
  commit.puts.push_back(PutOf(kRecord, "value"));
  commit.due.push_back(DueAt(kEntry, Now() + absl::Hours(1)));
  commit.indexes.push_back({kIndex, "m1"});
  commit.counters.push_back({"tm07", "2026W05", "kept", 2});
  commit.counters.push_back({"tm07", "2026W05", "late", -1});
  commit.events.push_back({"tm07", "cb07a", "e1"});
  const CommitResult result = MustCommit(commit);
  EXPECT_FALSE(result.repeated);
  EXPECT_EQ(store().Get(kRecord)->value, "value");
  EXPECT_TRUE(store().NextDue(Stage::kPromise)->has_value());
  EXPECT_EQ(store().Scan(kIndex, "", "", {})->members.size(), 1u);
  const std::vector<std::pair<std::string, int64_t>> expected = {{"kept", 2}, {"late", -1}};
  EXPECT_EQ(*store().Counters(7, "tm07", "2026W05"), expected);
  const ChangesResult changes = *store().Changes(7, "tm07", 0, 10);
  ASSERT_EQ(changes.events.size(), 1u);
  EXPECT_EQ(changes.events[0].event.subject, "cb07a");
  EXPECT_EQ(changes.events[0].event.value, "e1");
  EXPECT_EQ(changes.events[0].time, result.time);
}

TEST_P(StoreConformance, CreatingARecordThatIsThereIsAborted) {
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(kRecord, "one"));
  MustCommit(first);
  Commit second = NewCommit(7);
  second.puts.push_back(PutOf(kRecord, "two"));
  EXPECT_EQ(store().CommitOnce(second).status().code(), absl::StatusCode::kAborted);
}

TEST_P(StoreConformance, ADeletedRecordIsGoneAndStartsAnew) {
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(kRecord, "one"));
  MustCommit(first);
  Commit wrong = NewCommit(7);
  wrong.puts.push_back(DeleteOf(kRecord, 3));
  EXPECT_EQ(store().CommitOnce(wrong).status().code(), absl::StatusCode::kAborted);
  Commit gone = NewCommit(7);
  gone.puts.push_back(DeleteOf(kRecord, 1));
  MustCommit(gone);
  EXPECT_EQ(store().Get(kRecord).status().code(), absl::StatusCode::kNotFound);
  Commit again = NewCommit(7);
  again.puts.push_back(PutOf(kRecord, "again"));
  MustCommit(again);
  EXPECT_EQ(store().Get(kRecord)->version, 1u);
}

TEST_P(StoreConformance, ABlindWriteDoesNotLookAtTheVersion) {
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(kRecord, "one"));
  MustCommit(first);
  Commit blind = NewCommit(7);
  blind.puts.push_back(PutOf(kRecord, "two", 99));
  blind.puts[0].any_version = true;
  MustCommit(blind);
  EXPECT_EQ(store().Get(kRecord)->value, "two");
  EXPECT_EQ(store().Get(kRecord)->version, 2u);
}

TEST_P(StoreConformance, ARepeatedCommitReturnsTheFirstResultAndChangesNothing) {
  Commit commit = NewCommit(7);
  commit.puts.push_back(PutOf(kRecord, "one"));
  commit.counters.push_back({"tm07", "w", "n", 1});
  commit.events.push_back({"tm07", "cb07a", "e"});
  const CommitResult first = MustCommit(commit);
  Commit other = NewCommit(7);
  other.puts.push_back(PutOf(kRecord, "two", 1));
  MustCommit(other);
  Advance(absl::Minutes(50));

  const CommitResult second = MustCommit(commit);
  EXPECT_TRUE(second.repeated);
  EXPECT_EQ(second.time, first.time);
  EXPECT_EQ(store().Get(kRecord)->value, "two");
  EXPECT_EQ(store().Counters(7, "tm07", "w")->at(0).second, 1);
  EXPECT_EQ(store().Changes(7, "tm07", 0, 10)->newest, 1);
}

TEST_P(StoreConformance, ARepeatedCommitIsRecognisedAfterASweep) {
  Commit commit = NewCommit(7);
  commit.counters.push_back({"tm07", "w", "n", 1});
  MustCommit(commit);
  Advance(absl::Minutes(59));
  ASSERT_TRUE(store().Sweep().ok());
  EXPECT_TRUE(MustCommit(commit).repeated);
  EXPECT_EQ(store().Counters(7, "tm07", "w")->at(0).second, 1);
}

TEST_P(StoreConformance, ACommitIsRememberedHoweverOftenItsRecordChangesInTheHour) {
  std::vector<Commit> commits;
  for (uint64_t i = 0; i < 80; ++i) {
    commits.push_back(NewCommit(7));
    commits.back().puts.push_back(PutOf(kRecord, absl::StrCat(i), i));
    MustCommit(commits.back());
  }
  Advance(absl::Minutes(50));
  for (uint64_t i = 80; i < 90; ++i) {
    commits.push_back(NewCommit(7));
    commits.back().puts.push_back(PutOf(kRecord, absl::StrCat(i), i));
    MustCommit(commits.back());
  }
  for (const Commit& commit : commits) EXPECT_TRUE(MustCommit(commit).repeated);
  EXPECT_EQ(store().Get(kRecord)->version, 90u);
  Advance(absl::Minutes(70));
  for (uint64_t i = 90; i < 92; ++i) {
    commits.push_back(NewCommit(7));
    commits.back().puts.push_back(PutOf(kRecord, absl::StrCat(i), i));
    MustCommit(commits.back());
  }
  EXPECT_EQ(store().Get(kRecord)->value, "91");
}

TEST_P(StoreConformance, ACommitIsRememberedAlthoughItsRecordIsGone) {
  const Key expiring{7, Kind::kRequest, "rq07a"};
  Commit made = NewCommit(7);
  made.puts.push_back(PutOf(kRecord, "one"));
  MustCommit(made);
  Commit brief = NewCommit(7);
  brief.puts.push_back(PutOf(expiring, "brief"));
  brief.puts.back().expires = Now() + absl::Minutes(5);
  MustCommit(brief);
  Commit gone = NewCommit(7);
  gone.puts.push_back(DeleteOf(kRecord, 1));
  MustCommit(gone);
  EXPECT_TRUE(MustCommit(made).repeated);
  Advance(absl::Minutes(10));
  ASSERT_TRUE(store().Sweep().ok());
  for (const Commit& commit : {made, brief, gone}) EXPECT_TRUE(MustCommit(commit).repeated);
  EXPECT_FALSE(store().Get(kRecord).ok());
  EXPECT_FALSE(store().Get(expiring).ok());
  EXPECT_TRUE(AllRecords(store(), 7, kRecord.kind)->empty());

  Commit anew = NewCommit(7);
  anew.puts.push_back(PutOf(kRecord, "two"));
  anew.puts.push_back(PutOf(expiring, "two"));
  MustCommit(anew);
  for (const Commit& commit : {made, brief, gone, anew}) EXPECT_TRUE(MustCommit(commit).repeated);
  EXPECT_EQ(store().Get(kRecord)->version, 1u);
  Advance(absl::Hours(3));
  ASSERT_TRUE(store().Sweep().ok());
  EXPECT_EQ(store().Get(kRecord)->value, "two");
  EXPECT_EQ(store().Get(expiring)->value, "two");
}

TEST_P(StoreConformance, ARefusedCommitLeavesWhatItWouldHaveMadeAsItWas) {
  const Key there{7, Kind::kContact, "ct07there"};
  const Key dropped{7, Kind::kContact, "ct07dropped"};
  const Key fresh{7, Kind::kContact, "ct07fresh"};
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(there, "there"));
  MustCommit(first);
  Commit brief = NewCommit(7);
  brief.puts.push_back(PutOf(dropped, "dropped"));
  MustCommit(brief);
  Commit gone = NewCommit(7);
  gone.puts.push_back(DeleteOf(dropped, 1));
  MustCommit(gone);
  Commit refused = NewCommit(7);
  for (const Key& key : {dropped, fresh, there}) refused.puts.push_back(PutOf(key, "no"));
  EXPECT_EQ(store().CommitOnce(refused).status().code(), absl::StatusCode::kAborted);
  EXPECT_FALSE(store().Get(dropped).ok());
  EXPECT_FALSE(store().Get(fresh).ok());
  EXPECT_EQ(store().Get(there)->value, "there");
  EXPECT_TRUE(MustCommit(brief).repeated);
  refused.puts.pop_back();
  EXPECT_FALSE(MustCommit(refused).repeated);
  EXPECT_EQ(store().Get(dropped)->value, "no");
}

TEST_P(StoreConformance, ARefusedCommitIsNotRememberedAsDone) {
  Commit commit = NewCommit(7);
  commit.puts.push_back(PutOf(kRecord, "one", 4));
  EXPECT_EQ(store().CommitOnce(commit).status().code(), absl::StatusCode::kAborted);
  commit.puts[0].expected_version = 0;
  EXPECT_FALSE(MustCommit(commit).repeated);
  EXPECT_EQ(store().Get(kRecord)->value, "one");
}

TEST_P(StoreConformance, OfOneCommitRepeatedAtTheSameTimeExactlyOneTakesEffect) {
  Commit commit = NewCommit(7);
  commit.counters.push_back({"tm07", "w", "n", 1});
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  std::atomic<int> firsts{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const absl::StatusOr<CommitResult> result = (i % 2 == 0 ? store() : *another).CommitOnce(commit);
      ASSERT_TRUE(result.ok()) << result.status();
      if (!result->repeated) ++firsts;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(firsts, 1);
  EXPECT_EQ(store().Counters(7, "tm07", "w")->at(0).second, 1);
}

TEST_P(StoreConformance, OfManyThatExpectTheSameVersionExactlyOneWins) {
  Commit first = NewCommit(7);
  first.puts.push_back(PutOf(kRecord, "start"));
  MustCommit(first);
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  std::atomic<int> won{0};
  std::atomic<int> aborted{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      Commit commit = NewCommit(7);
      commit.puts.push_back(PutOf(kRecord, absl::StrCat(i), 1));
      const absl::Status status = (i % 2 == 0 ? store() : *another).CommitOnce(commit).status();
      if (status.ok()) ++won;
      if (absl::IsAborted(status)) ++aborted;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(aborted, 7);
  EXPECT_EQ(store().Get(kRecord)->version, 2u);
}

TEST_P(StoreConformance, OneRefusedCommitOfManyDoesNotFailTheOthers) {
  std::vector<Commit> commits = {NewCommit(1), NewCommit(2), NewCommit(3), NewCommit(1)};
  commits[0].puts.push_back(PutOf({1, Kind::kCallback, "a"}, "a"));
  commits[1].puts.push_back(PutOf({2, Kind::kCallback, "b"}, "b", 9));
  commits[2].puts.push_back(PutOf({4, Kind::kCallback, "c"}, "c"));  // not the commit's shard
  commits[3].puts.push_back(PutOf({1, Kind::kCallback, "d"}, "d"));
  const auto results = store().CommitAll(commits);
  ASSERT_EQ(results.size(), 4u);
  EXPECT_TRUE(results[0].ok()) << results[0].status();
  EXPECT_EQ(results[1].status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(results[2].status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(results[3].ok()) << results[3].status();
  EXPECT_TRUE(store().Get({1, Kind::kCallback, "a"}).ok());
  EXPECT_TRUE(store().Get({1, Kind::kCallback, "d"}).ok());
  EXPECT_FALSE(store().Get({2, Kind::kCallback, "b"}).ok());
}

TEST_P(StoreConformance, CommitAllAppliesInOrder) {
  std::vector<Commit> commits;
  for (uint64_t i = 0; i < 20; ++i) {
    commits.push_back(NewCommit(7));
    commits.back().puts.push_back(PutOf(kRecord, absl::StrCat(i), i));
  }
  for (const auto& result : store().CommitAll(commits)) EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(store().Get(kRecord)->value, "19");
  EXPECT_TRUE(store().CommitAll({}).empty());
}

TEST_P(StoreConformance, ABadCommitIsRefusedAndNamesWhatIsWrong) {
  Commit no_id = NewCommit(7);
  no_id.commit_id.clear();
  Commit long_id = NewCommit(7);
  long_id.commit_id.assign(65, 'x');
  Commit bad_shard = NewCommit(64);
  Commit empty_record = NewCommit(7);
  empty_record.puts.push_back(PutOf({7, Kind::kCallback, ""}, "x"));
  Commit twice = NewCommit(7);
  twice.puts.push_back(PutOf(kRecord, "x"));
  twice.puts.push_back(PutOf(kRecord, "y"));
  Commit other_due = NewCommit(7);
  other_due.due.push_back(DueAt({Stage::kDelivery, 8, "tm08", "dl"}, Now()));
  Commit other_index = NewCommit(7);
  other_index.indexes.push_back({{8, "tm08", "open"}, "m"});
  Commit other_lease = NewCommit(7);
  other_lease.lease = Lease{{Stage::kDelivery, 8, "tm08", "dl"}, "id"};
  for (const Commit& commit :
       {no_id, long_id, bad_shard, empty_record, twice, other_due, other_index, other_lease}) {
    const absl::Status status = store().CommitOnce(commit).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_FALSE(status.message().empty());
  }
}

TEST_P(StoreConformance, CountersAddUpUnderConcurrency) {
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        Commit commit = NewCommit(7);
        commit.counters.push_back({"tm07", "w", "up", 2});
        commit.counters.push_back({"tm07", "w", "down", -1});
        EXPECT_TRUE((t % 2 == 0 ? store() : *another).CommitOnce(commit).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::vector<std::pair<std::string, int64_t>> expected = {{"down", -200}, {"up", 400}};
  EXPECT_EQ(*store().Counters(7, "tm07", "w"), expected);
  EXPECT_TRUE(store().Counters(7, "tm07", "other")->empty());
  EXPECT_TRUE(store().Counters(7, "other", "w")->empty());
}

TEST_P(StoreConformance, CountersHoldLargeNumbersExactly) {
  Commit commit = NewCommit(7);
  commit.counters.push_back({"tm07", "w", "n", (int64_t{1} << 60) + 1});
  commit.counters.push_back({"tm07", "w", "n", 1});
  MustCommit(commit);
  EXPECT_EQ(store().Counters(7, "tm07", "w")->at(0).second, (int64_t{1} << 60) + 2);
}

TEST_P(StoreConformance, ChangesHaveNoGapsUnderConcurrentCommits) {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        Commit commit = NewCommit(7);
        commit.events.push_back({"tm07", absl::StrCat(t), absl::StrCat(i)});
        EXPECT_TRUE((t % 2 == 0 ? store() : *another).CommitOnce(commit).ok());
      }
    });
  }
  std::vector<int> seen(kThreads, 0);
  int64_t since = 0;
  while (since < kThreads * kEach) {
    const absl::StatusOr<ChangesResult> changes = store().Changes(7, "tm07", since, 7);
    ASSERT_TRUE(changes.ok()) << changes.status();
    ASSERT_TRUE(changes->complete);
    ASSERT_LE(changes->events.size(), 7u);
    for (const StoredEvent& event : changes->events) {
      ASSERT_EQ(event.revision, since + 1);
      since = event.revision;
      int& last = seen[std::stoul(event.event.subject)];
      ASSERT_EQ(event.event.value, absl::StrCat(last++));  // each thread's events in its order
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store().Changes(7, "tm07", since, 10)->newest, kThreads * kEach);
  EXPECT_TRUE(store().Changes(7, "tm07", since, 10)->events.empty());
}

TEST_P(StoreConformance, ATrimmedLogSaysThatItIsNotComplete) {
  std::vector<Commit> commits;
  for (int i = 0; i < 104; ++i) {
    commits.push_back(NewCommit(7));
    for (int j = 0; j < 100; ++j) commits.back().events.push_back({"tm07", "s", "v"});
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_TRUE(store().Sweep().ok());

  const ChangesResult old = *store().Changes(7, "tm07", 0, 10);
  EXPECT_FALSE(old.complete);
  EXPECT_TRUE(old.events.empty());
  EXPECT_EQ(old.newest, 10400);
  const ChangesResult kept = *store().Changes(7, "tm07", 10400 - kEventsKept, 10);
  EXPECT_TRUE(kept.complete);
  ASSERT_EQ(kept.events.size(), 10u);
  EXPECT_EQ(kept.events[0].revision, 10400 - kEventsKept + 1);
  EXPECT_TRUE(store().Changes(7, "tm07", 10400, 10)->complete);
}

TEST_P(StoreConformance, AViewerAheadOfTheStoreIsToldToListAnew) {
  Commit commit = NewCommit(7);
  commit.events.push_back({"tm07", "s", "v"});
  MustCommit(commit);
  const ChangesResult ahead = *store().Changes(7, "tm07", 500, 10);
  EXPECT_FALSE(ahead.complete);
  EXPECT_EQ(ahead.newest, 1);
  const ChangesResult empty = *store().Changes(7, "tm99", 0, 10);
  EXPECT_TRUE(empty.complete);
  EXPECT_EQ(empty.newest, 0);
}

TEST_P(StoreConformance, RevisionsAreEachTeamsOwn) {
  Commit commit = NewCommit(7);
  commit.events.push_back({"tm07a", "s", "1"});
  commit.events.push_back({"tm07b", "s", "2"});
  commit.events.push_back({"tm07a", "s", "3"});
  MustCommit(commit);
  EXPECT_EQ(store().Changes(7, "tm07a", 0, 10)->newest, 2);
  EXPECT_EQ(store().Changes(7, "tm07b", 0, 10)->newest, 1);
}

}  // namespace
}  // namespace ringback::store
