// Who may connect: answers ZAP (RFC 27) from the list of allowed keys. For the thread that owns the sockets.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "core/base/log.h"
#include "core/handoff/curve.h"
#include "core/handoff/zmq_messages.h"

namespace ringback::handoff {

class ZmqDoorkeeper {
 public:
  // Before anything that it is to guard. INVALID_ARGUMENT as AllowedKeys::Load.
  static absl::StatusOr<ZmqDoorkeeper> Open(Sockets& sockets, const std::string& allowed_keys_file) {
    AllowedKeys allowed(allowed_keys_file);
    if (const absl::Status status = allowed.Load(); !status.ok()) return status;
    return ZmqDoorkeeper(sockets.Zap(), std::move(allowed));
  }

  zmq::socket_t& socket() { return zap_; }
  void Close() { zap_.close(); }

  // Version, request, domain, address, routing id, mechanism, credentials.
  void Read(const Trial& trial) {
    for (Parts ask = TryReceive(zap_); !ask.empty(); ask = TryReceive(zap_)) {
      const bool admitted = ask.size() >= 7 && View(ask[5]) == "CURVE" && allowed_.Allows(View(ask[6]));
      if (!admitted && ask.size() >= 4) {
        TellTurnedAway(std::string(View(ask[3])));
        trial.Happened("turned_away");
      }
      Parts answer;
      answer.push_back(Message("1.0"));
      answer.push_back(Message(ask.size() >= 2 ? std::string(View(ask[1])) : ""));
      answer.push_back(Message(admitted ? "200" : "400"));
      answer.push_back(Message(admitted ? "OK" : "not allowed"));
      answer.emplace_back();
      answer.emplace_back();
      TrySend(zap_, std::move(answer));
    }
  }

 private:
  using Steady = std::chrono::steady_clock;
  static constexpr std::chrono::seconds kTellEvery{10};  // who knocks on and on fills no log

  void TellTurnedAway(const std::string& address) {
    const auto now = Steady::now();
    if (now < tell_at_) return;
    tell_at_ = now + kTellEvery;
    RB_LOG_WARN("hand-off: a stranger from {} was turned away: its key is not on the list", address);
  }

  ZmqDoorkeeper(zmq::socket_t zap, AllowedKeys allowed) : zap_(std::move(zap)), allowed_(std::move(allowed)) {}

  zmq::socket_t zap_;
  AllowedKeys allowed_;
  Steady::time_point tell_at_{};
};

}  // namespace ringback::handoff
