// Due sets: claims, leases, fences, fairness.
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

const DueKey kEntry{Stage::kDelivery, 3, "tm03", "dl03a"};
const Key kRecord{3, Kind::kDelivery, "dl03a"};

// A commit of the record fenced by the lease.
Commit Fenced(const Lease& lease, uint64_t expected_version) {
  Commit commit = NewCommit(lease.key.shard);
  commit.lease = lease;
  commit.puts.push_back(PutOf(kRecord, absl::StrCat("by ", lease.lease_id), expected_version));
  return commit;
}

TEST_P(StoreConformance, AnEntryIsClaimedWhenDueAndNotBefore) {
  const absl::Time due = Now() + absl::Hours(1);
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, due));
  MustCommit(commit);
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
  EXPECT_EQ(store().Claim(kEntry, absl::Seconds(30)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), due);
  Advance(absl::Hours(1));
  EXPECT_TRUE(MustClaim(Stage::kTranscode, {}).empty()) << "another stage";
  const std::vector<Lease> leases = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(5)});
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].key, kEntry);
  EXPECT_EQ(leases[0].due, due);
  EXPECT_EQ(leases[0].attempts, 1);
  EXPECT_GE(leases[0].expires, due + absl::Minutes(5));
  EXPECT_LE(leases[0].expires, Now() + absl::Minutes(5));
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty()) << "it is leased";
}

TEST_P(StoreConformance, AnEntryDueNowIsClaimableAtOnce) {
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, Now()));
  MustCommit(commit);
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).size(), 1u);
}

TEST_P(StoreConformance, DueTimesSurviveToTheMicrosecond) {
  const absl::Time due = absl::FromUnixMicros(4102444800123457);
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, due));
  MustCommit(commit);
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), due);
}

TEST_P(StoreConformance, TheClockRulesWhatIsDue) {
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, Now() + absl::Hours(24 * 30)));
  MustCommit(commit);
  Advance(absl::Hours(24 * 30 - 1));
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
  Advance(absl::Hours(1));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).size(), 1u);
}

TEST_P(StoreConformance, ALeaseThatRanOutIsTakenByAnotherAndTheAttemptCounts) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease first = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(5)}).at(0);
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), first.expires);
  Advance(absl::Minutes(5));
  const Lease second = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(5)}).at(0);
  EXPECT_NE(second.lease_id, first.lease_id);
  EXPECT_EQ(second.attempts, 2);
  EXPECT_EQ(second.due, first.due) << "lateness needs the original due time";
  Advance(absl::Minutes(5));
  const Lease third = *store().Claim(first.key, absl::Minutes(5));
  EXPECT_EQ(third.attempts, 3);
  EXPECT_EQ(third.due, first.due);
}

TEST_P(StoreConformance, TheNewestLeaseCommitsEvenAfterItRanOut) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease lease = MustClaim(Stage::kDelivery, {}).at(0);
  Advance(absl::Hours(1));
  MustCommit(Fenced(lease, 0));
  EXPECT_EQ(store().Get(kRecord)->version, 1u);
}

TEST_P(StoreConformance, AnOlderLeaseIsWorthNothing) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease old = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(1)}).at(0);
  Advance(absl::Minutes(1));
  const Lease newest = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(1)}).at(0);
  EXPECT_EQ(store().CommitOnce(Fenced(old, 0)).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store().Extend(old, absl::Minutes(1)).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store().Release(old, std::nullopt, false).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store().Get(kRecord).status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(store().CommitOnce(Fenced(newest, 0)).ok());
}

TEST_P(StoreConformance, TheLeaseAloneDoesNotPassAWrongVersion) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease lease = MustClaim(Stage::kDelivery, {}).at(0);
  MustCommit(Fenced(lease, 0));
  EXPECT_EQ(store().CommitOnce(Fenced(lease, 0)).status().code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(store().CommitOnce(Fenced(lease, 1)).ok()) << "a commit does not end the lease";
}

