#include "core/handoff/zmq_events.h"

#include <utility>

#include "absl/strings/match.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace ringback::handoff {
namespace {

constexpr int kRetryBeats = 5;

}  // namespace

bool CrossesProcesses(const std::string& topic) {
  return absl::StartsWith(topic, "due/") || absl::StartsWith(topic, "changes/");
}

absl::StatusOr<std::string> ZmqEvents::Open(Sockets& sockets, const std::string& listen) {
  pub_ = sockets.Pub();
  std::string address;
  if (!listen.empty()) RB_RETURN_IF_ERROR(Bind(pub_, listen, &address));
  sub_ = sockets.Sub();
  refusals_ = sockets.RefusalsOf(sub_);
  return address;
}

void ZmqEvents::Close() {
  pub_.close();
  refusals_.close();
  sub_.close();
}

void ZmqEvents::Publish(const std::set<std::string>& topics) {
  if (trial_.DropsEvents()) return;
  for (const std::string& topic : topics) {
    Parts parts;
    parts.push_back(Message(topic));
    TrySend(pub_, std::move(parts));
  }
}

void ZmqEvents::SetPeers(const std::set<std::string>& endpoints) {
  try {
    for (const std::string& endpoint : endpoints_) {
      if (!endpoints.contains(endpoint)) sub_.disconnect(endpoint);
    }
    for (const std::string& endpoint : endpoints) {
      if (!endpoints_.contains(endpoint)) sub_.connect(endpoint);
    }
  } catch (const zmq::error_t& error) {
    RB_LOG_WARN("hand-off: an address of the events' peers is of no use: {}", error.what());
  }
  endpoints_ = endpoints;
}

// libzmq tries a lost connection again, but never one whose key was refused: the list may have it by now.
void ZmqEvents::Tick(Time now) {
  if (refused_.empty() || now < retry_at_) return;
  retry_at_ = now + beat_ * kRetryBeats;
  const std::set<std::string> all = endpoints_;
  std::set<std::string> without;
  for (const std::string& endpoint : all) {
    if (!refused_.contains(endpoint)) without.insert(endpoint);
  }
  refused_.clear();
  SetPeers(without);
  SetPeers(all);
}

void ZmqEvents::AddTo(std::vector<zmq_pollitem_t>& items) {
  items.push_back({sub_.handle(), 0, ZMQ_POLLIN, 0});
  items.push_back({refusals_.handle(), 0, ZMQ_POLLIN, 0});
}

void ZmqEvents::Read() {
  for (Parts refusal = TryReceive(refusals_); refusal.size() >= 2; refusal = TryReceive(refusals_)) {
    const std::string endpoint(View(refusal[1]));
    refused_.insert(endpoint);
    if (endpoints_.contains(endpoint) && told_.insert(endpoint).second) {
      RB_LOG_WARN("hand-off: {} tells this program no events: do their keys fit?", endpoint);
    }
  }
  for (int i = 0; i < kBurst; ++i) {
    const Parts parts = TryReceive(sub_);
    if (parts.empty()) return;
    const std::string topic(View(parts[0]));
    if (CrossesProcesses(topic)) heard_(topic);
  }
}

}  // namespace ringback::handoff
