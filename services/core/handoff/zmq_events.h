// Events on PUB and SUB: what this process publishes, and what it hears from the peers. For the thread that owns the
// sockets.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/handoff/zmq_messages.h"

namespace ringback::handoff {

// Whether a topic of Signals is for other processes too.
bool CrossesProcesses(const std::string& topic);

class ZmqEvents {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ZmqEvents(const Trial& trial, std::chrono::milliseconds beat, std::function<void(const std::string& topic)> heard)
      : trial_(trial), beat_(beat), heard_(std::move(heard)) {}
  // Binds to `listen` unless it is empty; returns the address as bound.
  absl::StatusOr<std::string> Open(Sockets& sockets, const std::string& listen);
  void Close();

  void Publish(const std::set<std::string>& topics);
  void Subscribe(const std::string& prefix) { sub_.set(zmq::sockopt::subscribe, prefix); }
  void Unsubscribe(const std::string& prefix) { sub_.set(zmq::sockopt::unsubscribe, prefix); }
  void SetPeers(const std::set<std::string>& endpoints);

  void AddTo(std::vector<zmq_pollitem_t>& items);
  void Read();
  void Tick(Time now);

 private:
  const Trial& trial_;
  const std::chrono::milliseconds beat_;
  const std::function<void(const std::string&)> heard_;
  zmq::socket_t pub_, sub_, refusals_;
  std::set<std::string> endpoints_, refused_;
  std::set<std::string> told_;  // those the log has named as refusing
  Time retry_at_{};
};

}  // namespace ringback::handoff
