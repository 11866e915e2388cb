#include "core/http/client_address.h"

#include <boost/asio/ip/address.hpp>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace ringback::http {
namespace {

namespace ip = boost::asio::ip;

struct Network {
  ip::address address;  // plain, as by ParseAddress
  int prefix = 0;
};

std::optional<ip::address> ParseAddress(absl::string_view text) {
  boost::system::error_code error;
  ip::address address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (!address.is_v6()) return address;
  ip::address_v6 six = address.to_v6();
  if (six.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, six);
  six.scope_id(0);
  return six;
}

// "1.2.3.4", "1.2.3.4:5678", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:5678": what proxies write.
std::optional<ip::address> ParseForwarded(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (!text.empty() && text.front() == '[') {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return std::nullopt;
    return ParseAddress(text.substr(1, end - 1));
  }
  const size_t colon = text.find(':');
  if (colon != absl::string_view::npos && text.find(':', colon + 1) == absl::string_view::npos) {
    text = text.substr(0, colon);
  }
  return ParseAddress(text);
}

template <typename Bytes>
bool SamePrefix(const Bytes& left, const Bytes& right, int bits) {
  for (size_t i = 0; i < left.size() && bits > 0; ++i, bits -= 8) {
    const int mask = bits >= 8 ? 0xFF : 0xFF << (8 - bits) & 0xFF;
    if ((left[i] & mask) != (right[i] & mask)) return false;
  }
  return true;
}

bool Holds(const Network& network, const ip::address& address) {
  if (network.address.is_v4() != address.is_v4()) return false;
  return address.is_v4() ? SamePrefix(network.address.to_v4().to_bytes(), address.to_v4().to_bytes(), network.prefix)
                         : SamePrefix(network.address.to_v6().to_bytes(), address.to_v6().to_bytes(), network.prefix);
}

}  // namespace

struct Proxies::Networks {
  std::vector<Network> all;
  bool Hold(const ip::address& address) const {
    for (const Network& network : all) {
      if (Holds(network, address)) return true;
    }
    return false;
  }
};

Proxies::Proxies() : networks_(std::make_unique<Networks>()) {}
Proxies::~Proxies() = default;
Proxies::Proxies(Proxies&&) noexcept = default;
Proxies& Proxies::operator=(Proxies&&) noexcept = default;

absl::StatusOr<Proxies> Proxies::Parse(std::string_view list) {
  Proxies proxies;
  for (absl::string_view part : absl::StrSplit(absl::string_view(list.data(), list.size()), ',')) {
    part = absl::StripAsciiWhitespace(part);
    if (part.empty()) continue;
    const size_t slash = part.find('/');
    const auto address = ParseAddress(part.substr(0, slash));
    Network network;
    if (address) network = {*address, address->is_v4() ? 32 : 128};
    const int longest = network.prefix;
    const bool sized =
        slash == absl::string_view::npos || absl::SimpleAtoi(part.substr(slash + 1), &network.prefix);
    if (!address || !sized || network.prefix < 0 || network.prefix > longest) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", part, "' is neither an address nor a network; they look like 10.0.0.5, 10.1.0.0/16 or fd00::/8"));
    }
    proxies.networks_->all.push_back(network);
  }
  return proxies;
}

bool Proxies::Has(std::string_view address) const {
  const auto parsed = ParseAddress(absl::string_view(address.data(), address.size()));
  return parsed && networks_->Hold(*parsed);
}

std::string Proxies::ClientAddress(std::string_view socket_address, std::string_view forwarded_for) const {
  auto client = ParseAddress(absl::string_view(socket_address.data(), socket_address.size()));
  if (!client) return std::string(socket_address);
  const std::vector<absl::string_view> hops =
      absl::StrSplit(absl::string_view(forwarded_for.data(), forwarded_for.size()), ',', absl::SkipWhitespace());
  for (auto hop = hops.rbegin(); hop != hops.rend() && networks_->Hold(*client); ++hop) {
    const auto before = ParseForwarded(*hop);
    if (!before) break;
    client = before;
  }
  return client->to_string();
}

}  // namespace ringback::http