TEST_P(StoreConformance, MovingOrRemovingAnEntryEndsItsLease) {
  for (const bool remove : {false, true}) {
    Fill(Stage::kDelivery, 3, "tm03", 1);
    const Lease lease = MustClaim(Stage::kDelivery, {}).at(0);
    Commit commit = NewCommit(3);
    commit.due.push_back(remove ? DueGone(lease.key) : DueAt(lease.key, Now() + absl::Hours(1)));
    MustCommit(commit);
    EXPECT_EQ(store().CommitOnce(Fenced(lease, 0)).status().code(), absl::StatusCode::kAborted);
    EXPECT_EQ(store().Extend(lease, absl::Minutes(1)).status().code(), absl::StatusCode::kAborted);
    EXPECT_EQ(store().Release(lease, std::nullopt, false).code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), std::nullopt);
}

TEST_P(StoreConformance, AnEmptyLeaseIdIsNoKeyToAnEntryThatIsNotLeased) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  Lease forged;
  forged.key = {Stage::kDelivery, 3, "tm03", "0"};
  EXPECT_EQ(store().CommitOnce(Fenced(forged, 0)).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store().Extend(forged, absl::Minutes(1)).status().code(), absl::StatusCode::kAborted);
}

TEST_P(StoreConformance, ExtendProlongsFromNow) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease lease = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(10)}).at(0);
  Advance(absl::Minutes(8));
  const absl::StatusOr<Lease> longer = store().Extend(lease, absl::Minutes(10));
  ASSERT_TRUE(longer.ok()) << longer.status();
  EXPECT_EQ(longer->lease_id, lease.lease_id);
  EXPECT_EQ(longer->attempts, 1);
  EXPECT_GE(longer->expires, lease.expires + absl::Minutes(7));
  Advance(absl::Minutes(8));
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
  Advance(absl::Minutes(2));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).size(), 1u);
}

TEST_P(StoreConformance, ALeaseThatRanOutCanStillBeExtendedWhenNobodyCame) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease lease = MustClaim(Stage::kDelivery, {.lease = absl::Minutes(1)}).at(0);
  Advance(absl::Minutes(2));
  ASSERT_TRUE(store().Extend(lease, absl::Minutes(10)).ok());
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
}

TEST_P(StoreConformance, AReleasedEntryGoesBackToItsOldDueTime) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease first = MustClaim(Stage::kDelivery, {}).at(0);
  ASSERT_TRUE(store().Release(first, std::nullopt, false).ok());
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), first.due);
  EXPECT_EQ(store().Extend(first, absl::Minutes(1)).status().code(), absl::StatusCode::kAborted);
  const Lease second = MustClaim(Stage::kDelivery, {}).at(0);
  EXPECT_EQ(second.attempts, 2);
  EXPECT_EQ(second.due, first.due);
}

TEST_P(StoreConformance, WorkThatWasNeverBegunIsReleasedUncounted) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease first = MustClaim(Stage::kDelivery, {}).at(0);
  ASSERT_TRUE(store().Release(first, std::nullopt, /*uncount=*/true).ok());
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).attempts, 1);
}

TEST_P(StoreConformance, AnEntryReleasedForLaterWaitsUntilThen) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const Lease lease = MustClaim(Stage::kDelivery, {}).at(0);
  const absl::Time later = Now() + absl::Minutes(30);
  ASSERT_TRUE(store().Release(lease, later, false).ok());
  EXPECT_EQ(*store().NextDue(Stage::kDelivery), later);
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
  EXPECT_EQ(store().Claim(lease.key, absl::Minutes(1)).status().code(), absl::StatusCode::kNotFound);
  Advance(absl::Minutes(30));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).due, later);
}

TEST_P(StoreConformance, ARetryKeepsTheAttemptsAndNewWorkStartsAtZero) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  const DueKey key = MustClaim(Stage::kDelivery, {}).at(0).key;
  Commit retry = NewCommit(3);
  retry.due.push_back(DueAt(key, Now()));
  retry.due[0].keep_attempts = true;
  MustCommit(retry);
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).attempts, 2);
  Commit anew = NewCommit(3);
  anew.due.push_back(DueAt(key, Now()));
  MustCommit(anew);
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).attempts, 1);
}

