#include "core/runtime/worker_loop.h"

#include <atomic>
#include <future>
#include <map>

#include "core/rpc/rpc_fixture.h"
#include "core/runtime/notifying_store.h"
#include "core/store/newer.h"

namespace ringback::runtime {
namespace {

using store::Lease;
using store::Stage;

class Event {
 public:
  void Set() {
    MutexLock lock(&mutex_);
    set_ = true;
    changed_.NotifyAll();
  }
  // False after a minute: the test has failed.
  bool Wait() {
    MutexLock lock(&mutex_);
    for (int i = 0; i < 60 && !set_; ++i) changed_.WaitFor(&mutex_, std::chrono::seconds(1));
    return set_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ RB_GUARDED_BY(mutex_) = false;
};

class FunctionHandler : public JobHandler {
 public:
  using Handler = std::function<absl::Status(const Lease&)>;
  using Death = std::function<absl::Status(const Lease&, const std::string&)>;
  explicit FunctionHandler(Handler handle, Death death = nullptr) : handle_(std::move(handle)), death_(std::move(death)) {}
  absl::Status Handle(const Job& job) override { return handle_(job.lease); }
  absl::Status DeadLetter(const Lease& lease, const std::string& reason) override { return death_(lease, reason); }

 private:
  const Handler handle_;
  const Death death_;
};

// Says when the loop has looked, prolonged and given back.
class WatchedStore : public rpc::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<Lease> Extend(const Lease& lease, absl::Duration duration) override {
    if (extends_fail) return absl::UnavailableError("down");
    auto result = ForwardingStore::Extend(lease, duration);
    ++extends;
    return result;
  }
  absl::StatusOr<std::vector<Lease>> ClaimDue(Stage stage, const store::ClaimOptions& options) override {
    if (failures > 0) {
      --failures;
      return absl::UnavailableError("down");
    }
    auto result = ForwardingStore::ClaimDue(stage, options);
    ++claims;
    return result;
  }
  absl::Status Release(const Lease& lease, std::optional<absl::Time> due, bool uncount) override {
    absl::Status status = ForwardingStore::Release(lease, due, uncount);
    MutexLock lock(&mutex_);
    if (due) released_.push_back(*due);
    changed_.NotifyAll();
    return status;
  }
  // The due time of the n-th (0-based) entry that was given back for later; the epoch if none is within a minute.
  absl::Time Released(size_t n) {
    MutexLock lock(&mutex_);
    for (int i = 0; i < 60 && released_.size() <= n; ++i) changed_.WaitFor(&mutex_, std::chrono::seconds(1));
    return released_.size() > n ? released_[n] : absl::UnixEpoch();
  }
  std::atomic<int> extends{0}, claims{0}, failures{0};
  std::atomic<bool> extends_fail{false};

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<absl::Time> released_ RB_GUARDED_BY(mutex_);
};

class WorkerLoopTest : public rpc::StoreTest {
 protected:
  WorkerLoopTest() { options_.name = "test"; }

  void AddDue(const std::string& id, absl::Time due) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.due.push_back({{Stage::kTranscode, 7, "tm07", id}, due});
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
    Nudge();
  }
  absl::Status Remove(const Lease& lease) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.lease = lease;
    commit.due.push_back({lease.key, std::nullopt});
    return store_->CommitOnce(commit).status();
  }
  void Nudge() { signals_->Notify("due/transcode"); }

  // Handlers use what the test's body holds: end with loop_.reset().
  void Run(FunctionHandler::Handler handle, FunctionHandler::Death death = nullptr, store::Store* store = nullptr) {
    loop_ = std::make_unique<WorkerLoop>(
        options_, std::make_unique<FunctionHandler>(std::move(handle), std::move(death)),
        WorkerParts{store != nullptr ? store : store_.get(), &clock_, random_.get(), signals_.get(), metrics_.get()});
    loop_->Start();
  }
  // Everything that ran has been counted afterwards.
  void Drain() {
    loop_->BeginDrain();
    ASSERT_TRUE(loop_->WaitDrained(absl::Minutes(1)));
  }
  bool Counted(const std::string& line) { return metrics_->Text().find(line + "\n") != std::string::npos; }
  store::DueStats Stats() { return store_->Stats(Stage::kTranscode).value(); }

