#include "delivery/app.h"

#include <memory>
#include <utility>

#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/runtime/erasure_journal.h"
#include "delivery/answer_rpc.h"
#include "delivery/busy_job.h"
#include "delivery/delivery_rpc.h"
#include "delivery/ended.h"
#include "delivery/mailbox/mailbox_worker.h"
#include "delivery/orphans.h"
#include "delivery/retention.h"
#include "delivery/wires.h"
#include "delivery/worker.h"

namespace ringback::delivery {
namespace {

// Keeps what the workers share alive as long as the host runs.
class Parts : public runtime::Component {
 public:
  Parts(std::unique_ptr<Wires> wires, std::unique_ptr<calendars::BusyParser> calendars, std::unique_ptr<Retention> retention,
        std::unique_ptr<Orphans> orphans, std::unique_ptr<Mailboxes> mailboxes)
      : wires_(std::move(wires)),
        calendars_(std::move(calendars)),
        retention_(std::move(retention)),
        orphans_(std::move(orphans)),
        mailboxes_(std::move(mailboxes)) {}
  absl::Status Start() override { return absl::OkStatus(); }
  void Drain() override {}

 private:
  std::unique_ptr<Wires> wires_;
  std::unique_ptr<calendars::BusyParser> calendars_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Orphans> orphans_;
  std::unique_ptr<Mailboxes> mailboxes_;
};

}  // namespace

absl::Status RunDelivery(runtime::Host& host) {
  DescribeDeliveryMetrics(host.metrics());
  RB_ASSIGN_OR_RETURN(auto wires, Wires::Create(host.config(), &host.clock()));
  if (host.config().public_url.empty()) {
    RB_LOG_INFO("no public_url: mails carry the voice message and an answer address, but no link");
  }

  runtime::WorkerOptions delivery;
  delivery.name = "delivery";
  delivery.stage = store::Stage::kDelivery;
  delivery.slots = host.config().delivery_slots;
  delivery.lease = host.config().delivery_lease;
  delivery.attempts_max = 10;
  delivery.backoff_max = absl::Seconds(30);
  host.AddWorker(delivery, NewDeliveryHandler(host, wires.get()));

  auto calendars = std::make_unique<calendars::BusyParser>(calendars::CalendarParserBesideThisProgram());
  runtime::WorkerOptions busy;
  busy.name = "busy";
  busy.stage = store::Stage::kBusy;
  busy.slots = 1;
  busy.lease = absl::Minutes(1);  // longer than fetching and parsing may take
  busy.attempts_max = 10;
  host.AddWorker(busy, NewBusyHandler(host, &wires->http(), calendars.get()));

  // Begun before the first erasure, so that a restore knows since when every one of them is in it.
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  RB_RETURN_IF_ERROR(runtime::NoteErasures(host.config(), now, {}));
  auto retention = std::make_unique<Retention>(host);
  runtime::WorkerOptions leaving;
  leaving.name = "retention";
  leaving.stage = store::Stage::kRetention;
  leaving.slots = 1;
  leaving.lease = absl::Minutes(2);
  leaving.attempts_max = 10;
  host.AddWorker(leaving, retention->NewHandler());
  host.AddPeriodic("sweep", absl::Minutes(1), [sweeper = retention.get()] { return sweeper->Sweep(); });

  auto orphans = std::make_unique<Orphans>(&host.store(), &host.blobs(), &host.metrics(), host.config().orphan_grace);
  host.AddPeriodic("orphans", absl::Minutes(1), [orphans = orphans.get()] { return orphans->Round(); });

  host.AddRpcService(NewDeliveryRpc(host, wires.get()));
  const auto intake = std::make_shared<AnswerIntake>(host);
  host.AddRpcService(NewAnswerRpc(host, intake));
  RB_ASSIGN_OR_RETURN(auto mailboxes,
                      AddMailboxes(host, [intake](const std::string& team_id, const std::string& raw, bool cut) {
                        return intake->Take({.team_id = team_id, .cut = cut}, raw).status();
                      }));
  host.AddComponent("delivery", std::make_unique<Parts>(std::move(wires), std::move(calendars), std::move(retention),
                                                      std::move(orphans), std::move(mailboxes)));
  return absl::OkStatus();
}

}  // namespace ringback::delivery
