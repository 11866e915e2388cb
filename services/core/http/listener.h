// The HTTP/1.1 listener: sockets, limits and time-outs on one thread of its own. The only room that knows Boost.Beast. What
// an answer says is the handler's business.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/http/http_message.h"
#include "core/http/tls_source.h"

namespace ringback::http {

struct ListenerOptions {
  std::string key = "http_listen";  // of the configuration, for errors
  std::string address = "127.0.0.1:7421";  // host:port, "[::1]:7421", ":7421" for every interface; port 0: any free one
  int connections_max = 256;           // beside the live answers
  int live_max = 4000;                 // live answers at once; above it: 503
  size_t header_bytes_max = 16 << 10;  // above it: 431
  size_t body_bytes_max = 64 << 10;    // of a POST; above it: 413. Other methods have no body
  // A POST to exactly this path may be larger, once ListenerParts::admit_large lets it; "": none may.
  std::string large_path;
  size_t large_bytes_max = 0;
  int large_max = 4;                       // bodies of that kind at once, for they are held in memory; above it: 503
  std::chrono::milliseconds large{600000};  // for such a body; within it something comes every `idle`
  // What a live answer says when it has said nothing for so long, so that a dead client is noticed.
  std::chrono::milliseconds beat{10000};
  std::string beat_text = ": beat\n\n";  // a comment of server-sent events
  // For a whole request header, from the first moment of waiting, however slowly its bytes drip in; then as long again for
  // a whole body.
  std::chrono::milliseconds idle{15000};
  // For one block of an answer; 128 KiB in 30 s is 35 kbit/s.
  std::chrono::milliseconds write{30000};
  int64_t block_bytes = 128 << 10;
  std::chrono::milliseconds drain{5000};  // for answers under way; then connections are closed
  // TLS 1.2 or later, and HSTS with every answer; none: plain HTTP. A handshake has `idle` for its time.
  std::optional<TlsSource> tls;
  std::string proxies_key = "web.proxies";  // of the configuration, for errors
  std::string proxies;  // whose X-Forwarded-For and X-Forwarded-Proto are believed, as Proxies::Parse reads them
  std::string member_header;  // the field in which those proxies say whom they have signed in; "": in none
};

struct ListenerParts {
  // Answers one request; called on the pool, may block.
  std::function<HttpResponse(const HttpRequest&)> handle;
  // Has a large body's request (its body not read yet) the right to be read? The refusal, or nullopt. As `handle`.
  std::function<std::optional<HttpResponse>(const HttpRequest&)> admit_large;
  // Runs work on the pool; false when it takes none: the request is answered 503.
  std::function<bool(std::function<void()> work)> submit;
  Clock* clock = nullptr;  // for Date
  // After each answer, refusals of the listener itself included. From the listener's thread; must not block.
  std::function<void(const std::string& route, int status, double seconds)> finished;
};

// When every place is taken, the connection that has waited longest without a complete request gives way to a new one, so
// that slow or silent clients cannot lock others out; with none of that kind the new one is answered 503.
class Listener {
 public:
  static std::unique_ptr<Listener> Create(ListenerOptions options, ListenerParts parts);
  virtual ~Listener() = default;  // drains

  // Binds and serves. INVALID_ARGUMENT for an address or a proxy that is none, FAILED_PRECONDITION when the address cannot
  // be bound; an error of tls.load as it is.
  virtual absl::Status Start() = 0;
  // Accepts nothing more, ends answers under way, closes everything, joins the thread. May be called again.
  virtual void Drain() = 0;
  // As bound; valid after Start.
  virtual int port() const = 0;
};

}  // namespace ringback::http