  const std::unique_ptr<handoff::Signals> signals_ = handoff::NewLocalSignals();
  const std::unique_ptr<Metrics> metrics_ = NewMetrics();
  WorkerOptions options_;
  std::unique_ptr<WorkerLoop> loop_;
};

TEST_F(WorkerLoopTest, WhatIsDueIsHandledOnce) {
  Event handled;
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now() - absl::Seconds(2));
  Run([&](const Lease& lease) {
    ++runs;
    EXPECT_EQ(lease.key.id, "a");
    EXPECT_EQ(lease.attempts, 1);
    const absl::Status removed = Remove(lease);
    handled.Set();
    return removed;
  });
  ASSERT_TRUE(handled.Wait());
  Nudge();
  Drain();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(Counted("ringback_claims_total{found_by=\"poll\",stage=\"transcode\"} 1"));
  EXPECT_TRUE(Counted("ringback_jobs_total{outcome=\"done\",stage=\"transcode\"} 1"));
  EXPECT_TRUE(Counted("ringback_timer_lateness_seconds_sum{stage=\"transcode\"} 2"));
  loop_->ReportSlots();
  EXPECT_TRUE(Counted("ringback_slots{stage=\"transcode\",state=\"busy\"} 0")) << metrics_->Text();
  EXPECT_TRUE(Counted("ringback_slots{stage=\"transcode\",state=\"free\"} 1"));
  loop_.reset();
}

TEST_F(WorkerLoopTest, NothingFiresBeforeItsTimeAndANudgeWakesIt) {
  Event handled;
  const absl::Time due = clock_.Now() + absl::Hours(1);
  Run([&](const Lease& lease) {
    EXPECT_GE(clock_.Now(), due);
    const absl::Status removed = Remove(lease);
    handled.Set();
    return removed;
  });
  AddDue("a", due);
  clock_.Advance(absl::Minutes(59));
  Nudge();
  clock_.Advance(absl::Minutes(1));
  Nudge();
  EXPECT_TRUE(handled.Wait());
  loop_.reset();
}

TEST_F(WorkerLoopTest, WithoutANudgeItLooksByItselfAndAtTheRightMoment) {
  const auto system = NewSystemClock();
  store::SqliteOptions options;
  options.path = folder_.File("real.db");
  options.clock = system.get();
  options.random = random_.get();
  store_ = store::OpenSqliteStore(options).value();
  const absl::Time due = system->Now() + absl::Milliseconds(30);
  AddDue("a", due);
  Event handled;
  loop_ = std::make_unique<WorkerLoop>(options_, std::make_unique<FunctionHandler>([&](const Lease& lease) {
                                         EXPECT_GE(system->Now(), due);
                                         const absl::Status removed = Remove(lease);
                                         handled.Set();
                                         return removed;
                                       }),
                                       WorkerParts{store_.get(), system.get(), random_.get(), signals_.get(), metrics_.get()});
  loop_->Start();
  EXPECT_TRUE(handled.Wait());
  loop_.reset();
}

TEST_F(WorkerLoopTest, AnErrorGivesItBackWithABackOffThatDoublesAndJitters) {
  WatchedStore watched(store_.get());
  std::atomic<int> runs{0};
  Event third;
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease& lease) -> absl::Status {
        const int run = ++runs;
        EXPECT_EQ(lease.attempts, run);
        if (run < 3) return absl::UnavailableError("not today");
        const absl::Status removed = Remove(lease);
        third.Set();
        return removed;
      },
      nullptr, &watched);
  for (int i = 0; i < 2; ++i) {
    const absl::Time due = watched.Released(static_cast<size_t>(i));
    EXPECT_GE(due - clock_.Now(), absl::Milliseconds(500) * (1 << i));
    EXPECT_LE(due - clock_.Now(), absl::Seconds(1) * (1 << i));
    clock_.Set(due);
    Nudge();
  }
  ASSERT_TRUE(third.Wait());
  Drain();
  EXPECT_TRUE(Counted("ringback_jobs_total{outcome=\"retry\",stage=\"transcode\"} 2"));
  loop_.reset();
}

