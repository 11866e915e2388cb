// Unary calls per second through a host (token looked up in SQLite, permission, pool, status details) beside a bare gRPC
// echo with the same messages, in turns in one process; and the resident memory of the idle host. Prints a table.
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "core/base/check.h"
#include "core/rpc/client.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/host.h"
#include "core/runtime/service_main.h"
#include "ringback/store/v1/records.pb.h"
#include "ringback/v1/reminder_service.grpc.pb.h"

namespace ringback::runtime {
namespace {

using Service = v1::ReminderService;

class BareEcho : public Service::CallbackService {
 public:
  grpc::ServerUnaryReactor* ListTimers(grpc::CallbackServerContext* context, const v1::ListTimersRequest*,
                                       v1::ListTimersResponse*) override {
    auto* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class OurEcho : public Service::CallbackService {
 public:
  explicit OurEcho(Host* host) : host_(*host) {}
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

void Write(Host& host, const store::Key& key, const std::string& value) {
  store::Commit commit;
  commit.shard = key.shard;
  commit.commit_id = NewSecret("bn", key.shard, host.random());
  store::Put& put = commit.puts.emplace_back();
  put.key = key;
  put.value = value;
  RB_CHECK(host.store().CommitOnce(commit).ok());
}

std::string MakeToken(Host& host) {
  store::v1::TeamRecord team;
  team.set_id(NewId(id_prefix::kTeam, 7, host.random()));
  auto* const member = team.add_members();
  member->set_id("rep");
  member->set_role(store::v1::Member::ROLE_REP);
  Write(host, {7, store::Kind::kTeam, team.id()}, team.SerializeAsString());
  const rpc::NewToken token = rpc::MakeTokenSecret(7, host.random());
  store::v1::TokenRecord record;
  record.set_team_id(team.id());
  record.set_member_id("rep");
  record.set_role(store::v1::TokenRecord::ROLE_MEMBER);
  Write(host, token.key, record.SerializeAsString());
  return token.secret;
}

// Calls per second of `clients` threads, one call each at a time.
double Measure(const std::string& target, const std::string& token, int clients, absl::Duration length, Random* random) {
  rpc::ClientOptions options;
  options.target = target;
  options.token = token;
  const auto client = rpc::Client::Create(options, random).value();
  const auto stub = Service::NewStub(client->channel());
  std::atomic<int64_t> calls{0};
  const absl::Time begin = absl::Now();
  std::vector<std::thread> threads;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      while (absl::Now() - begin < length) {
        v1::ListTimersResponse response;
        const auto context = client->NewContext();
        RB_CHECK(stub->ListTimers(context.get(), {}, &response).ok());
        ++calls;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return static_cast<double>(calls) / absl::ToDoubleSeconds(absl::Now() - begin);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double ResidentMb() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

int Run() {
  std::string folder = std::filesystem::temp_directory_path() / "rpcbenchXXXXXX";
  RB_CHECK(mkdtemp(folder.data()) != nullptr);
  Config config;
  config.data_dir = folder;
  config.grpc_listen = "127.0.0.1:0";
  auto host = Host::Create(config).value();
  host->AddRpcService(std::make_unique<OurEcho>(host.get()));
  const std::string token = MakeToken(*host);
  std::promise<void> ready;
  std::thread serving([&] { RB_CHECK(host->Serve([&] { ready.set_value(); }).ok()); });
  ready.get_future().wait();
  absl::SleepFor(absl::Seconds(1));
  std::printf("gRPC %s\nidle host, resident: %.1f MB\n", grpc::Version().c_str(), ResidentMb());

  BareEcho echo;
  rpc::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.credentials = grpc::InsecureServerCredentials();
  const auto bare = rpc::GrpcServer::Start(options, {&echo}).value();
  std::printf("%8s %14s %14s %8s\n", "clients", "bare calls/s", "ours calls/s", "ratio");
  for (const int clients : {1, 8, 32}) {
    std::vector<double> of_bare, of_ours;
    for (int round = 0; round < 3; ++round) {
      of_bare.push_back(Measure(bare->address(), token, clients, absl::Seconds(2), &host->random()));
      of_ours.push_back(Measure(host->grpc_address(), token, clients, absl::Seconds(2), &host->random()));
    }
    std::printf("%8d %14.0f %14.0f %8.2f\n", clients, Median(of_bare), Median(of_ours), Median(of_ours) / Median(of_bare));
  }
  host->Stop();
  serving.join();
  host.reset();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ringback::runtime

int main() {
  ringback::runtime::PrepareProcess();
  return ringback::runtime::Run();
}
