#include "core/runtime/host.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/describe_metrics.h"
#include "core/runtime/notifying_store.h"
#include "core/runtime/open.h"
#include "core/runtime/open_handoff.h"
#include "core/runtime/periodic.h"
#include "core/runtime/pool.h"
#include "core/runtime/stop_signal.h"
#include "core/runtime/tls_files.h"
#include "core/runtime/worker_loop.h"

namespace ringback::runtime {
namespace {

constexpr absl::Duration kSkewMax = absl::Milliseconds(250);
constexpr absl::Duration kReadyEvery = absl::Seconds(5);
constexpr absl::Duration kTickMax = absl::Seconds(1);  // a shifted or set clock is noticed within it
constexpr size_t kQueueMax = 1024;
constexpr int kStoreTries = 60;  // a second apart

class RealHost : public Host {
 public:
  explicit RealHost(Config config)
      : config_(std::move(config)),
        clock_(NewSystemClock(config_.clock_offset_file)),
        random_(NewSystemRandom()),
        metrics_(NewMetrics()),
        pool_(config_.pool_threads, kQueueMax) {
    DescribeMetrics(*metrics_);
  }

  ~RealHost() override {
    // Work on the pool uses what the services hold.
    pool_.Drain();
    workers_.clear();
  }

  absl::Status Open() {
    RB_ASSIGN_OR_RETURN(handoff_, OpenHandoff(config_, *metrics_));
    RB_ASSIGN_OR_RETURN(auto store, OpenStorePatiently());
    store_ = NewNotifyingStore(std::move(store), {&handoff_->signals(), clock_.get(), handoff_.get(), random_.get()});
    RB_ASSIGN_OR_RETURN(blobs_, OpenBlobs(config_, clock_.get()));
    environment_.store = store_.get();
    environment_.clock = clock_.get();
    environment_.random = random_.get();
    environment_.executor = &pool_;
    environment_.finished = [this](std::string_view method, absl::StatusCode code, absl::Duration took) {
      const std::string name(method);
      metrics_->Count("ringback_rpc_total", {{"method", name}, {"code", absl::StatusCodeToString(code)}});
      metrics_->Observe("ringback_rpc_seconds", {{"method", name}}, absl::ToDoubleSeconds(took));
    };
    return absl::OkStatus();
  }

  const Config& config() const override { return config_; }
  Clock& clock() override { return *clock_; }
  Random& random() override { return *random_; }
  store::Store& store() override { return *store_; }
  blob::BlobStore& blobs() override { return *blobs_; }
  handoff::Signals& signals() override { return handoff_->signals(); }
  Metrics& metrics() override { return *metrics_; }
  rpc::Environment& rpc() override { return environment_; }

  void AddRpcService(std::unique_ptr<grpc::Service> service) override { services_.push_back(std::move(service)); }
  void AddWorker(WorkerOptions options, std::unique_ptr<JobHandler> handler) override {
    workers_.push_back(std::make_unique<WorkerLoop>(
        std::move(options), std::move(handler),
        WorkerParts{store_.get(), clock_.get(), random_.get(), &handoff_->signals(), metrics_.get(), handoff_.get()}));
  }
  void AddComponent(std::string name, std::unique_ptr<Component> component) override {
    components_.emplace_back(std::move(name), std::move(component));
  }
  void AddPeriodic(std::string name, absl::Duration period, std::function<absl::Status()> work) override {
    periodic_.emplace_back(std::move(name), period, std::move(work));
  }

  absl::Status Serve(std::function<void()> ready) override {
    RB_RETURN_IF_ERROR(StartGrpc());
    const absl::Status components = StartComponents();
    if (!components.ok()) {
      Drain().IgnoreError();
      return components;
    }
    for (const auto& worker : workers_) worker->Start();
    SetServing(true);
    RB_LOG_INFO("serving; gRPC on {}", grpc_address_);
    if (!handoff_->jobs_address().empty()) {
      RB_LOG_INFO("hand-off: jobs on {}, events on {}", handoff_->jobs_address(), handoff_->events_address());
    }
    if (ready) ready();
    Run();
    RB_LOG_INFO("going down");
    return Drain();
  }

  void Stop() override { stop_.Stop(); }
  std::string grpc_address() const override { return grpc_address_; }
  bool draining() const override { return draining_.load(); }

  absl::Status Ready() override {
    MutexLock lock(&ready_mutex_);
    if (absl::Now() >= ready_until_) {
      ready_ = Examine();
      ready_until_ = absl::Now() + absl::Seconds(1);
    }
    return draining_ ? absl::UnavailableError("going down") : ready_;
  }

