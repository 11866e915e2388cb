#include "core/runtime/host.h"

#include <errno.h>

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
#include "core/http/listener.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/backlog_report.h"
#include "core/runtime/describe_metrics.h"
#include "core/runtime/measured_store.h"
#include "core/runtime/notifying_store.h"
#include "core/runtime/open.h"
#include "core/runtime/open_handoff.h"
#include "core/runtime/periodic.h"
#include "core/runtime/pool.h"
#include "core/runtime/readiness.h"
#include "core/runtime/status_listener.h"
#include "core/runtime/stop_signal.h"
#include "core/runtime/tls_files.h"
#include "core/runtime/worker_loop.h"

namespace ringback::runtime {
namespace {

constexpr absl::Duration kReadyEvery = absl::Seconds(5);
constexpr absl::Duration kBacklogEvery = absl::Seconds(5);  // at most; and only when somebody looks
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
    metrics_->Gauge("ringback_build_info", {{"version", RINGBACK_VERSION}, {"program", program_invocation_short_name}}, 1);
  }

  ~RealHost() override {
    status_listener_.reset();
    // Work on the pool uses what the services hold.
    pool_.Drain();
    workers_.clear();
  }

  absl::Status Open() {
    RB_RETURN_IF_ERROR(StartStatus());
    RB_ASSIGN_OR_RETURN(handoff_, OpenHandoff(config_, *metrics_));
    RB_ASSIGN_OR_RETURN(auto store, OpenStorePatiently());
    store_ = NewNotifyingStore(NewMeasuredStore(std::move(store), metrics_.get()),
                               {&handoff_->signals(), clock_.get(), handoff_.get(), random_.get()});
    RB_ASSIGN_OR_RETURN(blobs_, OpenBlobs(config_, clock_.get()));
    readiness_ = std::make_unique<Readiness>(ReadinessParts{store_.get(), blobs_.get(), clock_.get(), metrics_.get()});
    backlog_ = std::make_unique<BacklogReport>(store_.get(), metrics_.get());
    environment_.store = store_.get();
    environment_.clock = clock_.get();
    environment_.random = random_.get();
    environment_.executor = &pool_;
    environment_.finished = [this](std::string_view method, absl::StatusCode code, absl::Duration took) {
      metrics_->Count("ringback_rpc_total", {{"method", method}, {"code", absl::StatusCodeToString(code)}});
      metrics_->Observe("ringback_rpc_seconds", {{"method", method}}, absl::ToDoubleSeconds(took));
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
    metrics_->BeforeText([this] { BeforeLook(); });
    const absl::Status components = StartComponents();
    if (!components.ok()) {
      Drain().IgnoreError();
      return components;
    }
    for (const auto& worker : workers_) worker->Start();
    serving_ = true;
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
  std::shared_ptr<grpc::Channel> InProcessChannel() override { return server_->InProcessChannel(); }
  bool draining() const override { return draining_.load(); }

  absl::Status Ready() override { return draining_ ? absl::UnavailableError("going down") : readiness_->Ask(); }

 private:
  absl::StatusOr<std::unique_ptr<store::Store>> OpenStorePatiently() {
    for (int tries = 1;; ++tries) {
      auto store = OpenStore(config_, clock_.get(), random_.get());
      if (!absl::IsUnavailable(store.status()) || tries == kStoreTries) return store;
      // The address holds no secret: passwords come by file.
      if (tries == 1) RB_LOG_WARN("waiting for the store {}: {}", config_.store, store.status().ToString());
      if (stop_.WaitFor(absl::Seconds(1))) return absl::CancelledError("stopped while waiting for the store");
    }
  }

  // Before everything that may be waited for, so that a program that waits can be seen waiting.
  absl::Status StartStatus() {
    if (config_.metrics_listen.empty()) return absl::OkStatus();
    http::StatusParts parts;
    parts.ready = [this] { return serving_ ? readiness_->Known() : absl::UnavailableError("starting"); };
    parts.draining = [this] { return draining_.load(); };
    parts.metrics_text = [this] { return metrics_->Text(); };
    RB_ASSIGN_OR_RETURN(status_listener_, StartStatusListener(config_.metrics_listen, std::move(parts), clock_.get()));
    return absl::OkStatus();
  }

  // Gauges of the moment somebody looks; what the store must be asked for follows within seconds.
  void BeforeLook() {
    backlog_->Wanted();
    for (const auto& worker : workers_) worker->ReportSlots();
    for (const store::Stage stage : {store::Stage::kTranscode, store::Stage::kDelivery, store::Stage::kPromise}) {
      metrics_->Gauge("ringback_credits_held", {{"stage", StageName(stage)}}, handoff_->Held(StageName(stage)));
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
    auto server = rpc::GrpcServer::Start(options, services);
    if (!server.ok()) {
      return absl::Status(server.status().code(), absl::StrCat("ringback.grpc_listen: ", std::string(server.status().message())));
    }
    server_ = *std::move(server);
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
      return draining_ ? absl::OkStatus() : ready;  // going down is no error
    });
    Periodic backlog("backlog", kBacklogEvery, [this] { return backlog_->Refresh(); });
    for (;;) {
      const absl::Time now = clock_->Now();
      absl::Time next = std::min(now + kTickMax, backlog.Tick(now, pool_, *metrics_));
      next = std::min(next, health.Tick(now, pool_, *metrics_));
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

  const Config config_;
  const std::unique_ptr<Clock> clock_;
  const std::unique_ptr<Random> random_;
  const std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<handoff::Handoff> handoff_;
  StopSignal stop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  rpc::Environment environment_;
  std::unique_ptr<Readiness> readiness_;
  std::unique_ptr<BacklogReport> backlog_;
  std::atomic<bool> serving_{false}, draining_{false};
  Pool pool_;

  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::vector<std::unique_ptr<WorkerLoop>> workers_;
  std::vector<std::pair<std::string, std::unique_ptr<Component>>> components_;
  size_t components_started_ = 0;
  std::deque<Periodic> periodic_;
  std::unique_ptr<rpc::GrpcServer> server_;
  std::string grpc_address_;
  std::unique_ptr<http::Listener> status_listener_;

  Mutex health_mutex_;  // one change of health at a time
};

}  // namespace

absl::StatusOr<std::unique_ptr<Host>> Host::Create(Config config) {
  auto host = std::make_unique<RealHost>(std::move(config));
  RB_RETURN_IF_ERROR(host->Open());
  return host;
}

}  // namespace ringback::runtime
