// Which request gets which answer: the customer's page and its audio, health and metrics. Plain functions on data; sockets
// are listener.h's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/blob/blob_store.h"
#include "core/store/store.h"
#include "web/http_message.h"

namespace ringback::web {

struct RouteParts {
  store::Store* store = nullptr;
  blob::BlobStore* blobs = nullptr;
  Clock* clock = nullptr;
  std::function<absl::Status()> ready;        // OK, or why not, a line per reason
  std::function<bool()> draining;
  std::function<std::string()> metrics_text;  // Prometheus text format 0.0.4
};

class Routes {
 public:
  explicit Routes(RouteParts parts) : parts_(std::move(parts)) {}

  // The answer to a request that was parsed. Never changes anything. Blocks; thread-safe. HEAD is answered as GET; the
  // listener leaves the body away.
  HttpResponse Handle(const HttpRequest& request) const;

 private:
  HttpResponse Page(const HttpRequest& request, std::string_view token) const;
  HttpResponse Voice(const HttpRequest& request, std::string_view token, std::string_view extension, bool download) const;
  HttpResponse Health() const;
  HttpResponse Metrics() const;
  HttpResponse Refused(const HttpRequest& request, std::string route, const absl::Status& status) const;

  RouteParts parts_;
};

}  // namespace ringback::web
