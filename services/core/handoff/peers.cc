#include "core/handoff/peers.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"

namespace ringback::handoff {
namespace {

bool IsNumeric(const std::string& host) {
  in6_addr ignored;
  return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// "[fd00::1]:7431" and "name:7431" in their two parts.
std::optional<std::pair<std::string, int>> Split(const std::string& peer) {
  const size_t colon = peer.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 || !absl::SimpleAtoi(peer.substr(colon + 1), &port) || port < 1 ||
      port > 65535) {
    return std::nullopt;
  }
  std::string host = peer.substr(0, colon);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) host = host.substr(1, host.size() - 2);
  return std::make_pair(host, port);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) {
  addrinfo hints = {}, *results = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &results); error != 0) {
    return absl::UnavailableError(absl::StrCat(host, ": ", gai_strerror(error)));
  }
  std::vector<std::string> addresses;
  for (const addrinfo* each = results; each != nullptr; each = each->ai_next) {
    char text[INET6_ADDRSTRLEN];
    if (getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  freeaddrinfo(results);
  return addresses;
}

absl::Status CheckPeer(const std::string& peer) {
  if (Split(peer)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("\"", peer, "\" is no host and port, like 10.0.0.7:7431"));
}

Peers::Peers(std::vector<std::string> peers, std::chrono::milliseconds every, ResolveFunction resolve,
             std::function<void(std::set<std::string>)> found)
    : peers_(std::move(peers)), every_(every), resolve_(std::move(resolve)), found_(std::move(found)),
      last_(peers_.size()), thread_([this] { Run(); }) {}

Peers::~Peers() {
  {
    MutexLock lock(&mutex_);
    stop_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

std::set<std::string> Peers::EndpointsOf(const std::string& peer) {
  const auto [host, port] = *Split(peer);
  std::vector<std::string> addresses = {host};
  if (!IsNumeric(host)) {
    const auto resolved = resolve_(host);
    if (!resolved.ok()) {
      // Once, until it means something again: a service all of whose replicas are away has no address either.
      if (unknown_.insert(host).second) {
        RB_LOG_WARN("hand-off: a peer cannot be looked up, and is again every few seconds: {}",
                    std::string(resolved.status().message()));
      }
      return {};
    }
    unknown_.erase(host);
    addresses = *resolved;
  }
  std::set<std::string> endpoints;
  for (const std::string& address : addresses) {
    const bool v6 = address.find(':') != std::string::npos;
    endpoints.insert(absl::StrCat("tcp://", v6 ? "[" : "", address, v6 ? "]" : "", ":", port));
  }
  return endpoints;
}

void Peers::Run() {
  bool names = false;
  for (const std::string& peer : peers_) names = names || !IsNumeric(Split(peer)->first);
  std::optional<std::set<std::string>> told;
  for (;;) {
    std::set<std::string> all;
    for (size_t i = 0; i < peers_.size(); ++i) {
      std::set<std::string> endpoints = EndpointsOf(peers_[i]);
      if (!endpoints.empty()) last_[i] = std::move(endpoints);
      all.insert(last_[i].begin(), last_[i].end());
    }
    if (told != all) found_(all);
    told = std::move(all);
    MutexLock lock(&mutex_);
    if (!names) return;  // numbers stay what they are
    const auto end = std::chrono::steady_clock::now() + every_;
    while (!stop_ && std::chrono::steady_clock::now() < end) wake_.WaitFor(&mutex_, end - std::chrono::steady_clock::now());
    if (stop_) return;
  }
}

}  // namespace ringback::handoff