TEST_P(StoreConformance, AReservedEntryIsTakenByKeyAtOnceAndByOthersWhenTheTimeIsOver) {
  const DueKey other{Stage::kDelivery, 3, "tm03", "other"};
  const absl::Time due = Now();
  Commit commit = NewCommit(3);
  for (const DueKey& key : {kEntry, other}) {
    commit.due.push_back(DueAt(key, due));
    commit.due.back().reserve = absl::Minutes(2);
  }
  MustCommit(commit);
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {.max = 10}).empty());
  EXPECT_GE(**store().NextDue(Stage::kDelivery), due + absl::Minutes(2));
  const absl::StatusOr<Lease> lease = store().Claim(kEntry, absl::Minutes(10));
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(lease->attempts, 1);
  EXPECT_EQ(lease->due, due);
  EXPECT_EQ(store().Claim(kEntry, absl::Minutes(10)).status().code(), absl::StatusCode::kNotFound) << "leased";
  Advance(absl::Minutes(3));
  const std::vector<Lease> taken = MustClaim(Stage::kDelivery, {.max = 10});
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].key, other);
  EXPECT_EQ(taken[0].due, due);
  EXPECT_EQ(taken[0].attempts, 1);
}

TEST_P(StoreConformance, AnEntryBornLeasedIsHeldByWhoKnowsTheLeaseAndAnybodysWhenItRanOut) {
  const DueKey other{Stage::kDelivery, 3, "tm03", "other"};
  Commit commit = NewCommit(3);
  for (const DueKey& key : {kEntry, other}) {
    commit.due.push_back(DueAt(key, Now()));
    commit.due.back().reserve = absl::Minutes(2);
    commit.due.back().lease_id = "born." + key.id;
  }
  const absl::Time committed = MustCommit(commit).time;
  const Lease born = BornLease(commit.due[0], committed);
  EXPECT_EQ(born.expires, committed + absl::Minutes(2));
  EXPECT_EQ(store().Stats(Stage::kDelivery)->leased, 2);
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {.max = 10}).empty());
  EXPECT_EQ(store().Claim(kEntry, absl::Minutes(1)).status().code(), absl::StatusCode::kNotFound) << "leased";

  const absl::StatusOr<Lease> longer = store().Extend(born, absl::Minutes(10));
  ASSERT_TRUE(longer.ok()) << longer.status();
  Advance(absl::Minutes(3));
  const std::vector<Lease> taken = MustClaim(Stage::kDelivery, {.max = 10});
  ASSERT_EQ(taken.size(), 1u) << "only the lease that was not prolonged has run out";
  EXPECT_EQ(taken[0].key, other);
  EXPECT_EQ(taken[0].attempts, 2) << "being born leased was the first";
  Lease lost = BornLease(commit.due[1], committed);
  EXPECT_TRUE(absl::IsAborted(store().Extend(lost, absl::Minutes(1)).status()));
  Commit late = NewCommit(3);
  late.lease = lost;
  late.due.push_back(DueGone(other));
  EXPECT_TRUE(absl::IsAborted(store().CommitOnce(late).status()));

  Commit done = NewCommit(3);
  done.lease = born;
  done.due.push_back(DueGone(kEntry));
  MustCommit(done);
  EXPECT_EQ(store().Stats(Stage::kDelivery)->leased, 1);
}

TEST_P(StoreConformance, AnEntryBornLeasedCanBeGivenBackUncounted) {
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, Now()));
  commit.due[0].reserve = absl::Minutes(2);
  commit.due[0].lease_id = "born";
  ASSERT_TRUE(store().Release(BornLease(commit.due[0], MustCommit(commit).time), std::nullopt, /*uncount=*/true).ok());
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).attempts, 1);
}

TEST_P(StoreConformance, WhatIsNotDueYetIsNotBornLeased) {
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, Now() + absl::Hours(1)));
  commit.due[0].reserve = absl::Minutes(2);
  commit.due[0].lease_id = "born";
  MustCommit(commit);
  EXPECT_EQ(store().Stats(Stage::kDelivery)->leased, 0);
  Advance(absl::Hours(2));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).at(0).attempts, 1);
}

