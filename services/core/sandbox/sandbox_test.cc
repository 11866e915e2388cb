#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include <string>
#include <thread>
#include <vector>

#include "core/sandbox/child_pool.h"
#include "core/sandbox/frame.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace ringback::sandbox {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr absl::Duration kLong = absl::Seconds(30);

PoolOptions Options() {
  PoolOptions options;
  options.program = RINGBACK_MISBEHAVING_CHILD;
  options.limits.memory_bytes = 64 << 20;
  options.limits.cpu_per_job = absl::Seconds(1);
  options.limits.response_bytes_max = 1 << 20;
  return options;
}

class SandboxTest : public ::testing::Test {
 protected:
  std::string Ask(std::string_view what) {
    auto answer = pool_.Run({what}, kLong);
    return answer.ok() ? *answer : answer.status().ToString();
  }
  void ExpectNextJobWorks() { EXPECT_EQ(Ask("still there?"), "still there?"); }

  ChildPool pool_{Options()};
};

TEST_F(SandboxTest, AnswersAndKeepsTheChildWarm) {
  const std::string pid = Ask("pid");
  EXPECT_EQ(Ask("pid"), pid);
  EXPECT_EQ(pool_.Pids().size(), 1u);
  EXPECT_EQ(Ask(""), "");
}

TEST_F(SandboxTest, JoinsThePartsOfARequestAndCarriesLargeOnes) {
  const std::string large(700'000, 'a');
  auto answer = pool_.Run({"first ", large}, kLong);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(*answer, "first " + large);
}

TEST_F(SandboxTest, ACrashIsInternalAndNamesTheSignal) {
  auto answer = pool_.Run({"crash"}, kLong);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
  // A sanitizer turns the signal into an exit.
  if (!kSanitized) {
    EXPECT_EQ(answer.status().message(), "child crashed: signal 11");
  }
  ExpectNextJobWorks();
  EXPECT_EQ(pool_.Run({"abort"}, kLong).status().code(), absl::StatusCode::kInternal);
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, AChildEndedFromOutsideIsNotTheRequestsFault) {
  EXPECT_EQ(pool_.Run({"killed"}, kLong).status().code(), absl::StatusCode::kUnavailable);
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, AStopMeantForTheParentDoesNotEndTheJob) {
  EXPECT_EQ(Ask("stop"), "stop");
  EXPECT_NE(Ask("group"), std::to_string(getpgrp())) << "Ctrl-C would reach the child";
}

TEST_F(SandboxTest, AnExitWithoutAnswerIsInternal) {
  auto answer = pool_.Run({"exit"}, kLong);
  EXPECT_EQ(answer.status().message(), "child exited with code 7");
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, AHangEndsAtTheDeadlineAndTheChildIsGone) {
  Ask("warm up");
  const std::vector<int> before = pool_.Pids();
  for (const char* how : {"sleep", "hang"}) {
    auto answer = pool_.Run({how}, absl::Milliseconds(200));
    // pause() is not on the list of allowed calls, so "hang" burns CPU in its loop; both end here.
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kDeadlineExceeded) << answer.status();
  }
  ASSERT_EQ(before.size(), 1u);
  EXPECT_NE(kill(before[0], 0), 0);
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, CpuTimeIsLimitedPerJob) {
  auto answer = pool_.Run({"spin"}, kLong);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted) << answer.status();
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, MemoryIsLimited) {
  if (kSanitized) GTEST_SKIP() << "sanitizers map terabytes";
  auto answer = pool_.Run({"hog"}, kLong);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted) << answer.status();
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, AnAllocationThatFailsInsideAHandlerIsResourceExhausted) {
  EXPECT_EQ(pool_.Run({"throw"}, kLong).status().code(), absl::StatusCode::kResourceExhausted);
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, AnAnswerThatIsTooLongOrALieIsMisbehaviour) {
  EXPECT_EQ(pool_.Run({"verbose"}, kLong).status().code(), absl::StatusCode::kInternal);
  ExpectNextJobWorks();
  EXPECT_EQ(pool_.Run({"lie"}, kLong).status().code(), absl::StatusCode::kInternal);
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, FilesNetworkAndProcessesAreRefused) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need the calls the filter refuses";
  for (const char* what : {"open", "create", "network", "fork", "exec", "kill", "code"}) {
    EXPECT_EQ(Ask(what), "refused") << what;
  }
  ExpectNextJobWorks();
}

