// What an operator is shown: backlog, store calls, readiness, and the trace of a job.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/rpc/rpc_fixture.h"
#include "core/runtime/backlog_report.h"
#include "core/runtime/job_run.h"
#include "core/runtime/measured_store.h"
#include "core/runtime/readiness.h"

namespace ringback::runtime {
namespace {

using store::Lease;
using store::Stage;
using testing::HasSubstr;
using testing::Not;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";

class CountingStore : public rpc::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<store::DueStats> Stats(Stage stage) override {
    ++stats;
    if (!failure.ok()) return failure;
    return ForwardingStore::Stats(stage);
  }
  absl::Status Release(const Lease&, std::optional<absl::Time> due, bool uncount) override {
    released_later += due.has_value() && !uncount;
    return absl::OkStatus();
  }
  absl::Status Check() override {
    ++checks;
    return failure;
  }

  int stats = 0, released_later = 0, checks = 0;
  absl::Status failure;
};

class ObserveTest : public rpc::StoreTest {
 protected:
  absl::Status CommitDue(const std::string& id, absl::Time due, uint64_t expected_version = 0) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret("t", 7, *random_);
    commit.due.push_back({{Stage::kDelivery, 7, "tm07", id}, due});
    commit.puts.push_back({{7, store::Kind::kDelivery, id}, expected_version, "record"});
    return measured_->CommitOnce(commit).status();
  }
  bool Shows(const std::string& line) { return absl::StrContains(metrics_->Text(), line + "\n"); }

  const std::unique_ptr<Metrics> metrics_ = NewMetrics();
  CountingStore counting_{store_.get()};
  const std::unique_ptr<store::Store> measured_ =
      NewMeasuredStore(std::make_unique<rpc::ForwardingStore>(store_.get()), metrics_.get());
};

TEST_F(ObserveTest, EveryStageIsReportedWhoeverWorksOnIt) {
  ASSERT_TRUE(CommitDue("a", clock_.Now() - absl::Seconds(30)).ok());
  ASSERT_TRUE(CommitDue("b", clock_.Now() - absl::Seconds(90)).ok());
  ASSERT_TRUE(CommitDue("c", clock_.Now() + absl::Seconds(5)).ok());
  BacklogReport report(&counting_, metrics_.get());
  ASSERT_TRUE(report.Refresh().ok());
  EXPECT_TRUE(Shows("ringback_backlog{stage=\"delivery\",state=\"waiting\"} 2")) << metrics_->Text();
  EXPECT_TRUE(Shows("ringback_backlog{stage=\"delivery\",state=\"future\"} 1"));
  EXPECT_TRUE(Shows("ringback_oldest_age_seconds{stage=\"delivery\"} 90"));
  for (const char* stage : {"transcode", "promise", "retention"}) {
    EXPECT_TRUE(Shows(absl::StrCat("ringback_backlog{stage=\"", stage, "\",state=\"waiting\"} 0"))) << stage;
  }
}

TEST_F(ObserveTest, TheStoreIsAskedForItsBacklogOnlyWhenSomebodyLooks) {
  BacklogReport report(&counting_, metrics_.get());
  counting_.failure = absl::UnavailableError("down");
  EXPECT_EQ(report.Refresh(), counting_.failure);
  counting_.failure = absl::OkStatus();
  counting_.stats = 0;
  ASSERT_TRUE(report.Refresh().ok()) << "what failed is owed still";
  EXPECT_EQ(counting_.stats, 6);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(report.Refresh().ok());
  EXPECT_EQ(counting_.stats, 6) << "nobody has looked since";
  // Also then not more than a hundredth of the time; here counting takes microseconds.
  report.Wanted();
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (counting_.stats < 12 && absl::Now() < end) ASSERT_TRUE(report.Refresh().ok());
  EXPECT_EQ(counting_.stats, 12);
}

TEST_F(ObserveTest, StoreCallsAreCountedByWhatCameOfThemAndTimed) {
  ASSERT_TRUE(CommitDue("a", clock_.Now()).ok());
  EXPECT_TRUE(absl::IsAborted(CommitDue("a", clock_.Now(), 7)));
  EXPECT_TRUE(absl::IsNotFound(measured_->Get({7, store::Kind::kDelivery, "none"}).status()));
  EXPECT_EQ(measured_->ClaimDue(Stage::kDelivery, {}).value().size(), 1u);
  EXPECT_TRUE(Shows("ringback_store_calls_total{call=\"commit\",code=\"OK\"} 1")) << metrics_->Text();
  EXPECT_TRUE(Shows("ringback_store_calls_total{call=\"commit\",code=\"ABORTED\"} 1"));
  EXPECT_TRUE(Shows("ringback_store_calls_total{call=\"get\",code=\"NOT_FOUND\"} 1"));
  EXPECT_TRUE(Shows("ringback_store_calls_total{call=\"claim_due\",code=\"OK\"} 1"));
  EXPECT_TRUE(Shows("ringback_store_seconds_count{call=\"commit\"} 2"));
}