TEST_P(StoreConformance, OnlyNewWorkIsBornLeased) {
  for (const auto& spoil : std::vector<void (*)(DueChange&)>{[](DueChange& change) { change.reserve = absl::ZeroDuration(); },
                                                             [](DueChange& change) { change.keep_attempts = true; },
                                                             [](DueChange& change) { change.due = std::nullopt; }}) {
    Commit commit = NewCommit(3);
    commit.due.push_back(DueAt(kEntry, Now()));
    commit.due[0].reserve = absl::Minutes(2);
    commit.due[0].lease_id = "born";
    spoil(commit.due[0]);
    EXPECT_TRUE(absl::IsInvalidArgument(store().CommitOnce(commit).status()));
  }
}

TEST_P(StoreConformance, AReservationDoesNotMakeAnEntryDueEarlier) {
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt(kEntry, Now() + absl::Hours(1)));
  commit.due[0].reserve = absl::Minutes(2);
  MustCommit(commit);
  EXPECT_EQ(store().Claim(kEntry, absl::Minutes(1)).status().code(), absl::StatusCode::kNotFound);
  Advance(absl::Minutes(10));
  EXPECT_TRUE(MustClaim(Stage::kDelivery, {}).empty());
  Advance(absl::Hours(1));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {}).size(), 1u);
}

