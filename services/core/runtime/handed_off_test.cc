// From a commit to a worker by the hand-off: what travels, what a failed commit and a lost message cost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/handoff/handoff.h"
#include "core/rpc/rpc_fixture.h"
#include "core/runtime/due_job.h"
#include "core/runtime/notifying_store.h"
#include "core/runtime/worker_loop.h"

namespace ringback::runtime {
namespace {

using store::Stage;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";

TEST(DueJobTest, AnEntryComesBackAndNonsenseDoesNot) {
  const store::DueKey key{Stage::kDelivery, 63, "tm63a", "dl63b"};
  const store::Lease lease{key, "1f2e", absl::FromUnixMicros(1'700'000'000'000'001), absl::FromUnixMicros(1'700'000'000'750'002), 1};
  EXPECT_EQ(DecodeOffered(EncodeReserved(key))->key, key);
  EXPECT_FALSE(DecodeOffered(EncodeReserved(key))->lease.has_value());
  for (const std::string appended : {"", "\x1fmore"}) {  // what a newer program appends
    const auto leased = DecodeOffered(EncodeLeased(lease) + appended);
    ASSERT_TRUE(leased.has_value() && leased->lease.has_value());
    EXPECT_EQ(leased->key, key);
    EXPECT_EQ(leased->lease->key, key);
    EXPECT_EQ(leased->lease->lease_id, "1f2e");
    EXPECT_EQ(leased->lease->due, lease.due);
    EXPECT_EQ(leased->lease->expires, lease.expires);
    EXPECT_EQ(leased->lease->attempts, 1);
  }
  for (const char* bad : {"", "2", "2\x1f" "7\x1ftm07", "9\x1f" "7\x1ftm\x1f" "a", "2\x1f" "64\x1ftm\x1f" "a", "2\x1f" "7\x1ftm\x1f"}) {
    EXPECT_FALSE(DecodeOffered(bad)) << bad;
  }
}

// Counts what leases cost.
class CountingStore : public rpc::ForwardingStore {
 public:
  using rpc::ForwardingStore::ForwardingStore;
  absl::StatusOr<store::Lease> Claim(const store::DueKey& key, absl::Duration lease) override {
    ++claims;
    if (in_claim) in_claim();
    return ForwardingStore::Claim(key, lease);
  }
  absl::StatusOr<store::Lease> Extend(const store::Lease& lease, absl::Duration duration) override {
    auto longer = away ? absl::UnavailableError("away") : ForwardingStore::Extend(lease, duration);
    ++extends;
    return longer;
  }
  std::atomic<int> claims{0}, extends{0};
  std::atomic<bool> away{false};  // for extends
  std::function<void()> in_claim;
};

class HandedOffTest : public rpc::StoreTest {
 protected:
  void Open(handoff::Options options = {}) {
    options.beat = std::chrono::milliseconds(100);
    options.happened = [this](const char* what) {
      MutexLock lock(&mutex_);
      ++happened_[what];
    };
    options.turned = [this] {
      MutexLock lock(&mutex_);
      changed_.NotifyAll();
    };
    handoff_ = handoff::Handoff::Create(std::move(options)).value();
    auto counting = std::make_unique<CountingStore>(store_.get());
    counting_ = counting.get();
    notifying_ = NewNotifyingStore(std::move(counting), {&handoff_->signals(), &clock_, handoff_.get(), random_.get()});
  }
  // False after a minute: the test has failed.
  bool Until(const std::function<bool()>& sign) {
    const absl::Time end = absl::Now() + absl::Minutes(1);
    while (!sign()) {
      if (absl::Now() > end) return false;
      MutexLock lock(&mutex_);
      changed_.WaitFor(&mutex_, std::chrono::milliseconds(50));
    }
    return true;
  }
  int Happened(const std::string& what) {
    MutexLock lock(&mutex_);
    return happened_[what];
  }

