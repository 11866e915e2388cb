// Which request gets which answer: the customer's page and its audio, health and metrics. Plain functions on data; sockets
// are listener.h's.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/base/clock.h"
#include "core/blob/blob_store.h"
#include "core/http/http_message.h"
#include "core/http/status_pages.h"
#include "core/store/store.h"

namespace ringback::web {

using http::HttpRequest;
using http::HttpResponse;

struct RouteParts {
  store::Store* store = nullptr;
  blob::BlobStore* blobs = nullptr;
  Clock* clock = nullptr;
  http::StatusParts status;
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
  HttpResponse Refused(const HttpRequest& request, std::string route, const absl::Status& status) const;

  RouteParts parts_;
};

}  // namespace ringback::web
