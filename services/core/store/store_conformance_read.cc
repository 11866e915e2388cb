// Reads: records, expiry, erasure, scans, lists.
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/store/every_record.h"
#include "core/store/store_conformance.h"

namespace ringback::store {
namespace {

const IndexKey kIndex{5, "tm05", "open"};

TEST_P(StoreConformance, GetManyKeepsTheOrderOfTheKeysAndMarksWhatIsMissing) {
  for (const int shard : {1, 2}) {
    Commit commit = NewCommit(shard);
    commit.puts.push_back(PutOf({shard, Kind::kCallback, "a"}, absl::StrCat("a", shard)));
    commit.puts.push_back(PutOf({shard, Kind::kDelivery, "a"}, absl::StrCat("d", shard)));
    MustCommit(commit);
  }
  const std::vector<Key> keys = {{2, Kind::kDelivery, "a"}, {1, Kind::kCallback, "b"}, {1, Kind::kCallback, "a"},
                                 {2, Kind::kDelivery, "a"}};
  const std::vector<Record> records = *store().GetMany(keys);
  ASSERT_EQ(records.size(), 4u);
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(records[i].key, keys[i]);
  EXPECT_EQ(records[0].value, "d2");
  EXPECT_EQ(records[1].version, 0u);
  EXPECT_EQ(records[1].value, "");
  EXPECT_EQ(records[2].value, "a1");
  EXPECT_EQ(records[3].value, "d2");
  EXPECT_TRUE(store().GetMany({})->empty());
}

TEST_P(StoreConformance, AReadingTellsTheRecordsAndTheTimeAtWhichTheyWereThere) {
  const Key token{5, Kind::kToken, "t"}, team{5, Kind::kTeam, "tm05"}, missing{5, Kind::kTeam, "none"};
  Commit commit = NewCommit(5);
  commit.puts.push_back(PutOf(token, "token"));
  commit.puts.push_back(PutOf(team, "team"));
  commit.puts[0].expires = Now() + absl::Hours(1);
  MustCommit(commit);
  const absl::Time before = Now();
  absl::StatusOr<Reading> reading = store().ReadNow({team, missing, token});
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_GE(reading->now, before);
  EXPECT_LE(reading->now, Now());
  ASSERT_EQ(reading->records.size(), 3u);
  EXPECT_EQ(reading->records[0].value, "team");
  EXPECT_EQ(reading->records[1].version, 0u);
  EXPECT_EQ(reading->records[2].key, token);
  EXPECT_EQ(reading->records[2].value, "token");

  Advance(absl::Hours(1));
  reading = store().ReadNow({token});
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_GE(reading->now, before + absl::Hours(1));
  EXPECT_EQ(reading->records[0].version, 0u) << "expired at the time the reading tells";
  EXPECT_GE(store().ReadNow({})->now, reading->now);
}

TEST_P(StoreConformance, AReadingSeesEveryCommitBeforeIt) {
  const Key token{5, Kind::kToken, "t"}, team{5, Kind::kTeam, "tm05"};
  const auto other = harness_->OpenAnother();
  for (uint64_t version = 0; version < 20; ++version) {
    Commit commit = NewCommit(5);
    commit.puts.push_back(PutOf(token, absl::StrCat("token", version), version));
    commit.puts.push_back(PutOf(team, absl::StrCat("team", version), version));
    const CommitResult done = MustCommit(commit);
    const Reading reading = *other->ReadNow({token, team});
    EXPECT_GE(reading.now, done.time);
    EXPECT_EQ(reading.records[0].value, absl::StrCat("token", version));
    EXPECT_EQ(reading.records[1].value, absl::StrCat("team", version));
    EXPECT_EQ(reading.records[0].version, version + 1);
  }
}

TEST_P(StoreConformance, AnyBytesComeBackAsTheyWere) {
  using std::string_literals::operator""s;
  std::string big(1 << 20, '\0');
  for (size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 255);
  const std::vector<std::pair<std::string, std::string>> pairs = {
      {"nul\0in:id"s, "value\0with\nnul\xff"s}, {"Müller {07} 呼"s, "grün"s}, {"empty"s, ""s}, {"big"s, big}};
  Commit commit = NewCommit(5);
  for (const auto& [id, value] : pairs) {
    commit.puts.push_back(PutOf({5, Kind::kCallback, id}, value));
    commit.indexes.push_back({kIndex, id});
    commit.counters.push_back({"tm05", id, id, 3});
    commit.events.push_back({"tm\0:05"s, id, id});
    commit.due.push_back(DueAt({Stage::kDelivery, 5, "tm\0:05"s, id}, Now() - absl::Seconds(1)));
  }
  MustCommit(commit);
  for (const auto& [id, value] : pairs) {
    const absl::StatusOr<Record> record = store().Get({5, Kind::kCallback, id});
    ASSERT_TRUE(record.ok()) << record.status();
    EXPECT_TRUE(record->value == value) << id;
    EXPECT_EQ(store().Counters(5, "tm05", id)->at(0).first, id);
  }
  EXPECT_EQ(AllRecords(store(), 5, Kind::kCallback)->size(), pairs.size());
  EXPECT_EQ(store().Scan(kIndex, "", "", {})->members,
            (std::vector<std::string>{"Müller {07} 呼", "big", "empty", "nul\0in:id"s}));
  const ChangesResult changes = *store().Changes(5, "tm\0:05"s, 0, 10);
  ASSERT_EQ(changes.events.size(), pairs.size());
  EXPECT_EQ(changes.events[0].event.subject, pairs[0].first);
  const std::vector<Lease> leases = MustClaim(Stage::kDelivery, {.max = 10});
  ASSERT_EQ(leases.size(), pairs.size());
  for (const Lease& lease : leases) EXPECT_EQ(lease.key.team, "tm\0:05"s);
}

TEST_P(StoreConformance, AnEmptyIdIsRefusedOnReading) {
  EXPECT_EQ(store().Get({5, Kind::kCallback, ""}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().ReadNow({{5, Kind::kCallback, ""}}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store().Get({99, Kind::kCallback, "a"}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(StoreConformance, WhatHasExpiredIsGoneFromEveryReadAtOnce) {
  const Key key{5, Kind::kSession, "s"};
  Commit commit = NewCommit(5);
  commit.puts.push_back(PutOf(key, "value"));
  commit.puts[0].expires = Now() + absl::Hours(1);
  MustCommit(commit);
  EXPECT_TRUE(store().Get(key).ok());
  Advance(absl::Hours(1));
  EXPECT_EQ(store().Get(key).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(store().GetMany({key})->at(0).version, 0u);
  EXPECT_TRUE(AllRecords(store(), 5, Kind::kSession)->empty());
  Commit anew = NewCommit(5);
  anew.puts.push_back(PutOf(key, "anew"));
  MustCommit(anew);
  EXPECT_EQ(store().Get(key)->version, 1u);
  ASSERT_TRUE(store().Sweep().ok());
  EXPECT_EQ(store().Get(key)->value, "anew") << "the sweep must not take the record that followed";
}

TEST_P(StoreConformance, AWriteWithoutExpiryTakesTheExpiryAway) {
  const Key key{5, Kind::kSession, "s"};
  Commit commit = NewCommit(5);
  commit.puts.push_back(PutOf(key, "value"));
  commit.puts[0].expires = Now() + absl::Hours(1);
  MustCommit(commit);
  Commit longer = NewCommit(5);
  longer.puts.push_back(PutOf(key, "for ever", 1));
  MustCommit(longer);
  Advance(absl::Hours(2));
  ASSERT_TRUE(store().Sweep().ok());
  EXPECT_EQ(store().Get(key)->value, "for ever");
}

TEST_P(StoreConformance, SweepCountsWhatItRemovesAndKeepsTheRest) {
  Commit commit = NewCommit(5);
  for (int i = 0; i < 10; ++i) {
    commit.puts.push_back(PutOf({5, Kind::kRequest, absl::StrCat(i)}, "v"));
    commit.puts.back().expires = Now() + absl::Minutes(i < 6 ? 10 : 30);
  }
  MustCommit(commit);
  EXPECT_EQ(*store().Sweep(), 0);
  Advance(absl::Minutes(20));
  EXPECT_EQ(*store().Sweep(), 6);
  EXPECT_EQ(*store().Sweep(), 0);
  EXPECT_EQ(AllRecords(store(), 5, Kind::kRequest)->size(), 4u);
}

TEST_P(StoreConformance, NoByteOfWhatWasErasedStaysOnDisk) {
  const std::string expiring = "EXPIRING-SECRET-4711";
  const std::string deleted = "DELETED-SECRET-0815";
  const std::string replaced = "REPLACED-SECRET-1234";
  const std::string kept = "KEPT-RECORD-5555";
  // Many records of many sizes, so that pages split and merge and leave copies of rows behind.
  constexpr int kRecords = 400;
  std::vector<Commit> commits;
  const auto value = [](const std::string& mark, int i) {
    std::string text;
    while (text.size() < static_cast<size_t>(20 + (i * 37) % 900)) text += mark;
    return text;
  };
  const auto mark = [&](int i) { return i % 4 == 0 ? expiring : i % 4 == 1 ? deleted : i % 4 == 2 ? replaced : kept; };
  const auto key = [](int i) { return Key{5, Kind::kCallback, absl::StrCat((i * 7919) % kRecords)}; };
  for (int i = 0; i < kRecords; ++i) {
    commits.push_back(NewCommit(5));
    commits.back().puts.push_back(PutOf(key(i), value(mark(i), i)));
    if (mark(i) == expiring) commits.back().puts[0].expires = Now() + absl::Hours(1);
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  for (const std::string& secret : {expiring, deleted, replaced, kept}) ASSERT_TRUE(harness_->OnDisk(secret));

  commits.clear();
  for (int i = 0; i < kRecords; ++i) {
    if (mark(i) != deleted && mark(i) != replaced) continue;
    commits.push_back(NewCommit(5));
    commits.back().puts.push_back(mark(i) == deleted ? DeleteOf(key(i), 1) : PutOf(key(i), "harmless", 1));
  }
  for (const auto& result : store().CommitAll(commits)) ASSERT_TRUE(result.ok()) << result.status();
  Advance(absl::Hours(2));
  ASSERT_TRUE(store().Sweep().ok());
  const absl::Status compacted = store().Compact();
  ASSERT_TRUE(compacted.ok()) << compacted;
  EXPECT_FALSE(harness_->OnDisk(expiring));
  EXPECT_FALSE(harness_->OnDisk(deleted));
  EXPECT_FALSE(harness_->OnDisk(replaced));
  EXPECT_TRUE(harness_->OnDisk(kept));
  EXPECT_EQ(AllRecords(store(), 5, Kind::kCallback)->size(), kRecords / 2u);
}

TEST_P(StoreConformance, AScanKeepsToItsRangeAndIsOrderedByBytes) {
  Commit commit = NewCommit(5);
  for (const char* member : {"b", "a", "\xc3\xa4", "B", "aa", "c"}) commit.indexes.push_back({kIndex, member});
  commit.indexes.push_back({{5, "tm05", "other"}, "x"});
  commit.indexes.push_back({{5, "*", "open"}, "y"});
  commit.indexes.push_back({kIndex, "a"});  // there already
  MustCommit(commit);
  using Members = std::vector<std::string>;
  EXPECT_EQ(store().Scan(kIndex, "", "", {})->members, (Members{"B", "a", "aa", "b", "c", "\xc3\xa4"}));
  EXPECT_EQ(store().Scan(kIndex, "a", "c", {})->members, (Members{"a", "aa", "b"}));
  EXPECT_EQ(store().Scan(kIndex, "a", "", {})->members, (Members{"a", "aa", "b", "c", "\xc3\xa4"}));
  Page down;
  down.descending = true;
  EXPECT_EQ(store().Scan(kIndex, "a", "c", down)->members, (Members{"b", "aa", "a"}));
  EXPECT_EQ(store().Scan(kIndex, "", "", down)->members, (Members{"\xc3\xa4", "c", "b", "aa", "a", "B"}));
  EXPECT_TRUE(store().Scan(kIndex, "x", "b", {})->members.empty());
  EXPECT_TRUE(store().Scan({6, "tm05", "open"}, "", "", {})->members.empty());
}

TEST_P(StoreConformance, PagesOfAScanJoinWithoutGapOrRepetition) {
  Commit commit = NewCommit(5);
  for (int i = 0; i < 25; ++i) commit.indexes.push_back({kIndex, absl::StrFormat("%02d", i)});
  MustCommit(commit);
  for (const bool descending : {false, true}) {
    std::vector<std::string> all;
    Page page{.limit = 7, .descending = descending};
    while (true) {
      const ScanResult result = *store().Scan(kIndex, "02", "23", page);
      ASSERT_LE(result.members.size(), 7u);
      all.insert(all.end(), result.members.begin(), result.members.end());
      if (!result.more) break;
      page.after = all.back();
    }
    ASSERT_EQ(all.size(), 21u);
    EXPECT_EQ(all.front(), descending ? "22" : "02");
    EXPECT_EQ(all.back(), descending ? "02" : "22");
  }
  EXPECT_FALSE(store().Scan(kIndex, "02", "09", {.limit = 7})->more) << "exactly a page is no reason for another";
  EXPECT_EQ(store().Scan(kIndex, "", "", {.limit = 0}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(StoreConformance, AScanThatIsPagedWhileTheSetChangesNeitherRepeatsNorSkips) {
  constexpr int kStable = 60;
  Commit commit = NewCommit(5);
  for (int i = 0; i < kStable; ++i) commit.indexes.push_back({kIndex, absl::StrFormat("%03d-stable", i)});
  MustCommit(commit);
  std::vector<std::string> stable;
  Page page{.limit = 5};
  for (int round = 0;; ++round) {
    const ScanResult result = *store().Scan(kIndex, "", "", page);
    for (const std::string& member : result.members) {
      if (member.ends_with("-stable")) stable.push_back(member);
    }
    if (!result.more) break;
    page.after = result.members.back();
    // Before, at and behind the place where the next page begins; the last member read goes away too.
    Commit change = NewCommit(5);
    for (const int i : {0, round * 5, round * 5 + 4, round * 5 + 5, kStable - 1}) {
      change.indexes.push_back({kIndex, absl::StrFormat("%03d-coming-%d", i, round)});
      change.indexes.push_back({kIndex, absl::StrFormat("%03d-coming-%d", i, round - 1), /*remove=*/true});
    }
    MustCommit(change);
  }
  ASSERT_EQ(stable.size(), static_cast<size_t>(kStable));
  for (int i = 0; i < kStable; ++i) EXPECT_EQ(stable[i], absl::StrFormat("%03d-stable", i));
}

TEST_P(StoreConformance, ListWalksOneKindOfOneShard) {
  Commit commit = NewCommit(5);
  std::vector<std::string> wanted;
  for (int i = 0; i < 99; ++i) {
    wanted.push_back(absl::StrFormat("c%02d", i));
    commit.puts.push_back(PutOf({5, Kind::kContact, wanted.back()}, absl::StrCat(i, std::string(80, 'v'))));
  }
  commit.puts.push_back(PutOf({5, Kind::kTeam, "c03"}, "team"));
  MustCommit(commit);
  Commit other = NewCommit(6);
  other.puts.push_back(PutOf({6, Kind::kContact, "c00"}, "other"));
  MustCommit(other);
  std::set<std::string> ids;
  std::string cursor;
  int pages = 0;
  do {
    const ListResult page = *store().List(5, Kind::kContact, "", cursor, 10);
    for (const Record& record : page.records) {
      ids.insert(record.key.id);
      EXPECT_EQ(record.value, absl::StrCat(std::stoi(record.key.id.substr(1)), std::string(80, 'v')));
      EXPECT_EQ(record.version, 1u);
      EXPECT_EQ(record.key.shard, 5);
      EXPECT_EQ(record.key.kind, Kind::kContact);
    }
    cursor = page.cursor;
    ++pages;
  } while (!cursor.empty());
  EXPECT_GT(pages, 5);
  EXPECT_EQ(std::vector<std::string>(ids.begin(), ids.end()), wanted);
}

TEST_P(StoreConformance, ListFindsIdsByTheirBeginning) {
  Commit commit = NewCommit(5);
  for (const char* id : {"ab1", "ab2", "abc", "b1", "a", "a*b", "a[b]", "a\\*", "a\xff"}) {
    commit.puts.push_back(PutOf({5, Kind::kContact, id}, std::string(80, 'v')));
  }
  MustCommit(commit);
  const auto found = [&](const std::string& prefix) {
    std::vector<std::string> ids;
    const std::vector<Record> records = AllRecords(store(), 5, Kind::kContact, prefix).value();
    for (const Record& record : records) ids.push_back(record.key.id);
    return ids;
  };
  using Ids = std::vector<std::string>;
  EXPECT_EQ(found("ab"), (Ids{"ab1", "ab2", "abc"}));
  EXPECT_EQ(found("abc"), (Ids{"abc"}));
  EXPECT_EQ(found("a*"), (Ids{"a*b"}));
  EXPECT_EQ(found("a["), (Ids{"a[b]"}));
  EXPECT_EQ(found("a\\"), (Ids{"a\\*"}));
  EXPECT_EQ(found("a\xff"), (Ids{"a\xff"}));
  EXPECT_EQ(found("c"), Ids());
}

TEST_P(StoreConformance, ATeamWhoseFirstEntryWentAwayHidesNobody) {
  // Entries of four teams; the first ones go in every way there is, and the others are found at their time.
  const auto key = [](int team, const char* id) { return DueKey{Stage::kPromise, 5, absl::StrCat("tm05", team), id}; };
  Commit commit = NewCommit(5);
  const absl::Time now = *store().Now();
  for (int team = 0; team < 4; ++team) {
    commit.due.push_back({key(team, "first"), now - absl::Seconds(5)});
    commit.due.push_back({key(team, "second"), now + absl::Hours(1 + team)});
  }
  MustCommit(commit);
  Commit removal = NewCommit(5);
  removal.due.push_back({key(0, "first"), std::nullopt});
  removal.due.push_back({key(1, "first"), now + absl::Hours(9)});
  MustCommit(removal);
  ASSERT_TRUE(store().Claim(key(2, "first"), absl::Hours(10)).ok());
  const std::vector<Lease> leases = *store().ClaimDue(Stage::kPromise, {.max = 10, .lease = absl::Hours(10)});
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].key, key(3, "first"));
  for (int team = 0; team < 4; ++team) {
    const absl::Time due = absl::FromUnixMicros(absl::ToUnixMicros(now + absl::Hours(1 + team)));
    EXPECT_EQ(**store().NextDue(Stage::kPromise), due);
    Commit gone = NewCommit(5);
    gone.due.push_back({key(team, "second"), std::nullopt});
    MustCommit(gone);
  }
  EXPECT_EQ(**store().NextDue(Stage::kPromise), absl::FromUnixMicros(absl::ToUnixMicros(now + absl::Hours(9))));
  Commit rest = NewCommit(5);
  for (int team = 1; team < 4; ++team) rest.due.push_back({key(team, "first"), std::nullopt});
  MustCommit(rest);
  EXPECT_EQ(*store().NextDue(Stage::kPromise), std::nullopt);
  EXPECT_TRUE(store().ClaimDue(Stage::kPromise, {.max = 10})->empty());
}

TEST_P(StoreConformance, AHealthyStoreChecksOut) {
  const absl::Status status = store().Check();
  EXPECT_TRUE(status.ok()) << status;
}

TEST_P(StoreConformance, ReadersAndWritersDoNotDisturbEachOther) {
  // Two records change together; a reader must never see one without the other.
  const Key a{5, Kind::kCallback, "a"};
  const Key b{5, Kind::kCallback, "b"};
  Commit first = NewCommit(5);
  first.puts.push_back(PutOf(a, "0"));
  first.puts.push_back(PutOf(b, "0"));
  MustCommit(first);
  std::thread writer([&] {
    for (uint64_t i = 1; i <= 100; ++i) {
      Commit commit = NewCommit(5);
      commit.puts.push_back(PutOf(a, absl::StrCat(i), i));
      commit.puts.push_back(PutOf(b, absl::StrCat(i), i));
      EXPECT_TRUE(store().CommitOnce(commit).ok());
    }
  });
  std::vector<std::thread> readers;
  for (int t = 0; t < 6; ++t) {
    readers.emplace_back([&] {
      std::string value;
      while (value != "100") {
        const absl::StatusOr<std::vector<Record>> records = store().GetMany({a, b});
        ASSERT_TRUE(records.ok()) << records.status();
        ASSERT_EQ(records->at(0).value, records->at(1).value);
        value = records->at(0).value;
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace ringback::store