 private:
  absl::StatusOr<std::unique_ptr<store::Store>> OpenStorePatiently() {
    for (int tries = 1;; ++tries) {
      auto store = OpenStore(config_, clock_.get(), random_.get());
      if (!absl::IsUnavailable(store.status()) || tries == kStoreTries) return store;
      if (tries == 1) RB_LOG_WARN("waiting for the store: {}", store.status().ToString());
      if (stop_.WaitFor(absl::Seconds(1))) return absl::CancelledError("stopped while waiting for the store");
    }
  }

  // Readiness never overwrites what Drain has said.
  void SetServing(bool serving) {
    MutexLock lock(&health_mutex_);
    server_->SetServing(serving && !draining_);
  }

  absl::Status StartGrpc() {
    RB_ASSIGN_OR_RETURN(const TlsFiles tls, ReadTlsFiles(config_));
    rpc::ServerOptions options;
    options.listen = config_.grpc_listen;
    RB_ASSIGN_OR_RETURN(options.credentials, rpc::MakeServerCredentials(tls.pem));
    std::vector<grpc::Service*> services;
    for (const auto& service : services_) services.push_back(service.get());
    RB_ASSIGN_OR_RETURN(server_, rpc::GrpcServer::Start(options, services));
    grpc_address_ = server_->address();
    return absl::OkStatus();
  }

  absl::Status StartComponents() {
    for (auto& [name, component] : components_) {
      const absl::Status status = component->Start();
      if (!status.ok()) return absl::Status(status.code(), absl::StrCat(name, ": ", std::string(status.message())));
      ++components_started_;
    }
    return absl::OkStatus();
  }

  // Until the stop signal: periodic work, and health that follows Ready. The store is asked on the pool, so that a hanging
  // one delays no signal.
  void Run() {
    Periodic health("readiness", kReadyEvery, [this] {
      const absl::Status ready = Ready();
      SetServing(ready.ok());
      return ready;
    });
    for (;;) {
      const absl::Time now = clock_->Now();
      absl::Time next = std::min(now + kTickMax, health.Tick(now, pool_, *metrics_));
      for (Periodic& each : periodic_) next = std::min(next, each.Tick(now, pool_, *metrics_));
      if (stop_.WaitFor(next - now)) return;
    }
  }

  absl::Status Drain() {
    const absl::Time end = absl::Now() + config_.drain_timeout;
    draining_ = true;
    SetServing(false);
    signals().Notify("drain");
    for (const auto& worker : workers_) worker->BeginDrain();
    absl::SleepFor(std::min(config_.drain_notice, end - absl::Now()));
    for (; components_started_ > 0; --components_started_) components_[components_started_ - 1].second->Drain();
    server_->Shutdown(std::max(end - absl::Now(), absl::ZeroDuration()));
    bool drained = true;
    for (const auto& worker : workers_) {
      drained = worker->WaitDrained(std::max(end - absl::Now(), absl::ZeroDuration())) && drained;
    }
    if (!drained) return absl::DeadlineExceededError("work did not end in ringback.drain_timeout and was given back");
    pool_.Drain();
    RB_LOG_INFO("drained");
    return absl::OkStatus();
  }

  absl::Status Examine() {
    RB_RETURN_IF_ERROR(store_->Check());
    const absl::Time before = clock_->Now();
    RB_ASSIGN_OR_RETURN(const absl::Time store_now, store_->Now());
    const absl::Time after = clock_->Now();
    // The store's time lies between the two readings; what is beyond them is skew.
    const absl::Duration skew = std::max(before - store_now, store_now - after);
    metrics_->Gauge("ringback_clock_skew_seconds", {}, absl::ToDoubleSeconds(std::max(skew, absl::ZeroDuration())));
    if (skew > kSkewMax) {
      return absl::FailedPreconditionError(
          absl::StrCat("this machine's clock and the store's differ by ", absl::FormatDuration(skew), "; at most ",
                       absl::FormatDuration(kSkewMax), " is right: check the time synchronisation of both"));
    }
    return blobs_->Check();
  }

  const Config config_;
  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<handoff::Handoff> handoff_;
  StopSignal stop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  rpc::Environment environment_;
  std::atomic<bool> draining_{false};
  Pool pool_;

  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::vector<std::unique_ptr<WorkerLoop>> workers_;
  std::vector<std::pair<std::string, std::unique_ptr<Component>>> components_;
  size_t components_started_ = 0;
  std::deque<Periodic> periodic_;
  std::unique_ptr<rpc::GrpcServer> server_;
  std::string grpc_address_;

  Mutex health_mutex_;  // one change of health at a time
  Mutex ready_mutex_;
  absl::Status ready_ RB_GUARDED_BY(ready_mutex_);
  absl::Time ready_until_ RB_GUARDED_BY(ready_mutex_) = absl::InfinitePast();
};

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Create(Config config) {
  auto host = std::make_unique<RealHost>(std::move(config));
  RB_RETURN_IF_ERROR(host->Open());
  return host;
}

}  // namespace ringback::runtime
