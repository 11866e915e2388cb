#include "core/handoff/zmq_sockets.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/handoff/handoff.h"

namespace ringback::handoff {
namespace {

// For all that cross machines.
void SetCommon(zmq::socket_t& socket) {
  // A peer may not make us take in more than a job with its largest payload.
  socket.set(zmq::sockopt::maxmsgsize, static_cast<int64_t>(kPayloadMax + (64 << 10)));
  // Somebody who connects and says nothing is cut off; 30 s are the default.
  socket.set(zmq::sockopt::handshake_ivl, 5000);
  // A dead machine or a cut cable ends the connection within 6 s, on both sides; TCP alone would wait for minutes.
  socket.set(zmq::sockopt::heartbeat_ivl, 2000);
  socket.set(zmq::sockopt::heartbeat_timeout, 6000);
  socket.set(zmq::sockopt::heartbeat_ttl, 6000);
  // A producer that was restarted is found at once; one that stays away is not hammered.
  socket.set(zmq::sockopt::reconnect_ivl, 100);
  socket.set(zmq::sockopt::reconnect_ivl_max, 2000);
}

}  // namespace

void Sockets::ServerSide(zmq::socket_t& socket) {
  if (!curve_) return;
  socket.set(zmq::sockopt::curve_server, 1);
  socket.set(zmq::sockopt::curve_secretkey, curve_->server_secret);
  // Without a domain libzmq would not ask whom we allow.
  socket.set(zmq::sockopt::zap_domain, "ringback");
}

void Sockets::ClientSide(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::ipv6, 1);  // peers of either family
  if (!curve_) return;
  socket.set(zmq::sockopt::curve_serverkey, curve_->server_public);
  socket.set(zmq::sockopt::curve_publickey, curve_->client_public);
  socket.set(zmq::sockopt::curve_secretkey, curve_->client_secret);
}

zmq::socket_t Sockets::Router() {
  zmq::socket_t socket(context_, zmq::socket_type::router);
  SetCommon(socket);
  ServerSide(socket);
  // Without it a job for a worker that has gone is dropped, and the send says it was sent.
  socket.set(zmq::sockopt::router_mandatory, 1);
  // Per worker. Credits bound the jobs in it; what is beyond is a worker that does not read, and a poll's business.
  socket.set(zmq::sockopt::sndhwm, 256);
  // Credits and beats, tens of bytes each.
  socket.set(zmq::sockopt::rcvhwm, 10'000);
  // A program that ends lets the last jobs leave, but waits for nobody: they are due in the store.
  socket.set(zmq::sockopt::linger, 200);
  return socket;
}

zmq::socket_t Sockets::Dealer() {
  zmq::socket_t socket(context_, zmq::socket_type::dealer);
  SetCommon(socket);
  ClientSide(socket);
  // Nothing queues for a producer that is not there: credits from before would reach its next life.
  socket.set(zmq::sockopt::immediate, 1);
  socket.set(zmq::sockopt::sndhwm, 10'000);
  // Payloads wait here for this thread only; credits bound them.
  socket.set(zmq::sockopt::rcvhwm, 256);
  socket.set(zmq::sockopt::linger, 200);  // refused jobs go back
  return socket;
}

zmq::socket_t Sockets::Pub() {
  zmq::socket_t socket(context_, zmq::socket_type::pub);
  SetCommon(socket);
  ServerSide(socket);
  // Nudges of some tens of bytes; a subscriber this far behind looks at the store anyhow.
  socket.set(zmq::sockopt::sndhwm, 10'000);
  socket.set(zmq::sockopt::linger, 0);
  return socket;
}

zmq::socket_t Sockets::Sub() {
  zmq::socket_t socket(context_, zmq::socket_type::sub);
  SetCommon(socket);
  ClientSide(socket);
  socket.set(zmq::sockopt::rcvhwm, 10'000);
  socket.set(zmq::sockopt::linger, 0);
  return socket;
}

zmq::socket_t Sockets::Zap() {
  zmq::socket_t socket(context_, zmq::socket_type::rep);
  socket.set(zmq::sockopt::linger, 0);
  socket.bind("inproc://zeromq.zap.01");  // the name is RFC 27's
  return socket;
}

zmq::socket_t Sockets::RefusalsOf(zmq::socket_t& socket) {
  constexpr char kMonitor[] = "inproc://refusals";
  zmq_socket_monitor(socket.handle(), kMonitor, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
  zmq::socket_t monitor(context_, zmq::socket_type::pair);
  monitor.set(zmq::sockopt::linger, 0);
  monitor.connect(kMonitor);
  return monitor;
}

absl::Status Bind(zmq::socket_t& socket, const std::string& listen, std::string* bound) {
  std::string endpoint = "tcp://" + listen;
  if (absl::EndsWith(endpoint, ":0")) endpoint.replace(endpoint.size() - 1, 1, "*");
  try {
    // Where only asked for: an address of the older family would be bound, and told, in the newer one's clothes.
    socket.set(zmq::sockopt::ipv6, absl::StartsWith(listen, "[") ? 1 : 0);
    socket.bind(endpoint);
  } catch (const zmq::error_t& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", listen, ": ", error.what(),
                                               "; is another ringback running, or is the address not this machine's?"));
  }
  const std::string as_bound = socket.get(zmq::sockopt::last_endpoint);
  *bound = as_bound.substr(sizeof("tcp://") - 1);
  return absl::OkStatus();
}

Sent TrySend(zmq::socket_t& socket, Parts parts) {
  try {
    for (size_t i = 0; i < parts.size(); ++i) {
      const bool more = i + 1 < parts.size();
      const auto flags = zmq::send_flags::dontwait | (more ? zmq::send_flags::sndmore : zmq::send_flags::none);
      if (!socket.send(parts[i], flags)) return Sent::kNo;
    }
    return Sent::kYes;
  } catch (const zmq::error_t& error) {
    return error.num() == EHOSTUNREACH ? Sent::kUnreachable : Sent::kNo;
  }
}

Parts TryReceive(zmq::socket_t& socket) {
  Parts parts;
  try {
    do {
      zmq::message_t part;
      if (!socket.recv(part, zmq::recv_flags::dontwait)) return {};
      parts.push_back(std::move(part));
    } while (parts.back().more());
  } catch (const zmq::error_t&) {
    return {};
  }
  return parts;
}

}  // namespace ringback::handoff
