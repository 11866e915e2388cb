// One HTTP request with libcurl, safe against the addresses it is pointed at: what webhooks, the SMS gateway and calendar
// subscriptions stand on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "delivery/mail_transport.h"

namespace ringback::delivery {

struct HttpOptions {
  // Loopback, private (RFC 1918, RFC 4193) and carrier-grade NAT addresses. Off by default, because a hook's URL comes
  // from a team's admin while the address is reached from the operator's network. A small office whose hook is in its
  // own LAN turns it on. Link-local (cloud metadata services), multicast and unspecified addresses stay refused.
  bool allow_private_addresses = false;
  std::string ca_file;  // empty: the system's
  absl::Duration connect_timeout = absl::Seconds(5);
  int idle_connections_max = 4;
};

struct HttpPost {
  std::string url;                   // http or https
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

// Thread-safe; blocks up to the deadline. Redirects are not followed (a hook that moved is a mistake to show, and the
// target of a redirect was never allowed), proxies from the environment are not used (the address check would see the
// proxy instead of the target), and at most 16 KiB of an answer are read.
class HttpSender {
 public:
  virtual ~HttpSender() = default;
  // 2xx kAccepted; 408, 425, 429 and 5xx kTemporary with Retry-After; everything else, refused addresses and malformed
  // URLs kPermanent; the whole body sent and no answer kUnknown. `reason` has the status and the answer's beginning.
  // `before_data` is asked before the request is built.
  virtual SendOutcome Post(const HttpPost& post, absl::Duration deadline, const BeforeData& before_data) = 0;
  // The body of a 200, at most `bytes_max` of it. INVALID_ARGUMENT for a malformed URL or a refused address,
  // RESOURCE_EXHAUSTED when there is more, else UNAVAILABLE; the message has the status or what was wrong, for people.
  virtual absl::StatusOr<std::string> Get(const std::string& url, size_t bytes_max, absl::Duration deadline) = 0;
};
std::unique_ptr<HttpSender> NewHttpSender(const HttpOptions& options);

// True for an address (IPv4 or IPv6 text) that HttpSender connects to.
bool IsAllowedAddress(absl::string_view ip, bool allow_private);

// INVALID_ARGUMENT naming `field` unless `url` is an absolute http or https URL with a host and without a password.
absl::Status CheckHttpUrl(absl::string_view field, absl::string_view url);

}  // namespace ringback::delivery