  using Handler = std::function<absl::Status(const Job&)>;
  void Run(Handler handler, int slots = 1) {
    class FunctionHandler : public JobHandler {
     public:
      explicit FunctionHandler(Handler handle) : handle_(std::move(handle)) {}
      absl::Status Handle(const Job& job) override { return handle_(job); }
      absl::Status DeadLetter(const store::Lease&, const std::string&) override { return absl::OkStatus(); }

     private:
      const Handler handle_;
    };
    WorkerOptions options;
    options.name = "test";
    options.slots = slots;
    loop_ = std::make_unique<WorkerLoop>(
        options, std::make_unique<FunctionHandler>(std::move(handler)),
        WorkerParts{notifying_.get(), &clock_, random_.get(), &handoff_->signals(), metrics_.get(), handoff_.get()});
    loop_->Start();
  }
  // Its jobs begin, and end once they are released.
  void RunHeld(std::atomic<int>* begun, std::atomic<bool>* release, int slots = 1) {
    Run([this, begun, release](const Job& job) {
      ++*begun;
      EXPECT_TRUE(Until([release] { return release->load(); }));
      return Remove(job.lease);
    }, slots);
  }
  bool FreeSlotIsKnown() {
    return Until([&] { return handoff_->Held("transcode") > 0; });
  }
  absl::Status CommitDue(const std::string& id, std::shared_ptr<const std::string> payload = nullptr,
                         uint64_t expected_version = 0) {
    return CommitDueAt(notifying_->Now().value(), id, std::move(payload), expected_version);
  }
  absl::Status CommitDueAt(absl::Time at, const std::string& id, std::shared_ptr<const std::string> payload = nullptr,
                           uint64_t expected_version = 0) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    store::DueChange due{{Stage::kTranscode, 7, "tm07", id}, at};
    due.payload = std::move(payload);
    commit.due.push_back(due);
    commit.puts.push_back({{7, store::Kind::kRecording, id}, expected_version, "record"});
    return notifying_->CommitOnce(commit).status();
  }
  // As a producer that found a credit, but to be sent by the test.
  store::Lease CommitLeased(const std::string& id) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.due.push_back({{Stage::kTranscode, 7, "tm07", id}, store_->Now().value()});
    commit.due[0].reserve = kHandoffReserve;
    commit.due[0].lease_id = NewSecret("l", 7, *random_);
    return store::BornLease(commit.due[0], store_->CommitOnce(commit).value().time);
  }
  // As a handler that tries again at once.
  void RetryNow(const store::Lease& lease) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.lease = lease;
    commit.due.push_back({lease.key, notifying_->Now().value()});
    commit.due[0].keep_attempts = true;
    ASSERT_TRUE(notifying_->CommitOnce(commit).ok());
  }
  absl::Status Remove(const store::Lease& lease) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.lease = lease;
    commit.due.push_back({lease.key, std::nullopt});
    return notifying_->CommitOnce(commit).status();
  }

  const std::unique_ptr<Metrics> metrics_ = NewMetrics();
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, int> happened_ RB_GUARDED_BY(mutex_);
  std::unique_ptr<handoff::Handoff> handoff_;
  CountingStore* counting_ = nullptr;  // within the other
  std::unique_ptr<store::Store> notifying_;
  std::unique_ptr<WorkerLoop> loop_;
};

TEST_F(HandedOffTest, TheWorkerGetsPayloadAndTraceOfTheCommit) {
  Open();
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    EXPECT_EQ(job.lease.key.id, "a");
    EXPECT_EQ(job.lease.attempts, 1);
    EXPECT_TRUE(job.payload != nullptr && *job.payload == "voice");
    EXPECT_EQ(TraceScope::Current(), kTrace);
    const absl::Status removed = Remove(job.lease);
    ++runs;
    return removed;
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  {
    const TraceScope trace(kTrace);
    ASSERT_TRUE(CommitDue("a", std::make_shared<const std::string>("voice")).ok());
  }
  ASSERT_TRUE(Until([&] { return runs == 1; }));
  EXPECT_EQ(Happened("sent"), 1);
  // The slot is offered again.
  EXPECT_TRUE(FreeSlotIsKnown());
  loop_.reset();
  EXPECT_THAT(metrics_->Text(), testing::HasSubstr("ringback_offers_total{outcome=\"claimed\",stage=\"transcode\"} 1"));
  EXPECT_THAT(metrics_->Text(), testing::HasSubstr("ringback_claims_total{found_by=\"handoff\",stage=\"transcode\"} 1"));
}

TEST_F(HandedOffTest, WhatIsHandedOffIsTheWorkersWithoutAClaim) {
  Open();
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    EXPECT_TRUE(job.handed_off);
    const absl::Status removed = Remove(job.lease);
    EXPECT_TRUE(removed.ok()) << removed;
    ++runs;
    return removed;
  });
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(FreeSlotIsKnown());
    ASSERT_TRUE(CommitDue(absl::StrCat("a", i)).ok());
    ASSERT_TRUE(Until([&] { return runs == i + 1; }));
  }
  loop_.reset();
  EXPECT_EQ(counting_->claims, 0);
  EXPECT_EQ(Happened("sent"), 3);
}