TEST_F(ObserveTest, ReadinessIsKnownWithoutAskingAndAskedOnceASecond) {
  const auto blobs = blob::OpenDirectory(folder_.File("blobs")).value();
  Readiness readiness({&counting_, blobs.get(), &clock_, metrics_.get()});
  EXPECT_EQ(readiness.Known(), absl::UnavailableError("starting"));
  EXPECT_EQ(counting_.checks, 0);
  counting_.failure = absl::UnavailableError("down");
  EXPECT_EQ(readiness.Ask(), counting_.failure);
  EXPECT_EQ(readiness.Known(), counting_.failure);
  EXPECT_TRUE(Shows("ringback_ready 0"));
  counting_.failure = absl::OkStatus();
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (!readiness.Ask().ok() && absl::Now() < end) continue;
  EXPECT_EQ(readiness.Known(), absl::OkStatus());
  EXPECT_EQ(counting_.checks, 2);
  EXPECT_TRUE(Shows("ringback_ready 1"));
}

class JobRunTest : public ObserveTest {
 protected:
  class Handler : public JobHandler {
   public:
    explicit Handler(std::function<absl::Status(const Job&)> handle) : handle_(std::move(handle)) {}
    absl::Status Handle(const Job& job) override { return handle_(job); }
    absl::Status DeadLetter(const Lease&, const std::string&) override { return absl::OkStatus(); }

   private:
    const std::function<absl::Status(const Job&)> handle_;
  };
  static Job JobOf(const std::string& id) {
    Job job;
    job.lease.key = {Stage::kDelivery, 7, "tm07", id};
    job.lease.attempts = 1;
    return job;
  }
  std::unique_ptr<JobRun> Running(std::function<absl::Status(const Job&)> handle) {
    options_.stage = Stage::kDelivery;
    return std::make_unique<JobRun>(options_, std::make_unique<Handler>(std::move(handle)),
                                    JobRunParts{&counting_, &clock_, random_.get(), metrics_.get()});
  }
  WorkerOptions options_;
};

TEST_F(JobRunTest, AJobFoundByAPollGoesOnInTheTraceOfItsRecord) {
  std::vector<std::string> traces;
  const auto run = Running([&](const Job& job) {
    traces.push_back(TraceScope::Current());
    JobBegins(job, kTrace);
    traces.push_back(TraceScope::Current());
    return absl::OkStatus();
  });
  run->Run(JobOf("a"), "");
  run->Run(JobOf("b"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ASSERT_EQ(traces.size(), 4u);
  EXPECT_EQ(traces[0].size(), 32u) << "one of its own until the record is read";
  EXPECT_EQ(traces[1], kTrace);
  EXPECT_EQ(traces[2], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(traces[3], kTrace) << "the record's goes before that of the commit that made it due again";
  EXPECT_EQ(TraceScope::Current(), "");
}

TEST_F(JobRunTest, ARecordWithoutATraceKeepsTheOneItCameWith) {
  std::string trace;
  const auto run = Running([&](const Job& job) {
    JobBegins(job, "");
    trace = TraceScope::Current();
    return absl::OkStatus();
  });
  run->Run(JobOf("a"), absl::StrCat("00-", kTrace, "-b7ad6b7169203331-01"));
  EXPECT_EQ(trace, kTrace);
}

TEST_F(JobRunTest, CountsOfAbortsDoNotGrowWithoutEnd) {
  const auto run = Running([](const Job&) { return absl::AbortedError("changed"); });
  for (int i = 0; i < 20; ++i) run->Run(JobOf("a"), "");
  EXPECT_EQ(counting_.released_later, 0);
  // Others that abort once and are ended elsewhere push it out: it is counted from the start.
  for (int i = 0; i < 1000; ++i) run->Run(JobOf(absl::StrCat("b", i)), "");
  run->Run(JobOf("a"), "");
  EXPECT_EQ(counting_.released_later, 0);
  for (int i = 0; i < 20; ++i) run->Run(JobOf("a"), "");
  EXPECT_EQ(counting_.released_later, 1) << "the 21st in a row is an error";
}

}  // namespace
}  // namespace ringback::runtime