TEST_F(WorkerLoopTest, AnErrorThatSaysWhenIsRetriedThen) {
  WatchedStore watched(store_.get());
  AddDue("a", clock_.Now());
  Run([&](const Lease&) { return rpc::RetryAfter(absl::UnavailableError("later"), absl::Minutes(7)); }, nullptr,
      &watched);
  EXPECT_EQ(watched.Released(0), clock_.Now() + absl::Minutes(7));
  loop_.reset();
}

TEST_F(WorkerLoopTest, TheLastFailureGoesToTheDeadLettersWithItsReason) {
  options_.attempts_max = 1;
  Event dead;
  AddDue("a", clock_.Now());
  Run([](const Lease&) { return absl::InternalError("the codec cannot read it"); },
      [&](const Lease& lease, const std::string& reason) {
        EXPECT_EQ(reason, "the codec cannot read it");
        const absl::Status removed = Remove(lease);
        dead.Set();
        return removed;
      });
  ASSERT_TRUE(dead.Wait());
  Drain();
  EXPECT_TRUE(Counted("ringback_dead_letters_total{stage=\"transcode\"} 1"));
  EXPECT_EQ(store_->NextDue(Stage::kTranscode).value(), std::nullopt);
  loop_.reset();
}

TEST_F(WorkerLoopTest, WhatKillsItsWorkersGoesToTheDeadLettersWithoutAnotherRun) {
  options_.attempts_max = 3;
  AddDue("a", clock_.Now());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(store_->ClaimDue(Stage::kTranscode, {}).value().size(), 1u);
    clock_.Advance(absl::Minutes(1));  // the worker died; its lease runs out
  }
  Event dead;
  Run(
      [](const Lease&) {
        ADD_FAILURE() << "must not run again";
        return absl::OkStatus();
      },
      [&](const Lease& lease, const std::string& reason) {
        EXPECT_EQ(reason, "no sign of life after 3 attempts");
        const absl::Status removed = Remove(lease);
        dead.Set();
        return removed;
      });
  EXPECT_TRUE(dead.Wait());
  loop_.reset();
}

TEST_F(WorkerLoopTest, AbortedComesBackAtOnceAndDoesNotCount) {
  Event done;
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now());
  Run([&](const Lease& lease) -> absl::Status {
    EXPECT_EQ(lease.attempts, 1);
    if (++runs < 3) return absl::AbortedError("changed meanwhile");
    const absl::Status removed = Remove(lease);
    done.Set();
    return removed;
  });
  EXPECT_TRUE(done.Wait());
  loop_.reset();
}

TEST_F(WorkerLoopTest, WhatANewerVersionMustDoIsGivenBackForAMomentAndNeverCounts) {
  WatchedStore watched(store_.get());
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease& lease) {
        ++runs;
        EXPECT_EQ(lease.attempts, 1) << "in this life and every other";
        return store::LeftToNewer("a");
      },
      [](const Lease&, const std::string&) -> absl::Status {
        ADD_FAILURE() << "nothing is wrong with it";
        return absl::OkStatus();
      },
      &watched);
  for (int times = 0; times < 25; ++times) {  // more than aborts in a row, and than attempts
    EXPECT_EQ(watched.Released(static_cast<size_t>(times)), clock_.Now() + absl::Seconds(1));
    clock_.Advance(absl::Seconds(1));
    Nudge();
  }
  loop_.reset();
}

TEST_F(WorkerLoopTest, EndlessAbortsAreAnErrorLikeAnyOther) {
  WatchedStore watched(store_.get());
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease&) {
        ++runs;
        return absl::AbortedError("always");
      },
      nullptr, &watched);
  EXPECT_GT(watched.Released(0), clock_.Now());
  EXPECT_EQ(runs, 21);
  loop_.reset();
}

TEST_F(WorkerLoopTest, ALongRunningJobKeepsItsLease) {
  WatchedStore watched(store_.get());
  options_.lease = absl::Milliseconds(40);
  Event release, ended;
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease& lease) {
        release.Wait();
        const absl::Status removed = Remove(lease);
        ended.Set();
        return removed;
      },
      nullptr, &watched);
  while (watched.extends < 3) std::this_thread::yield();
  release.Set();
  ASSERT_TRUE(ended.Wait());
  Drain();
  EXPECT_TRUE(Counted("ringback_jobs_total{outcome=\"done\",stage=\"transcode\"} 1"));
  loop_.reset();
}