TEST_F(HandedOffTest, AJobThatTakesLongerThanItsFirstLeaseGetsAWholeOne) {
  Open();
  std::atomic<int> begun{0};
  std::atomic<bool> release{false};
  RunHeld(&begun, &release);
  ASSERT_TRUE(FreeSlotIsKnown());
  ASSERT_TRUE(CommitDue("a").ok());
  ASSERT_TRUE(Until([&] { return begun == 1; }));
  clock_.Advance(kHandoffReserve * 0.8);
  handoff_->signals().Notify("due/transcode");
  ASSERT_TRUE(Until([&] { return counting_->extends == 1; }));
  clock_.Advance(absl::Seconds(20));
  EXPECT_TRUE(store_->ClaimDue(Stage::kTranscode, {}).value().empty()) << "leased for thirty seconds";
  release = true;
  loop_.reset();
  EXPECT_THAT(metrics_->Text(), testing::HasSubstr("ringback_jobs_total{outcome=\"done\",stage=\"transcode\"} 1"));
}

// By the machine's steady clock, which no test moves: half of what is left of the lease, and not of what it had at birth.
TEST_F(HandedOffTest, AJobThatWasLongUnderWayIsProlongedBeforeItsLeaseEnds) {
  for (const double age : {0.0, 0.2, 0.3, 0.6}) {
    SCOPED_TRACE(age);
    Open();
    std::atomic<bool> begun{false}, release{false};
    std::atomic<int> extends_at_begin{0};
    Run([&](const Job& job) {
      extends_at_begin = counting_->extends.load();
      begun = true;
      EXPECT_TRUE(Until([&] { return release.load(); }));
      return Remove(job.lease);
    });
    ASSERT_TRUE(FreeSlotIsKnown());
    const auto ticket = handoff_->TakeCredit("transcode");
    ASSERT_TRUE(ticket);
    const store::Lease born = CommitLeased("a");
    clock_.Advance(kHandoffReserve * age);
    const auto sent = std::chrono::steady_clock::now();
    handoff_->Send(*ticket, {"transcode", EncodeLeased(born), "", nullptr});
    ASSERT_TRUE(Until([&] { return begun.load(); }));
    const bool late = age > 0.25;
    EXPECT_EQ(extends_at_begin, late ? 1 : 0);
    if (!late) {
      ASSERT_TRUE(Until([&] { return counting_->extends == 1; }));
      const auto waited = absl::FromChrono(std::chrono::steady_clock::now() - sent);
      EXPECT_GE(waited, kHandoffReserve * (1 - age) / 2) << "what is over sooner needs no longer lease";
    }
    clock_.Advance(absl::Seconds(20));
    EXPECT_TRUE(store_->ClaimDue(Stage::kTranscode, {}).value().empty()) << "leased for thirty seconds";
    release = true;
    loop_.reset();
  }
}

TEST_F(HandedOffTest, WhileTheLoopWaitsForASlowStoreWhatIsInHandIsProlonged) {
  Open();
  std::atomic<int> begun{0};
  std::atomic<bool> release{false};
  RunHeld(&begun, &release, /*slots=*/2);
  ASSERT_TRUE(Until([&] { return handoff_->Held("transcode") == 2; }));
  const auto hand_over = [&](const std::string& key) {
    const auto ticket = handoff_->TakeCredit("transcode");
    ASSERT_TRUE(ticket);
    handoff_->Send(*ticket, {"transcode", key, "", nullptr});
  };
  counting_->in_claim = [&] {
    EXPECT_TRUE(Until([&] { return counting_->extends == 1; })) << "the loop hangs here, the leases must not";
  };
  hand_over(EncodeLeased(CommitLeased("a")));
  ASSERT_TRUE(Until([&] { return begun == 1; }));
  store::Commit commit;
  commit.shard = 7;
  commit.commit_id = NewSecret("t", 7, *random_);
  commit.due.push_back({{Stage::kTranscode, 7, "tm07", "b"}, store_->Now().value()});
  commit.due[0].reserve = absl::Hours(1);
  ASSERT_TRUE(store_->CommitOnce(commit).ok());
  hand_over(EncodeReserved(commit.due[0].key));
  ASSERT_TRUE(Until([&] { return begun == 2; }));
  release = true;
  loop_.reset();
}

