#include "core/runtime/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/temp_dir.h"
#include "core/base/test_peers.h"
#include "core/rpc/client.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/service_main.h"
#include "ringback/v1/reminder_service.grpc.pb.h"

namespace ringback::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PingService : public v1::ReminderService::CallbackService {
 public:
  explicit PingService(Host* host) : host_(*host) {}
  grpc::ServerUnaryReactor* ListTimers(grpc::CallbackServerContext* context, const v1::ListTimersRequest* request,
                                       v1::ListTimersResponse* response) override {
    return rpc::Unary(host_.rpc(), context, "/ringback.v1.ReminderService/ListTimers", request, response,
                      [](const rpc::Call&, const v1::ListTimersRequest&, v1::ListTimersResponse*) {
                        return absl::OkStatus();
                      });
  }

 private:
  Host& host_;
};

class CountingHandler : public JobHandler {
 public:
  CountingHandler(Host* host, std::promise<void>* handled) : host_(*host), handled_(*handled) {}
  absl::Status Handle(const Job& job) override {
    const store::Lease& lease = job.lease;
    store::Commit commit;
    commit.shard = lease.key.shard;
    commit.commit_id = lease.lease_id;
    commit.lease = lease;
    commit.due.push_back({lease.key, std::nullopt});
    RB_RETURN_IF_ERROR(host_.store().CommitOnce(commit).status());
    handled_.set_value();
    return absl::OkStatus();
  }
  absl::Status DeadLetter(const store::Lease&, const std::string&) override { return absl::OkStatus(); }

 private:
  Host& host_;
  std::promise<void>& handled_;
};

struct ComponentLog {
  std::atomic<int> started{0}, drained{0};
  bool draining_seen = false;
};
class SmallComponent : public Component {
 public:
  SmallComponent(Host* host, ComponentLog* log, absl::Status start = absl::OkStatus())
      : host_(*host), log_(*log), start_(std::move(start)) {}
  absl::Status Start() override {
    ++log_.started;
    return start_;
  }
  void Drain() override {
    ++log_.drained;
    log_.draining_seen = host_.draining();
  }

 private:
  Host& host_;
  ComponentLog& log_;
  const absl::Status start_;
};

class HostTest : public testing::Test {
 protected:
  HostTest() {
    config_.data_dir = folder_.File("data");
    config_.grpc_listen = "127.0.0.1:0";
    config_.pool_threads = 2;
    config_.drain_timeout = absl::Seconds(30);
  }
  ~HostTest() override { host_.reset(); }

