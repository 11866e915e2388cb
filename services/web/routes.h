// Which request of no member gets which answer: the customer's pages and their audio, health and metrics. Members' are
// staff_pages.h's, sign_in_routes.h's and api_routes.h's. Plain functions on data; sockets are listener.h's.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "web/page_actions.h"
#include "web/page_answers.h"

namespace ringback::web {

class Routes {
 public:
  explicit Routes(RouteParts parts) : parts_(std::move(parts)), actions_(parts_) {}

  Routes(const Routes&) = delete;

  // The answer to a request that was parsed. Only a POST changes anything. Blocks; thread-safe. HEAD is answered as GET;
  // the listener leaves the body away.
  HttpResponse Handle(const HttpRequest& request) const;

 private:
  HttpResponse Page(const HttpRequest& request, std::string_view token, std::string_view part,
                    std::string_view query) const;
  HttpResponse Voice(const HttpRequest& request, std::string_view token, std::string_view extension, bool download) const;
  HttpResponse Calendar(const HttpRequest& request, std::string_view token) const;

  const RouteParts parts_;
  const PageActions actions_;
};

}  // namespace ringback::web
