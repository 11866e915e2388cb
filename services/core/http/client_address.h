// Who asks, when proxies stand between: the client's address by X-Forwarded-For, as far as it can be believed. Pure.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringback::http {

class Proxies {
 public:
  // "10.0.0.5, 10.1.0.0/16, fd00::/8": addresses and networks, separated by commas; "" for none. INVALID_ARGUMENT, which
  // names the part, for anything else.
  static absl::StatusOr<Proxies> Parse(std::string_view list);

  Proxies();
  ~Proxies();
  Proxies(Proxies&&) noexcept;
  Proxies& operator=(Proxies&&) noexcept;

  // Is that address one of the proxies? False for what is no address.
  bool Has(std::string_view address) const;

  // The address of the client whose connection comes from `socket_address`: itself, unless it is a proxy's. Then the last
  // address of `forwarded_for` that is not a proxy's (each proxy appends whom it heard from; what stands further left
  // anybody may have written). Without zone; IPv4 within IPv6 as IPv4.
  std::string ClientAddress(std::string_view socket_address, std::string_view forwarded_for) const;

 private:
  struct Networks;
  std::unique_ptr<Networks> networks_;
};

}  // namespace ringback::http