TEST_F(SandboxTest, ThreadsWork) { EXPECT_EQ(Ask("threads"), "3"); }

TEST_F(SandboxTest, TheChildInheritsNoDescriptor) {
  FILE* open_file = fopen("/etc/passwd", "r");
  ASSERT_NE(open_file, nullptr);
  EXPECT_EQ(Ask("descriptors"), "0");
  fclose(open_file);
}

TEST_F(SandboxTest, AChildThatDiedWhileIdleIsReplacedUnnoticed) {
  const std::string pid = Ask("pid");
  ASSERT_EQ(kill(std::stoi(pid), SIGKILL), 0);
  // Dead once its socket is closed; kill() is asynchronous.
  while (kill(std::stoi(pid), 0) == 0) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid.c_str());
    FILE* stat = fopen(path, "r");
    if (stat == nullptr || fscanf(stat, "%*d %*s %c", &state) != 1 || state == 'Z') {
      if (stat != nullptr) fclose(stat);
      break;
    }
    fclose(stat);
    std::this_thread::yield();
  }
  const std::string next = Ask("pid");
  EXPECT_NE(next, pid);
  EXPECT_EQ(next, std::to_string(pool_.Pids().at(0)));
}

TEST(ChildPoolTest, AChildIsReplacedAfterItsShareOfJobs) {
  PoolOptions options = Options();
  options.jobs_per_child = 2;
  ChildPool pool(options);
  const auto pid = [&] { return *pool.Run({"pid"}, kLong); };
  const std::string first = pid();
  EXPECT_EQ(pid(), first);
  EXPECT_NE(pid(), first);
}

TEST(ChildPoolTest, AnIdleChildIsStopped) {
  PoolOptions options = Options();
  options.idle_timeout = absl::Milliseconds(1);
  ChildPool pool(options);
  ASSERT_TRUE(pool.Run({"x"}, kLong).ok());
  while (!pool.Pids().empty()) std::this_thread::yield();
  EXPECT_EQ(*pool.Run({"again"}, kLong), "again");
}

TEST(ChildPoolTest, NoChildBeforeTheFirstJobAndNoneAfterTheEnd) {
  int pid = 0;
  {
    ChildPool pool(Options());
    EXPECT_TRUE(pool.Pids().empty());
    pid = std::stoi(*pool.Run({"pid"}, kLong));
    EXPECT_EQ(kill(pid, 0), 0);
  }
  EXPECT_NE(kill(pid, 0), 0);
}

TEST(ChildPoolTest, ManyCallersShareFewChildren) {
  PoolOptions options = Options();
  options.children_max = 2;
  ChildPool pool(options);
  std::vector<std::thread> callers;
  for (int c = 0; c < 8; ++c) {
    callers.emplace_back([&pool, c] {
      for (int i = 0; i < 20; ++i) {
        const std::string what = std::to_string(c) + "/" + std::to_string(i);
        auto answer = pool.Run({what}, kLong);
        EXPECT_TRUE(answer.ok() && *answer == what) << answer.status();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_LE(pool.Pids().size(), 2u);
}

TEST(ChildPoolTest, WithoutAFreeChildInTimeNothingIsRun) {
  ChildPool pool(Options());
  std::thread busy([&] { (void)pool.Run({"sleep"}, absl::Seconds(2)); });
  while (pool.Pids().empty()) std::this_thread::yield();
  EXPECT_EQ(pool.Run({"x"}, absl::Milliseconds(50)).status().code(), absl::StatusCode::kUnavailable);
  busy.join();
}

TEST(ChildPoolTest, AProgramThatDoesNotStartIsUnavailable) {
  PoolOptions options = Options();
  options.program = "/does/not/exist";
  ChildPool missing(options);
  EXPECT_EQ(missing.Run({"x"}, kLong).status().code(), absl::StatusCode::kUnavailable);
  options.program = "/bin/true";  // Starts, but never says that it is ready.
  ChildPool silent(options);
  EXPECT_EQ(silent.Run({"x"}, kLong).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace ringback::sandbox