TEST_P(StoreConformance, ClaimingWhatIsNotThereSaysSo) {
  EXPECT_EQ(store().Claim(kEntry, absl::Minutes(1)).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().Claim({Stage::kDelivery, 3, "tm03", ""}, absl::Minutes(1)).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().ClaimDue(Stage::kDelivery, {.max = 0}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().ClaimDue(Stage::kDelivery, {.lease = absl::ZeroDuration()}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_P(StoreConformance, WithinATeamTheOldestIsClaimedFirst) {
  const absl::Time now = Now();
  Commit commit = NewCommit(3);
  for (const int i : {4, 0, 3, 1, 2}) {
    commit.due.push_back(DueAt({Stage::kPromise, 3, "tm03", absl::StrCat(i)}, now - absl::Minutes(10 - i)));
  }
  MustCommit(commit);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(MustClaim(Stage::kPromise, {}).at(0).key.id, absl::StrCat(i));
}

TEST_P(StoreConformance, NextDueIsTheEarliestOfAllShardsAndTeams) {
  EXPECT_EQ(*store().NextDue(Stage::kPromise), std::nullopt);
  const absl::Time base = Now() + absl::Hours(1);
  for (const int shard : {9, 2, 63, 0}) {
    Commit commit = NewCommit(shard);
    commit.due.push_back(DueAt({Stage::kPromise, shard, "tm", "x"}, base + absl::Seconds(shard)));
    MustCommit(commit);
  }
  EXPECT_EQ(*store().NextDue(Stage::kPromise), base);
  Commit gone = NewCommit(0);
  gone.due.push_back(DueGone({Stage::kPromise, 0, "tm", "x"}));
  MustCommit(gone);
  EXPECT_EQ(*store().NextDue(Stage::kPromise), base + absl::Seconds(2));
}

TEST_P(StoreConformance, StatsTellWaitingLeasedAndFutureApart) {
  Fill(Stage::kDelivery, 3, "tm03", 5);
  Fill(Stage::kDelivery, 4, "tm04", 2);
  Commit commit = NewCommit(3);
  commit.due.push_back(DueAt({Stage::kDelivery, 3, "tm03", "later"}, Now() + absl::Hours(1)));
  MustCommit(commit);
  const std::vector<Lease> leases = MustClaim(Stage::kDelivery, {.max = 3, .lease = absl::Minutes(10)});
  ASSERT_EQ(leases.size(), 3u);
  DueStats stats = *store().Stats(Stage::kDelivery);
  EXPECT_EQ(stats.waiting, 4);
  EXPECT_EQ(stats.leased, 3);
  EXPECT_EQ(stats.future, 1);
  EXPECT_GE(stats.oldest_age, absl::Minutes(1));
  EXPECT_LT(stats.oldest_age, absl::Minutes(2));
  Advance(absl::Minutes(20));
  stats = *store().Stats(Stage::kDelivery);
  EXPECT_EQ(stats.waiting, 7) << "leases that ran out wait again";
  EXPECT_EQ(stats.leased, 0);
  Commit done = NewCommit(leases[0].key.shard);
  done.due.push_back(DueGone(leases[0].key));
  MustCommit(done);
  EXPECT_EQ(store().Stats(Stage::kDelivery)->waiting, 6);
  EXPECT_EQ(store().Stats(Stage::kRetention)->waiting, 0);
  EXPECT_EQ(store().Stats(Stage::kRetention)->oldest_age, absl::ZeroDuration());
}

TEST_P(StoreConformance, ATeamNeverHasMoreThanItsCapInFlight) {
  Fill(Stage::kDelivery, 3, "flood", 100);
  Fill(Stage::kDelivery, 3, "small", 2);
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  const ClaimOptions options{.max = 5, .lease = absl::Minutes(10), .team_in_flight_max = 8};
  std::vector<Lease> flood;
  int small = 0;
  for (int i = 0; i < 10; ++i) {
    const absl::StatusOr<std::vector<Lease>> leases =
        (i % 2 == 0 ? store() : *another).ClaimDue(Stage::kDelivery, options);
    ASSERT_TRUE(leases.ok()) << leases.status();
    for (const Lease& lease : *leases) {
      if (lease.key.team == "flood") {
        flood.push_back(lease);
      } else {
        ++small;
      }
    }
  }
  EXPECT_EQ(flood.size(), 8u);
  EXPECT_EQ(small, 2);
  Commit done = NewCommit(3);
  done.lease = flood[0];
  done.due.push_back(DueGone(flood[0].key));
  MustCommit(done);
  ASSERT_TRUE(store().Release(flood[1], Now() + absl::Hours(1), false).ok());
  EXPECT_EQ(MustClaim(Stage::kDelivery, options).size(), 2u) << "two places came free";
  Advance(absl::Minutes(11));
  EXPECT_EQ(MustClaim(Stage::kDelivery, {.max = 50, .team_in_flight_max = 8}).size(), 10u)
      << "leases that ran out: 8 of the flood and both of the other team";
}

// The place in the order of claims of every entry that is not the flooding team's.
std::vector<int> PlacesOfOthers(Store& store, int per_claim) {
  std::vector<int> places;
  int place = 0;
  while (true) {
    const absl::StatusOr<std::vector<Lease>> leases =
        store.ClaimDue(Stage::kDelivery, {.max = per_claim, .lease = absl::Hours(1), .team_in_flight_max = 100000});
    EXPECT_TRUE(leases.ok()) << leases.status();
    if (!leases.ok() || leases->empty()) return places;
    for (const Lease& lease : *leases) {
      ++place;
      if (lease.key.team != "flood") places.push_back(place);
    }
  }
}

TEST_P(StoreConformance, AFloodingTeamAtMostDoublesTheWaitOfTheOthers) {
  constexpr int kEach = 10;
  for (const int per_claim : {1, 7}) {
    for (const int flood_shard : {10, 40}) {  // among the others, and on a shard of its own
      harness_ = GetParam()();
      for (int team = 0; team < 5; ++team) Fill(Stage::kDelivery, 10 + team % 2, absl::StrCat("team", team), kEach);
      const std::vector<int> calm = PlacesOfOthers(store(), per_claim);
      ASSERT_EQ(calm.size(), 5u * kEach);

      harness_ = GetParam()();
      Fill(Stage::kDelivery, flood_shard, "flood", 20 * kEach);
      for (int team = 0; team < 5; ++team) Fill(Stage::kDelivery, 10 + team % 2, absl::StrCat("team", team), kEach);
      const std::vector<int> flooded = PlacesOfOthers(store(), per_claim);
      ASSERT_EQ(flooded.size(), 5u * kEach);
      double calm_sum = 0;
      double flooded_sum = 0;
      for (size_t i = 0; i < calm.size(); ++i) {
        calm_sum += calm[i];
        flooded_sum += flooded[i];
      }
      EXPECT_LE(flooded_sum, 2 * calm_sum) << per_claim << " per claim, flood on shard " << flood_shard;
      EXPECT_LE(flooded.back(), 2 * calm.back() + per_claim);
    }
  }
}

TEST_P(StoreConformance, WhenVeryManyTeamsAreDueEachGetsItsFirstBeforeAnyGetsItsSecond) {
  constexpr int kShardsUsed = 4;
  constexpr int kTeams = 1200;
  std::vector<Commit> commits;
  for (int team = 0; team < kTeams; ++team) {
    commits.push_back(NewCommit(team % kShardsUsed));
    for (const char* id : {"first", "second", "third"}) {
      // The higher the team's number, the older its entries: going by age alone would not take turns.
      commits.back().due.push_back(DueAt({Stage::kDelivery, team % kShardsUsed, absl::StrCat("team", team), id},
                                         Now() - absl::Seconds(1 + team)));
    }
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  for (int round = 1; round <= 3; ++round) {
    std::set<std::string> served;
    for (int claims = 0; claims < kTeams / 100; ++claims) {
      for (const Lease& lease : MustClaim(Stage::kDelivery, {.max = 100, .lease = absl::Hours(1)})) {
        EXPECT_TRUE(served.insert(lease.key.team).second) << lease.key.team << " twice in round " << round;
      }
    }
    EXPECT_EQ(served.size(), static_cast<size_t>(kTeams));
  }
}

TEST_P(StoreConformance, OnOneShardManyTeamsAtTheirCapHideNobody) {
  constexpr int kTeams = 1300;
  std::vector<Commit> commits;
  for (int team = 0; team < kTeams; ++team) {
    commits.push_back(NewCommit(3));
    for (const char* id : {"first", "second"}) {
      commits.back().due.push_back(DueAt({Stage::kDelivery, 3, absl::StrCat("team", team), id}, Now() - absl::Hours(1)));
    }
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  const ClaimOptions options{.max = 100, .lease = absl::Hours(1), .team_in_flight_max = 1};
  std::set<std::string> served;
  for (int claims = 0; claims < kTeams / 100; ++claims) {
    for (const Lease& lease : MustClaim(Stage::kDelivery, options)) EXPECT_TRUE(served.insert(lease.key.team).second);
  }
  EXPECT_EQ(served.size(), static_cast<size_t>(kTeams)) << "each its first before any its second";
  EXPECT_TRUE(MustClaim(Stage::kDelivery, options).empty());
  Fill(Stage::kDelivery, 3, "young", 1);
  const std::vector<Lease> leases = MustClaim(Stage::kDelivery, options);
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].key.team, "young");
}

TEST_P(StoreConformance, EveryEntryIsClaimedExactlyOncePerLeaseUnderConcurrency) {
  constexpr int kTeams = 10;
  constexpr int kEach = 200;
  for (int team = 0; team < kTeams; ++team) Fill(Stage::kTranscode, team % 4, absl::StrCat("team", team), kEach);
  const std::unique_ptr<Store> another = harness_->OpenAnother();
  for (int round = 1; round <= 2; ++round) {
    Mutex mutex;
    std::map<std::string, int> claimed;
    std::set<std::string> lease_ids;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        Store& mine = t % 2 == 0 ? store() : *another;
        while (true) {
          const absl::StatusOr<std::vector<Lease>> leases = mine.ClaimDue(
              Stage::kTranscode, {.max = 1 + t * 3, .lease = absl::Hours(1), .team_in_flight_max = 100000});
          ASSERT_TRUE(leases.ok()) << leases.status();
          if (leases->empty()) return;
          MutexLock lock(&mutex);
          for (const Lease& lease : *leases) {
            ++claimed[lease.key.team + "/" + lease.key.id];
            lease_ids.insert(lease.lease_id);
            EXPECT_EQ(lease.attempts, round);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(claimed.size(), static_cast<size_t>(kTeams * kEach));
    EXPECT_EQ(lease_ids.size(), static_cast<size_t>(kTeams * kEach));
    for (const auto& [entry, times] : claimed) EXPECT_EQ(times, 1) << entry;
    Advance(absl::Hours(2));
  }
}

TEST_P(StoreConformance, OfManyWhoClaimTheSameKeyExactlyOneGetsIt) {
  Fill(Stage::kDelivery, 3, "tm03", 1);
  std::atomic<int> got{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      const absl::StatusOr<Lease> lease = store().Claim({Stage::kDelivery, 3, "tm03", "0"}, absl::Hours(1));
      if (lease.ok()) {
        ++got;
      } else {
        EXPECT_EQ(lease.status().code(), absl::StatusCode::kNotFound) << lease.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(got, 1);
}

}  // namespace
}  // namespace ringback::store