  void Create() {
    auto host = Host::Create(config_);
    ASSERT_TRUE(host.ok()) << host.status();
    host_ = *std::move(host);
  }
  // Serves on a thread; returns when ready.
  void Serve() {
    std::promise<void> ready;
    served_ = std::async(std::launch::async, [this, &ready] { return host_->Serve([&ready] { ready.set_value(); }); });
    ASSERT_EQ(ready.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
    client_ = rpc::Client::Create({host_->grpc_address()}, &host_->random()).value();
  }
  bool Healthy() { return rpc::CheckHealth(client_->channel(), absl::Seconds(10)).value_or(false); }

  const TempDir folder_;
  Config config_;
  std::unique_ptr<Host> host_;
  std::future<absl::Status> served_;
  std::unique_ptr<rpc::Client> client_;
};

TEST_F(HostTest, ServesCallsJobsComponentsAndPeriodicWorkUntilStopped) {
  Create();
  std::promise<void> handled, swept;
  ComponentLog log;
  std::atomic<int> sweeps{0};
  host_->AddRpcService(std::make_unique<PingService>(host_.get()));
  WorkerOptions worker;
  worker.name = "test";
  worker.stage = store::Stage::kDelivery;
  host_->AddWorker(worker, std::make_unique<CountingHandler>(host_.get(), &handled));
  host_->AddComponent("small", std::make_unique<SmallComponent>(host_.get(), &log));
  host_->AddPeriodic("sweep", absl::Hours(1), [&]() -> absl::Status {
    if (++sweeps == 1) swept.set_value();
    return absl::UnavailableError("an error is no end");
  });
  Serve();
  EXPECT_EQ(log.started, 1);
  EXPECT_TRUE(Healthy());
  EXPECT_TRUE(host_->Ready().ok()) << host_->Ready();

  v1::ListTimersResponse response;
  const auto context = client_->NewContext();
  EXPECT_EQ(v1::ReminderService::NewStub(client_->channel())->ListTimers(context.get(), {}, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);

  store::Commit commit;
  commit.shard = 3;
  commit.commit_id = "c";
  commit.due.push_back({{store::Stage::kDelivery, 3, "tm03", "dl03"}, host_->clock().Now()});
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  handled.get_future().wait();
  swept.get_future().wait();

  const uint64_t drain = host_->signals().Seen("drain");
  EXPECT_FALSE(host_->draining());
  host_->Stop();
  EXPECT_TRUE(served_.get().ok());
  EXPECT_TRUE(host_->draining());
  EXPECT_GT(host_->signals().Seen("drain"), drain);
  EXPECT_EQ(log.drained, 1);
  EXPECT_TRUE(log.draining_seen);
  EXPECT_FALSE(Healthy());
  EXPECT_EQ(sweeps, 1);
  const std::string metrics = host_->metrics().Text();
  EXPECT_THAT(metrics, HasSubstr("ringback_rpc_total{code=\"UNAUTHENTICATED\",method=\"/ringback.v1.ReminderService/"
                                 "ListTimers\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("ringback_jobs_total{outcome=\"done\",stage=\"delivery\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("ringback_periodic_total{outcome=\"failed\",work=\"sweep\"} 1"));
}

TEST_F(HostTest, TerminateAndInterruptEndItCleanly) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Create();
    Serve();
    ASSERT_EQ(raise(signal), 0);
    EXPECT_TRUE(served_.get().ok());
    host_.reset();
  }
}

TEST_F(HostTest, HealthSaysThatItGoesDownWhileCallsAreStillAnswered) {
  config_.drain_notice = absl::Seconds(3);
  Create();
  host_->AddRpcService(std::make_unique<PingService>(host_.get()));
  Serve();
  host_->Stop();
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (Healthy() && absl::Now() < end) std::this_thread::yield();
  v1::ListTimersResponse response;
  const auto context = client_->NewContext();
  EXPECT_EQ(v1::ReminderService::NewStub(client_->channel())->ListTimers(context.get(), {}, &response).error_code(),
            grpc::StatusCode::UNAUTHENTICATED) << "answered, not turned away";
  EXPECT_TRUE(served_.get().ok());
}

TEST_F(HostTest, AComponentThatCannotStartEndsItAndTheOthersAreDrained) {
  Create();
  ComponentLog first, second;
  host_->AddComponent("first", std::make_unique<SmallComponent>(host_.get(), &first));
  host_->AddComponent("second", std::make_unique<SmallComponent>(host_.get(), &second, absl::UnavailableError("port")));
  const absl::Status status = host_->Serve([] { ADD_FAILURE() << "is not ready"; });
  EXPECT_EQ(status, absl::UnavailableError("second: port"));
  EXPECT_EQ(first.drained, 1);
  EXPECT_EQ(second.drained, 0);
}

TEST_F(HostTest, ATakenPortIsSaidAtOnce) {
  Create();
  Serve();
  config_.grpc_listen = host_->grpc_address();
  host_->Stop();
  EXPECT_TRUE(served_.get().ok());
  host_.reset();
  // Now somebody else sits there.
  rpc::ServerOptions options;
  options.listen = config_.grpc_listen;
  options.credentials = grpc::InsecureServerCredentials();
  const auto other = rpc::GrpcServer::Start(options, {});
  ASSERT_TRUE(other.ok()) << other.status();
  Create();
  EXPECT_EQ(host_->Serve([] {}).code(), absl::StatusCode::kUnavailable);
}

TEST_F(HostTest, WorkThatDoesNotEndInTimeIsReported) {
  config_.drain_timeout = absl::Milliseconds(10);
  Create();
  std::promise<void> entered, release;
  class Stuck : public JobHandler {
   public:
    Stuck(std::promise<void>* entered, std::promise<void>* release) : entered_(*entered), release_(*release) {}
    absl::Status Handle(const Job&) override {
      entered_.set_value();
      release_.get_future().wait();
      return absl::OkStatus();
    }
    absl::Status DeadLetter(const store::Lease&, const std::string&) override { return absl::OkStatus(); }

   private:
    std::promise<void>&entered_, &release_;
  };
  host_->AddWorker({}, std::make_unique<Stuck>(&entered, &release));
  store::Commit commit;
  commit.commit_id = "c";
  commit.due.push_back({{store::Stage::kTranscode, 0, "tm00", "rc00"}, host_->clock().Now()});
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  Serve();
  entered.get_future().wait();
  host_->Stop();
  EXPECT_EQ(served_.get().code(), absl::StatusCode::kDeadlineExceeded);
  release.set_value();
  host_.reset();
}

TEST_F(HostTest, ReadinessFollowsTheBlobs) {
  Create();
  ASSERT_TRUE(host_->Ready().ok()) << host_->Ready();
  std::filesystem::remove_all(config_.BlobDir());
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (host_->Ready().ok() && absl::Now() < end) std::this_thread::yield();
  EXPECT_FALSE(host_->Ready().ok());
}

// The answer to one GET, status line and all.
std::string HttpGet(int port, const std::string& path) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\n\r\n";
    send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    char buffer[4096];
    for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) answer.append(buffer, static_cast<size_t>(got));
  }
  close(fd);
  return answer;
}

