// Unary calls per second through a host (token looked up in the store, permission, pool, status details) beside a bare gRPC
// echo with the same messages, in turns on one machine; the calls come from a process of their own, so that the CPU counted
// is the server's alone. Prints a table, and the resident memory of the idle host.
//   ringback-rpc-bench [--store ADDRESS] [--json FILE]    ADDRESS as the configuration has it; without: SQLite
#include <grpcpp/grpcpp.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "core/base/temp_dir.h"
#include "core/rpc/client.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/host.h"
#include "core/runtime/service_main.h"
#include "ringback/store/v1/records.pb.h"
#include "ringback/v1/reminder_service.grpc.pb.h"

namespace ringback::runtime {
namespace {

using Service = v1::ReminderService;

constexpr int kRounds = 5;
constexpr absl::Duration kRound = absl::Seconds(2);
constexpr double kRatioMin = 0.5;

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

// The client's process: how many calls `clients` threads make, one at a time each.
int Call(const std::string& target, const std::string& token, int clients, absl::Duration length) {
  const auto random = NewSystemRandom();
  rpc::ClientOptions options;
  options.target = target;
  options.token = token;
  const auto client = rpc::Client::Create(options, random.get()).value();
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
  std::printf("%lld %f\n", static_cast<long long>(calls), absl::ToDoubleSeconds(absl::Now() - begin));
  return 0;
}

double CpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

struct Rates {
  double per_s = 0;
  double per_core = 0;  // calls per second of the server's CPU time
};

Rates Measure(const std::string& target, const std::string& token, int clients) {
  const std::string command =
      absl::StrCat(std::filesystem::read_symlink("/proc/self/exe").string(), " --call ", target, " ", token, " ", clients);
  const double cpu = CpuSeconds();
  std::FILE* const child = popen(command.c_str(), "r");
  RB_CHECK(child != nullptr);
  long long calls = 0;
  double seconds = 0;
  RB_CHECK(std::fscanf(child, "%lld %lf", &calls, &seconds) == 2);
  RB_CHECK(pclose(child) == 0);
  return {static_cast<double>(calls) / seconds, static_cast<double>(calls) / (CpuSeconds() - cpu)};
}

Rates Median(const std::vector<Rates>& rounds) {
  std::vector<double> per_s, per_core;
  for (const Rates& round : rounds) {
    per_s.push_back(round.per_s);
    per_core.push_back(round.per_core);
  }
  for (auto* values : {&per_s, &per_core}) std::sort(values->begin(), values->end());
  return {per_s[per_s.size() / 2], per_core[per_core.size() / 2]};
}

double ResidentMb() {
  std::ifstream statm("/proc/self/statm");
  int64_t size = 0, resident = 0;
  statm >> size >> resident;
  return static_cast<double>(resident * sysconf(_SC_PAGESIZE)) / (1 << 20);
}

int Run(const std::string& store, const std::string& json) {
  const TempDir folder;
  Config config;
  config.data_dir = folder.path();
  config.store = store;
  config.grpc_listen = "127.0.0.1:0";
  auto host = Host::Create(config).value();
  host->AddRpcService(std::make_unique<OurEcho>(host.get()));
  const std::string token = MakeToken(*host);
  std::promise<void> ready;
  std::thread serving([&] { RB_CHECK(host->Serve([&] { ready.set_value(); }).ok()); });
  ready.get_future().wait();
  absl::SleepFor(absl::Seconds(1));
  const double idle_mb = ResidentMb();
  std::printf("gRPC %s, median of %d rounds of %.0f s, in turns\nidle host, resident: %.1f MB\n", grpc::Version().c_str(),
              kRounds, absl::ToDoubleSeconds(kRound), idle_mb);

  BareEcho echo;
  rpc::ServerOptions options;
  options.listen = "127.0.0.1:0";
  options.credentials = grpc::InsecureServerCredentials();
  const auto bare = rpc::GrpcServer::Start(options, {&echo}).value();
  std::string rows;
  std::printf("%8s %14s %14s %8s %18s %18s %8s\n", "clients", "bare calls/s", "ours calls/s", "ratio", "bare /s per core",
              "ours /s per core", "ratio");
  for (const int clients : {1, 8, 32}) {
    std::vector<Rates> of_bare, of_ours;
    for (int round = 0; round < kRounds; ++round) {
      of_bare.push_back(Measure(bare->address(), token, clients));
      of_ours.push_back(Measure(host->grpc_address(), token, clients));
    }
    const Rates theirs = Median(of_bare), ours = Median(of_ours);
    const double ratio = ours.per_core / theirs.per_core;
    std::printf("%8d %14.0f %14.0f %8.2f %18.0f %18.0f %8.2f   at least %.1f %s\n", clients, theirs.per_s, ours.per_s,
                ours.per_s / theirs.per_s, theirs.per_core, ours.per_core, ratio, kRatioMin,
                ratio >= kRatioMin ? "met" : "MISSED");
    absl::StrAppend(&rows, rows.empty() ? "" : ",\n ", "{\"clients\": ", clients, ", \"bare_per_s\": ", theirs.per_s,
                    ", \"ours_per_s\": ", ours.per_s, ", \"bare_per_core\": ", theirs.per_core,
                    ", \"ours_per_core\": ", ours.per_core, ", \"ratio\": ", ratio, "}");
  }
  if (!json.empty()) {
    std::ofstream(json) << "{\"idle_mb\": " << idle_mb << ", \"grpc\": \"" << grpc::Version() << "\", \"calls\": [" << rows
                        << "]}\n";
  }
  host->Stop();
  serving.join();
  host.reset();
  return 0;
}

}  // namespace
}  // namespace ringback::runtime

int main(int argc, char** argv) {
  using namespace ringback::runtime;
  PrepareProcess();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() == 4 && words[0] == "--call") return Call(words[1], words[2], std::atoi(words[3].c_str()), kRound);
  std::string store, json;
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    RB_CHECK(words[i] == "--store" || words[i] == "--json");
    (words[i] == "--store" ? store : json) = words[i + 1];
  }
  return Run(store, json);
}
