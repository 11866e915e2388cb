#include "delivery/app.h"

#include <memory>
#include <utility>

#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "delivery/delivery_rpc.h"
#include "delivery/retention.h"
#include "delivery/wires.h"
#include "delivery/worker.h"

namespace ringback::delivery {
namespace {

// Keeps the wires alive as long as the host runs.
class WiresHolder : public runtime::Component {
 public:
  explicit WiresHolder(std::unique_ptr<Wires> wires) : wires_(std::move(wires)) {}
  absl::Status Start() override { return absl::OkStatus(); }
  void Drain() override {}

 private:
  std::unique_ptr<Wires> wires_;
};

}  // namespace

absl::Status RunDelivery(runtime::Host& host) {
  RB_ASSIGN_OR_RETURN(auto wires, Wires::Create(host.config(), &host.clock()));
  if (host.config().public_url.empty()) {
    RB_LOG_INFO("no public_url: mails carry the voice message and an answer address, but no link");
  }

  runtime::WorkerOptions delivery;
  delivery.name = "delivery";
  delivery.stage = store::Stage::kDelivery;
  delivery.slots = host.config().delivery_slots;
  delivery.lease = absl::Seconds(60);
  delivery.attempts_max = 10;
  delivery.backoff_max = absl::Seconds(30);
  host.AddWorker(delivery, NewDeliveryHandler(host, wires.get()));

  runtime::WorkerOptions retention;
  retention.name = "retention";
  retention.stage = store::Stage::kRetention;
  retention.slots = 1;
  retention.lease = absl::Minutes(2);
  retention.attempts_max = 10;
  host.AddWorker(retention, NewRetentionHandler(host));

  host.AddRpcService(NewDeliveryRpc(host));
  host.AddComponent("delivery wires", std::make_unique<WiresHolder>(std::move(wires)));
  return absl::OkStatus();
}

}  // namespace ringback::delivery
