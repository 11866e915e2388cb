// From a commit to a worker by the hand-off: what travels, what a failed commit and a lost message cost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>

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

TEST(DueJobTest, AKeyComesBackAndNonsenseDoesNot) {
  const store::DueKey key{Stage::kDelivery, 63, "tm63a", "dl63b"};
  EXPECT_EQ(DecodeDueKey(EncodeDueKey(key)), key);
  EXPECT_EQ(DecodeDueKey(EncodeDueKey(key) + "\x1fmore"), key) << "what a newer program appends";
  for (const char* bad : {"", "2", "2\x1f" "7\x1ftm07", "9\x1f" "7\x1ftm\x1f" "a", "2\x1f" "64\x1ftm\x1f" "a", "2\x1f" "7\x1ftm\x1f"}) {
    EXPECT_FALSE(DecodeDueKey(bad)) << bad;
  }
}

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
    notifying_ = NewNotifyingStore(std::make_unique<rpc::ForwardingStore>(store_.get()),
                                   {&handoff_->signals(), &clock_, handoff_.get(), random_.get()});
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
  handoff_->Send(*ticket, {"transcode", EncodeDueKey({Stage::kTranscode, 7, "tm07", "second"}), "", nullptr});
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
