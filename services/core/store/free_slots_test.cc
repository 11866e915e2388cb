// What stands in the way of a free time: other customers' promises and the subscription's appointments, read from a store.
#include "core/store/free_slots.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/temp_dir.h"
#include "core/domain/input.h"
#include "core/domain/rules.h"
#include "core/domain/story.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"

namespace ringback::store {
namespace {

using domain::At;

constexpr char kMember[] = "mb07aaaaaaaaaaaa";

class FreeSlotsOfTest : public testing::Test {
 protected:
  FreeSlotsOfTest() : clock_(At("2026-11-23 09:00")), random_(NewSeededRandom(7)), team_(domain::SmallTeam()) {
    SqliteOptions options;
    options.path = folder_.File("test.db");
    options.clock = &clock_;
    options.random = random_.get();
    store_ = OpenSqliteStore(options).value();
    domain::AddMember(team_, kMember, record::Member::ROLE_REP);
  }

  record::CallbackRecord Open(const std::string& id, const std::string& promised_at = "") {
    domain::Request request;
    request.callback_id = id;
    request.assignee_id = kMember;
    auto decision = *domain::Open(request, team_, {"tk07intake"}, clock_.Now());
    if (!promised_at.empty()) {
      decision = *domain::Apply(
          decision.callback,
          domain::MakePromise{At(promised_at), record::PromiseRecord::CHANNEL_SPOKEN, "", false, ""}, team_, {kMember},
          clock_.Now());
    }
    Commit commit;
    commit.shard = 7;
    commit.commit_id = id;
    AddDecision(nullptr, 0, decision, clock_.Now(), &commit);
    EXPECT_TRUE(store_->CommitOnce(commit).ok());
    return decision.callback;
  }
  std::vector<absl::Time> Slots(const record::CallbackRecord& callback, int count) {
    return *FreeSlotsOf(*store_, callback, team_, clock_.Now(), count);
  }

  FakeClock clock_;
  const std::unique_ptr<Random> random_;
  record::TeamRecord team_;
  const TempDir folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(FreeSlotsOfTest, LeaveOutWhatIsOwedToOthersAndWhatTheSubscriptionSays) {
  const auto callback = Open("cb07aaaaaaaaaaaa", "2026-11-23 14:00");
  EXPECT_EQ(Slots(callback, 1)[0], At("2026-11-23 09:30"));
  Open("cb07bbbbbbbbbbbb", "2026-11-23 09:30");
  Open("cb07cccccccccccc");  // waits for a promise: its response target blocks nothing
  EXPECT_EQ(Slots(callback, 1)[0], At("2026-11-23 09:45"));

  record::BusyRecord busy;
  auto& span = *busy.add_spans();
  *span.mutable_start_time() = domain::ToProto(At("2026-11-23 09:40"));
  *span.mutable_end_time() = domain::ToProto(At("2026-11-23 11:00"));
  Commit commit;
  commit.shard = 7;
  commit.commit_id = "busy";
  AddPut(*BusyKey(kMember), 0, busy, &commit);
  ASSERT_TRUE(store_->CommitOnce(commit).ok());
  EXPECT_EQ(Slots(callback, 1)[0], At("2026-11-23 11:00"));
}

TEST_F(FreeSlotsOfTest, OneOfTwoCustomersWhoChooseTheSameTimeAtOnceGetsIt) {
  const auto first = Open("cb07aaaaaaaaaaaa", "2026-11-23 14:00"), second = Open("cb07bbbbbbbbbbbb", "2026-11-23 15:00");
  const absl::Time slot = At("2026-11-23 10:00");
  // As two processes do it: both have looked before either has committed.
  const auto choose = [&](const record::CallbackRecord& callback) {
    Commit commit;
    commit.shard = 7;
    commit.commit_id = "choice of " + callback.id();
    EXPECT_TRUE(AddSlotChoice(*store_, callback, team_, slot, clock_.Now(), &commit).ok());
    const auto moved = domain::Apply(callback, domain::CustomerMove{slot}, team_, {"customer", true}, clock_.Now());
    AddDecision(&callback, 1, *moved, clock_.Now(), &commit);
    return commit;
  };
  const Commit one = choose(first), other = choose(second);
  EXPECT_TRUE(store_->CommitOnce(one).ok());
  EXPECT_TRUE(absl::IsAborted(store_->CommitOnce(other).status()));
  Commit again;
  again.shard = 7;
  const absl::Status taken = AddSlotChoice(*store_, second, team_, slot, clock_.Now(), &again);
  EXPECT_EQ(domain::DetailOf(taken).reason, kSlotTaken);
  EXPECT_TRUE(again.puts.empty());
  EXPECT_TRUE(AddSlotChoice(*store_, second, team_, At("2026-11-23 10:15"), clock_.Now(), &again).ok());
}

TEST_F(FreeSlotsOfTest, OfAnUnassignedCallAreTheTeamsHours) {
  auto callback = Open("cb07aaaaaaaaaaaa");
  callback.clear_assignee_id();
  EXPECT_EQ(Slots(callback, 1)[0], At("2026-11-23 09:30"));
}

}  // namespace
}  // namespace ringback::store
