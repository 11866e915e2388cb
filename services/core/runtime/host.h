// A running program: shared parts (clock, store, blobs, signals, pool, metrics), the gRPC server, workers and listeners
// that the services add, health, drain. A service's Run function takes a Host, builds its parts, adds them and returns;
// main calls one (a program of its own) or all (the all-in-one), then Serve.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/blob/blob_store.h"
#include "core/handoff/signals.h"
#include "core/rpc/server.h"
#include "core/runtime/config.h"
#include "core/runtime/metrics.h"
#include "core/runtime/worker.h"
#include "core/store/store.h"

namespace ringback::runtime {

// Something with a life of its own (the HTTP listener, a sweeper): started before the host reports SERVING, stopped
// while draining.
class Component {
 public:
  virtual ~Component() = default;
  virtual absl::Status Start() = 0;
  virtual void Drain() = 0;  // stop taking work, finish what is held; returns when done
};

class Host {
 public:
  // Opens store and blobs as the config says. A Redis that is not up yet is waited for (1 minute).
  static absl::StatusOr<std::unique_ptr<Host>> Create(Config config);
  virtual ~Host() = default;

  virtual const Config& config() const = 0;
  virtual Clock& clock() = 0;
  virtual Random& random() = 0;
  virtual store::Store& store() = 0;     // commits through it hand jobs off, and nudge the stages and teams they touch
  virtual blob::BlobStore& blobs() = 0;
  virtual handoff::Signals& signals() = 0;
  virtual Metrics& metrics() = 0;
  virtual rpc::Environment& rpc() = 0;

  // Everything below is added before Serve.
  virtual void AddRpcService(std::unique_ptr<grpc::Service> service) = 0;
  virtual void AddWorker(WorkerOptions options, std::unique_ptr<JobHandler> handler) = 0;
  virtual void AddComponent(std::string name, std::unique_ptr<Component> component) = 0;
  // Called every `period` by the host's clock on a pool thread while serving, first at the start (sweepers). Errors are counted and logged, never fatal.
  virtual void AddPeriodic(std::string name, absl::Duration period, std::function<absl::Status()> work) = 0;

  // Starts everything, serves until SIGTERM, SIGINT or Stop, drains: health NOT_SERVING first, no new work, held work
  // finished or released, then returns OK. `ready` is called once everything has started. The topic "drain" of signals()
  // is nudged when draining begins: streams without an end must end then. DEADLINE_EXCEEDED when work did not end in
  // drain_timeout: it still runs, so the program should leave without destroying the host (ServiceMain does).
  virtual absl::Status Serve(std::function<void()> ready) = 0;
  virtual void Stop() = 0;  // from any thread
  // "127.0.0.1:7420" as bound (a port 0 in the config is filled in); valid once ready.
  virtual std::string grpc_address() const = 0;
  // To the gRPC services of this program, without a socket; valid once components are started.
  virtual std::shared_ptr<grpc::Channel> InProcessChannel() = 0;
  virtual bool draining() const = 0;
  // Store, clock skew (250 ms) and blobs: OK, or why this program is not ready. For /readyz; an answer is at most a
  // second old, and asking blocks on the store once a second.
  virtual absl::Status Ready() = 0;
};

}  // namespace ringback::runtime