TEST_F(WorkerLoopTest, AClockThatJumpsPastTheLeaseDoesNotMakeItClaimItsOwnWorkAgain) {
  WatchedStore watched(store_.get());
  options_.slots = 2;
  Event entered, release;
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease& lease) {
        ++runs;
        entered.Set();
        release.Wait();
        return Remove(lease);
      },
      nullptr, &watched);
  ASSERT_TRUE(entered.Wait());
  while (watched.claims < 2) std::this_thread::yield();  // it looked for more, and sleeps now
  clock_.Advance(absl::Hours(3));
  const int claims = watched.claims;
  while (watched.claims < claims + 3) {
    Nudge();
    std::this_thread::yield();
  }
  EXPECT_GE(watched.extends, 1);
  release.Set();
  Drain();
  EXPECT_EQ(runs, 1);
  EXPECT_TRUE(Counted("ringback_jobs_total{outcome=\"done\",stage=\"transcode\"} 1"));
  loop_.reset();
}

TEST_F(WorkerLoopTest, ALeaseThatSomebodyElseTookIsCountedAndLeftToThem) {
  WatchedStore watched(store_.get());
  watched.extends_fail = true;
  AddDue("a", clock_.Now());
  Event done;
  Run(
      [&](const Lease& lease) {
        clock_.Advance(absl::Minutes(5));
        EXPECT_TRUE(store_->Claim(lease.key, absl::Hours(1)).ok());
        EXPECT_EQ(Remove(lease).code(), absl::StatusCode::kAborted);
        done.Set();
        return absl::AbortedError("lost it");
      },
      nullptr, &watched);
  ASSERT_TRUE(done.Wait());
  Drain();
  EXPECT_TRUE(Counted("ringback_lost_leases_total{stage=\"transcode\"} 1")) << metrics_->Text();
  EXPECT_EQ(Stats().leased, 1) << "the other's lease holds";
  loop_.reset();
}

TEST_F(WorkerLoopTest, SlotsWorkAtTheSameTimeAndNoMoreThanThatIsClaimed) {
  options_.slots = 3;
  for (const char* id : {"a", "b", "c", "d"}) AddDue(id, clock_.Now());
  Mutex mutex;
  CondVar changed;
  int inside = 0, most = 0;
  Event done;
  std::atomic<int> ended{0};
  Run([&](const Lease& lease) {
    {
      MutexLock lock(&mutex);
      most = std::max(most, ++inside);
      changed.NotifyAll();
      // The first three wait for each other: were they not at the same time, this would never end.
      while (most < 3) changed.WaitFor(&mutex, std::chrono::seconds(1));
      EXPECT_LE(Stats().leased, 3);
      --inside;
    }
    const absl::Status removed = Remove(lease);
    if (++ended == 4) done.Set();
    return removed;
  });
  EXPECT_TRUE(done.Wait());
  EXPECT_EQ(most, 3);
  loop_.reset();
}

TEST_F(WorkerLoopTest, TwoWorkersShareTheWorkAndNothingIsDoneTwice) {
  constexpr int kEntries = 200;
  options_.slots = 4;
  std::map<std::string, int> runs;
  Mutex mutex;
  Event done;
  int total = 0;
  const auto handle = [&](const Lease& lease) {
    const absl::Status removed = Remove(lease);
    MutexLock lock(&mutex);
    ++runs[lease.key.id];
    if (++total == kEntries) done.Set();
    return removed;
  };
  Run(handle);
  WorkerLoop second(options_, std::make_unique<FunctionHandler>(handle),
                    {store_.get(), &clock_, random_.get(), signals_.get(), metrics_.get()});
  second.Start();
  for (int i = 0; i < kEntries; ++i) AddDue("e" + std::to_string(i), clock_.Now());
  ASSERT_TRUE(done.Wait());
  Drain();
  second.BeginDrain();
  ASSERT_TRUE(second.WaitDrained(absl::Minutes(1)));
  EXPECT_EQ(runs.size(), static_cast<size_t>(kEntries));
  EXPECT_EQ(total, kEntries);
  loop_.reset();
}