TEST_F(HandedOffTest, AFirstLeaseThatCouldNotBeProlongedIsTriedAgainWhileItHolds) {
  Open();
  std::atomic<bool> begun{false}, release{false};
  Run([&](const Job& job) {
    begun = true;
    EXPECT_TRUE(Until([&] { return release.load(); }));
    return Remove(job.lease);
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  counting_->away = true;
  ASSERT_TRUE(CommitDue("a").ok());
  ASSERT_TRUE(Until([&] { return counting_->extends == 1; }));
  const auto failed = std::chrono::steady_clock::now();
  ASSERT_TRUE(Until([&] { return counting_->extends == 2; }));
  counting_->away = false;
  // An eighth of a whole lease would be close to four seconds: the first one is over by then.
  EXPECT_LT(absl::FromChrono(std::chrono::steady_clock::now() - failed), absl::Seconds(2));
  release = true;
  loop_.reset();
  EXPECT_TRUE(begun);
}

TEST_F(HandedOffTest, WhatTheStoresClockHasNotReachedIsNobodysLease) {
  Open();
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    ++runs;
    return Remove(job.lease);
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  const absl::Time before = notifying_->Now().value();
  clock_.Advance(-absl::Milliseconds(100));  // as another master's after a failover
  ASSERT_TRUE(CommitDueAt(before, "a").ok());
  const std::string gone = "ringback_offers_total{outcome=\"gone\",stage=\"transcode\"} 1";
  EXPECT_TRUE(Until([&] { return metrics_->Text().find(gone) != std::string::npos; }));
  EXPECT_EQ(runs, 0);
  clock_.Advance(kHandoffReserve);
  EXPECT_TRUE(Until([&] { return runs == 1; }));
  loop_.reset();
  EXPECT_THAT(metrics_->Text(), testing::HasSubstr("ringback_lost_leases_total{stage=\"transcode\"} 0"));
}

TEST_F(HandedOffTest, AJobThatComesAfterItsLeaseIsLeftToWhoeverTookIt) {
  Open();
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    ++runs;
    return Remove(job.lease);
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  const auto ticket = handoff_->TakeCredit("transcode");
  ASSERT_TRUE(ticket);
  const store::Lease born = CommitLeased("a");
  clock_.Advance(kHandoffReserve);
  const auto taken = store_->Claim(born.key, absl::Hours(1));
  ASSERT_TRUE(taken.ok()) << taken.status();
  handoff_->Send(*ticket, {"transcode", EncodeLeased(born), "", nullptr});
  const std::string gone = "ringback_offers_total{outcome=\"gone\",stage=\"transcode\"} 1";
  EXPECT_TRUE(Until([&] { return metrics_->Text().find(gone) != std::string::npos; }));
  loop_.reset();
  EXPECT_EQ(runs, 0);
  EXPECT_TRUE(Remove(*taken).ok());
}

TEST_F(HandedOffTest, ARetryThatIsHandedOffIsClaimedSoThatItsAttemptsGoOn) {
  Open();
  ASSERT_TRUE(CommitDue("a").ok());
  std::atomic<int> attempts{0};
  // The first try, before there was a worker.
  ASSERT_EQ(store_->ClaimDue(Stage::kTranscode, {.max = 1, .lease = absl::Milliseconds(1)}).value().size(), 1u);
  clock_.Advance(absl::Seconds(1));
  const auto second = store_->Claim({Stage::kTranscode, 7, "tm07", "a"}, absl::Hours(1));
  ASSERT_TRUE(second.ok()) << second.status();
  Run([&](const Job& job) {
    attempts = job.lease.attempts;
    EXPECT_TRUE(job.handed_off);
    return Remove(job.lease);
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  RetryNow(*second);
  ASSERT_TRUE(Until([&] { return attempts > 0; }));
  loop_.reset();
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(counting_->claims, 1);
}

TEST_F(HandedOffTest, WhatIsDueAtTheTimeThatAReadingToldIsHandedOffToo) {
  Open();
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    const absl::Status removed = Remove(job.lease);
    ++runs;
    return removed;
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  clock_.Advance(absl::Minutes(1));
  ASSERT_TRUE(CommitDueAt(notifying_->ReadNow({}).value().now, "a").ok());
  ASSERT_TRUE(Until([&] { return runs == 1; }));
  EXPECT_TRUE(Until([&] { return Happened("sent") == 1; })) << "found by polling only";
}

TEST_F(HandedOffTest, ALostJobIsReservedForUnderASecondAndThenAnybodys) {
  handoff::Options drops;
  drops.drop = handoff::Options::Drop::kJobs;
  Open(drops);
  std::atomic<int> runs{0};
  Run([&](const Job& job) {
    EXPECT_EQ(job.payload, nullptr);
    const absl::Status removed = Remove(job.lease);
    ++runs;
    return removed;
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  ASSERT_TRUE(CommitDue("a", std::make_shared<const std::string>("voice")).ok());
  EXPECT_LT(kHandoffReserve, absl::Seconds(1));
  EXPECT_TRUE(store_->ClaimDue(Stage::kTranscode, {}).value().empty()) << "reserved for the one it was sent to";
  clock_.Advance(kHandoffReserve);
  EXPECT_TRUE(Until([&] { return runs == 1; })) << "without a nudge: it looks by itself";
  loop_.reset();
}

TEST_F(HandedOffTest, ACommitThatFailsGivesItsCreditBackAndSendsNothing) {
  Open();
  Run([&](const Job&) { return absl::OkStatus(); });
  ASSERT_TRUE(FreeSlotIsKnown());
  EXPECT_TRUE(absl::IsAborted(CommitDue("a", nullptr, /*expected_version=*/7)));
  EXPECT_EQ(handoff_->Held("transcode"), 1);
  EXPECT_EQ(Happened("sent"), 0);
  loop_.reset();
}

TEST_F(HandedOffTest, WithoutAFreeWorkerTheEntryIsAnybodysAtOnceAndTheStageIsNudged) {
  Open();
  std::atomic<int> nudges{0};
  const uint64_t handle = handoff_->signals().Subscribe("due/transcode", [&](const std::string&) { ++nudges; });
  ASSERT_TRUE(CommitDue("a").ok());
  EXPECT_EQ(nudges, 1);
  EXPECT_EQ(store_->ClaimDue(Stage::kTranscode, {}).value().size(), 1u);
  handoff_->signals().Unsubscribe(handle);
}

TEST_F(HandedOffTest, AJobThatMeetsABusyWorkerIsRefusedAndFoundLater) {
  Open();
  Mutex mutex;
  std::vector<std::string> order;
  std::atomic<bool> release{false};
  std::atomic<int> begun{0};
  Run([&](const Job& job) {
    {
      MutexLock lock(&mutex);
      order.push_back(job.lease.key.id);
    }
    ++begun;
    EXPECT_TRUE(Until([&] { return release.load(); }));
    return Remove(job.lease);
  });
  ASSERT_TRUE(FreeSlotIsKnown());
  const auto ticket = handoff_->TakeCredit("transcode");
  ASSERT_TRUE(ticket);
  // Somebody else's commit takes the slot while this one's is under way.
  ASSERT_TRUE(CommitDue("first").ok());
  ASSERT_TRUE(Until([&] { return begun == 1; }));
  ASSERT_TRUE(CommitDue("second").ok());
  handoff_->Send(*ticket, {"transcode", EncodeReserved({Stage::kTranscode, 7, "tm07", "second"}), "", nullptr});
  EXPECT_TRUE(Until([&] { return Happened("refused") == 1 && Happened("let_go") == 1; }));
  release = true;
  EXPECT_TRUE(Until([&] { return begun == 2; }));
  loop_.reset();
  EXPECT_THAT(order, testing::ElementsAre("first", "second"));
}

TEST_F(HandedOffTest, ADrainingWorkerTakesNoCreditsAndRefusesWhatIsOnItsWay) {
  Open();
  Run([&](const Job&) { return absl::OkStatus(); });
  ASSERT_TRUE(FreeSlotIsKnown());
  const auto ticket = handoff_->TakeCredit("transcode");
  ASSERT_TRUE(ticket);
  loop_->BeginDrain();
  ASSERT_TRUE(loop_->WaitDrained(absl::Minutes(1)));
  handoff_->ReturnCredit(*ticket);
  EXPECT_TRUE(Until([&] { return handoff_->Held("transcode") == 0; }));
  ASSERT_TRUE(CommitDue("a").ok());
  EXPECT_EQ(store_->ClaimDue(Stage::kTranscode, {}).value().size(), 1u);
  loop_.reset();
}

}  // namespace
}  // namespace ringback::runtime
