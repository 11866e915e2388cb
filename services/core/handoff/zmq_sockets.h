// ZeroMQ sockets as the hand-off wants them: every option that is set is set here, with its reason. Exceptions of cppzmq
// end in this file's functions.
#pragma once

#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "absl/status/status.h"
#include "core/handoff/curve.h"

namespace ringback::handoff {

using Parts = std::vector<zmq::message_t>;

// What CURVE needs, with the public halves worked out; nullopt in Sockets: neither encrypted nor checked.
struct CurveSetUp {
  std::string server_public, server_secret, client_public, client_secret;
};

class Sockets {
 public:
  explicit Sockets(std::optional<CurveSetUp> curve) : curve_(std::move(curve)) {}

  zmq::socket_t Router();  // the producer's: bound
  zmq::socket_t Dealer();  // a worker's, one per producer: connected
  zmq::socket_t Pub();
  zmq::socket_t Sub();
  zmq::socket_t Zap();     // answers who may connect
  // Tells the endpoints at which `socket` was refused: (event, endpoint). One per context.
  zmq::socket_t RefusalsOf(zmq::socket_t& socket);

  zmq::context_t& context() { return context_; }

 private:
  void ServerSide(zmq::socket_t& socket);
  void ClientSide(zmq::socket_t& socket);

  // One thread moves the bytes: it carries a gigabyte a second, and each costs memory.
  zmq::context_t context_{1};
  const std::optional<CurveSetUp> curve_;
};

// "127.0.0.1:7431" with port 0 for a free one. `bound` gets the address as bound. UNAVAILABLE when it cannot be.
absl::Status Bind(zmq::socket_t& socket, const std::string& listen, std::string* bound);

enum class Sent { kYes, kNo, kUnreachable };
// Never blocks: kNo when nobody is connected or the queue is full; kUnreachable when a router does not know the peer.
Sent TrySend(zmq::socket_t& socket, Parts parts);
// The next message, all parts; empty when there is none.
Parts TryReceive(zmq::socket_t& socket);

}  // namespace ringback::handoff