TEST_F(WorkerLoopTest, AStoreThatFailsIsAskedAgain) {
  WatchedStore watched(store_.get());
  watched.failures = 2;
  Event handled;
  AddDue("a", clock_.Now());
  Run(
      [&](const Lease& lease) {
        const absl::Status removed = Remove(lease);
        handled.Set();
        return removed;
      },
      nullptr, &watched);
  EXPECT_TRUE(handled.Wait());
  EXPECT_TRUE(Counted("ringback_store_errors_total{stage=\"transcode\"} 2")) << metrics_->Text();
  loop_.reset();
}

TEST_F(WorkerLoopTest, DrainingFinishesWhatRunsAndClaimsNothingMore) {
  Event entered, release;
  std::atomic<int> runs{0};
  AddDue("a", clock_.Now());
  Run([&](const Lease& lease) {
    ++runs;
    entered.Set();
    release.Wait();
    return Remove(lease);
  });
  ASSERT_TRUE(entered.Wait());
  loop_->BeginDrain();
  AddDue("b", clock_.Now());
  release.Set();
  EXPECT_TRUE(loop_->WaitDrained(absl::Minutes(1)));
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(Stats().waiting, 1);
  loop_.reset();
}

TEST_F(WorkerLoopTest, WhatDoesNotEndInTimeIsGivenBack) {
  Event entered, release;
  AddDue("a", clock_.Now());
  absl::Status late;
  Run([&](const Lease& lease) {
    entered.Set();
    release.Wait();
    return late = Remove(lease);
  });
  ASSERT_TRUE(entered.Wait());
  loop_->BeginDrain();
  EXPECT_FALSE(loop_->WaitDrained(absl::ZeroDuration()));
  EXPECT_EQ(store_->ClaimDue(Stage::kTranscode, {}).value().size(), 1u) << "another may take it at once";
  release.Set();
  loop_.reset();
  EXPECT_EQ(late.code(), absl::StatusCode::kAborted) << "its effect is fenced";
}

TEST_F(WorkerLoopTest, CommitsThroughTheNotifyingStoreNudgeStagesAndTeams) {
  std::vector<std::string> topics;
  signals_->Subscribe("", [&](const std::string& topic) { topics.push_back(topic); });
  const auto store = NewNotifyingStore(std::make_unique<rpc::ForwardingStore>(store_.get()), {signals_.get(), &clock_});
  store::Commit commit;
  commit.shard = 7;
  commit.commit_id = "one";
  commit.due.push_back({{Stage::kDelivery, 7, "tm07", "a"}, clock_.Now()});
  commit.due.push_back({{Stage::kDelivery, 7, "tm07", "b"}, clock_.Now() + absl::Seconds(1)});
  commit.due.push_back({{Stage::kPromise, 7, "tm07", "c"}, clock_.Now() + absl::Seconds(2)});
  commit.due.push_back({{Stage::kRetention, 7, "tm07", "d"}, std::nullopt});
  commit.events.push_back({"tm07", "cb07", "x"});
  commit.events.push_back({"tm07", "cb07", "y"});
  ASSERT_TRUE(store->CommitOnce(commit).ok());
  EXPECT_EQ(topics, (std::vector<std::string>{"changes/tm07", "due/delivery"}));

  topics.clear();
  commit.commit_id = "two";
  commit.due[0].due = std::nullopt;
  commit.puts.push_back({{7, store::Kind::kContact, "x"}, 99, "never fits"});
  EXPECT_FALSE(store->CommitOnce(commit).ok());
  EXPECT_TRUE(topics.empty()) << "what was not committed is told to nobody";

  const auto leases = store->ClaimDue(Stage::kDelivery, {}).value();
  ASSERT_EQ(leases.size(), 1u);
  ASSERT_TRUE(store->Release(leases[0], clock_.Now() + absl::Minutes(1), false).ok());
  EXPECT_TRUE(topics.empty()) << "due too late to matter now";
}

}  // namespace
}  // namespace ringback::runtime
