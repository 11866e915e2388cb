#include "ingest/app.h"

#include <memory>
#include <utility>

#include "ingest/callback_rpc.h"
#include "ingest/contact_rpc.h"
#include "ingest/recording_rpc.h"
#include "ingest/team_rpc.h"
#include "ingest/waker.h"

namespace ringback::ingest {
namespace {

// Watches and waits beyond this many are refused: each costs some kilobytes and one look at the store a second.
constexpr int kWaitersMax = 4096;

// The host owns components; the waker also belongs to the streams that may outlive its draining.
class WakerComponent : public runtime::Component {
 public:
  explicit WakerComponent(std::shared_ptr<Waker> waker) : waker_(std::move(waker)) {}
  absl::Status Start() override {
    waker_->Start();
    return absl::OkStatus();
  }
  void Drain() override { waker_->Drain(); }

 private:
  std::shared_ptr<Waker> waker_;
};

}  // namespace

absl::Status RunIngest(runtime::Host& host) {
  auto waker = std::make_shared<Waker>(host.signals(), kWaitersMax);
  host.AddComponent("ingest-waker", std::make_unique<WakerComponent>(waker));
  host.AddRpcService(NewCallbackRpc(host, waker));
  host.AddRpcService(NewRecordingRpc(host, waker));
  host.AddRpcService(NewTeamRpc(host));
  host.AddRpcService(NewContactRpc(host));
  return absl::OkStatus();
}

}  // namespace ringback::ingest
