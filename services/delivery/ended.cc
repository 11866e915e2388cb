#include "delivery/ended.h"

#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "core/base/log.h"
#include "core/rpc/translate.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {
namespace {

using store::v1::DeliveryRecord;

// "voice_message", "accepted".
std::string Word(std::string name, size_t prefix) { return absl::AsciiStrToLower(name.substr(prefix)); }

bool Ended(const DeliveryRecord& delivery) {
  return delivery.state() == DeliveryRecord::STATE_ACCEPTED || delivery.state() == DeliveryRecord::STATE_FAILED ||
         delivery.state() == DeliveryRecord::STATE_WITHDRAWN;
}

void Tell(const DeliveryRecord& delivery, const std::string& dead_letter, runtime::Metrics& metrics) {
  const TraceScope trace(delivery.trace_id().empty() ? TraceScope::Current() : delivery.trace_id());
  const std::string kind = Word(DeliveryRecord::Kind_Name(delivery.kind()), sizeof("KIND_") - 1);
  const std::string outcome = Word(DeliveryRecord::State_Name(delivery.state()), sizeof("STATE_") - 1);
  const std::string channel = delivery.channel() < delivery.channels_size()
                                  ? rpc::ChannelWord(delivery.channels(delivery.channel()).kind())
                                  : "none";
  metrics.Count("ringback_deliveries_total", {{"kind", kind}, {"channel", channel}, {"outcome", outcome}});
  if (delivery.state() == DeliveryRecord::STATE_ACCEPTED) {
    const absl::Duration took = rpc::FromProto(delivery.accept_time()) - rpc::FromProto(delivery.create_time());
    metrics.Observe("ringback_delivery_seconds", {{"kind", kind}}, absl::ToDoubleSeconds(took));
  }
  if (delivery.state() == DeliveryRecord::STATE_FAILED && delivery.id() != dead_letter) {
    metrics.Count("ringback_dead_letters_total", {{"stage", "delivery"}});
  }
  RB_LOG_INFO("delivery {}, a {} by {}, is {} after {} tries", delivery.id(), kind, channel, outcome, delivery.tries_size());
}

}  // namespace

void DescribeDeliveryMetrics(runtime::Metrics& metrics) {
  metrics.Describe("ringback_deliveries_total",
                   "Deliveries that ended, by kind, last channel and outcome: accepted, failed (a dead letter), or withdrawn "
                   "(no longer needed).");
  metrics.Describe("ringback_delivery_seconds", "From a delivery's making to its acceptance by a channel.");
  metrics.Describe("ringback_sends_total", "Tries to send, by channel and what the other side said.");
  metrics.Describe("ringback_send_seconds", "How long one try took.");
  metrics.Describe("ringback_orphans_total",
                   "Recordings whose bytes no record named: found, removed, or kept because the record came after all.");
}

void TellEnded(const DeliveryRecord& delivery, runtime::Metrics& metrics) { Tell(delivery, delivery.id(), metrics); }

void TellEnded(const store::Commit& commit, const std::string& dead_letter, runtime::Metrics& metrics) {
  for (const store::Put& put : commit.puts) {
    DeliveryRecord delivery;
    if (put.key.kind != store::Kind::kDelivery || !put.value || !delivery.ParseFromString(*put.value)) continue;
    if (Ended(delivery)) Tell(delivery, dead_letter, metrics);
  }
}

}  // namespace ringback::delivery