TEST_F(HostTest, MetricsHealthAndReadinessAreServedApartWhenAskedFor) {
  const int port = FreePort();
  config_.metrics_listen = absl::StrCat("127.0.0.1:", port);
  Create();
  EXPECT_THAT(HttpGet(port, "/readyz"), AllOf(HasSubstr(" 503 "), HasSubstr("starting")));
  EXPECT_THAT(HttpGet(port, "/healthz"), HasSubstr(" 200 ")) << "it lives";
  std::promise<void> handled;
  WorkerOptions worker;
  worker.name = "test";
  worker.stage = store::Stage::kDelivery;
  worker.slots = 3;
  host_->AddWorker(worker, std::make_unique<CountingHandler>(host_.get(), &handled));
  Serve();
  const absl::Time end = absl::Now() + absl::Minutes(1);
  const auto until = [&](const std::string& path, const std::string& text) {
    std::string answer;
    while ((answer = HttpGet(port, path)).find(text) == std::string::npos && absl::Now() < end) std::this_thread::yield();
    return answer;
  };
  EXPECT_THAT(until("/readyz", " 200 "), HasSubstr("ok\n"));
  const std::string metrics = until("/metrics", "ringback_oldest_age_seconds{stage=\"retention\"}");
  EXPECT_THAT(metrics, HasSubstr("ringback_build_info{program=\"host_test\",version=\"0."));
  EXPECT_THAT(metrics, HasSubstr("ringback_slots{stage=\"delivery\",state=\"free\"} 3\n"));
  EXPECT_THAT(metrics, HasSubstr("ringback_ready 1\n"));
  EXPECT_THAT(metrics, HasSubstr("ringback_store_calls_total{call=\"stats\",code=\"OK\"} "));
  EXPECT_THAT(HttpGet(port, "/m/x"), HasSubstr(" 404 "));
  host_->Stop();
  EXPECT_TRUE(served_.get().ok());
  EXPECT_THAT(HttpGet(port, "/readyz"), AllOf(HasSubstr(" 503 "), HasSubstr("draining")));
  host_.reset();
  EXPECT_EQ(HttpGet(port, "/healthz"), "") << "gone";
}

TEST_F(HostTest, ATakenPortForMetricsIsSaidAtOnce) {
  const Listener other;
  config_.metrics_listen = absl::StrCat("127.0.0.1:", other.port());
  EXPECT_THAT(Host::Create(config_).status().message(), HasSubstr("ringback.metrics_listen: cannot listen on 127.0.0.1:"));
}

TEST_F(HostTest, ATakenPortIsSaidWithTheKeyThatNamesIt) {
  const Listener other;
  const std::string address = absl::StrCat("127.0.0.1:", other.port());
  config_.handoff_jobs_listen = address;
  EXPECT_THAT(Host::Create(config_).status().message(), HasSubstr("handoff.jobs_listen: cannot listen on " + address));
  config_.handoff_jobs_listen.clear();
  config_.grpc_listen = address;
  Create();
  EXPECT_THAT(host_->Serve(nullptr).message(), HasSubstr("ringback.grpc_listen: cannot listen on " + address));
}

TEST_F(HostTest, ACurveKeyThatIsNoneIsSaidWithItsFile) {
  config_.handoff_curve_secret_key_file = folder_.Write("key", "short\n");
  std::filesystem::permissions(config_.handoff_curve_secret_key_file, std::filesystem::perms::owner_read);
  config_.handoff_curve_allowed_keys_file = folder_.Write("allowed", "");
  EXPECT_THAT(Host::Create(config_).status().message(), HasSubstr(config_.handoff_curve_secret_key_file + ": a CURVE key has 40"));
}

TEST_F(HostTest, AskedToGoWhileItWaitsForTheStoreAProgramEndsWell) {
  const int port = FreePort();
  config_.metrics_listen = absl::StrCat("127.0.0.1:", port);
  config_.store = absl::StrCat("redis://127.0.0.1:", FreePort());
  auto ended = std::async(std::launch::async, [&] { return ServeAll(config_, {}, nullptr); });
  const absl::Time end = absl::Now() + absl::Minutes(1);
  while (HttpGet(port, "/healthz").empty() && absl::Now() < end) std::this_thread::yield();
  std::raise(SIGTERM);
  EXPECT_EQ(ended.get(), 0);
}

TEST_F(HostTest, TheDataFolderIsTheOwnersOnly) {
  Create();
  EXPECT_EQ(std::filesystem::status(config_.data_dir).permissions(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace ringback::runtime
