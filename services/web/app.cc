#include "web/app.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/http/listener.h"
#include "core/rpc/trace.h"
#include "web/routes.h"

namespace ringback::web {
namespace {

RouteParts PartsOf(runtime::Host& host) {
  RouteParts parts;
  parts.store = &host.store();
  parts.blobs = &host.blobs();
  parts.clock = &host.clock();
  parts.status.ready = [&host] { return host.Ready(); };
  parts.status.draining = [&host] { return host.draining(); };
  parts.status.metrics_text = [&host] { return host.metrics().Text(); };
  return parts;
}

class HttpComponent : public runtime::Component {
 public:
  explicit HttpComponent(runtime::Host& host) : routes_(PartsOf(host)) {
    http::ListenerOptions options;
    options.address = host.config().http_listen;
    options.proxies = host.config().web_proxies;
    http::ListenerParts parts;
    parts.handle = [this, &host](const HttpRequest& request) {
      const TraceScope trace(rpc::NewTraceId(host.random()));
      return routes_.Handle(request);
    };
    parts.submit = [&host](std::function<void()> work) { return host.rpc().executor->Submit(std::move(work)); };
    parts.clock = &host.clock();
    parts.finished = [&host](const std::string& route, int status, double seconds) {
      host.metrics().Count("ringback_http_requests_total", {{"route", route}, {"code", absl::StrCat(status)}});
      host.metrics().Observe("ringback_http_request_seconds", {{"route", route}}, seconds);
    };
    listener_ = http::Listener::Create(std::move(options), std::move(parts));
  }

  absl::Status Start() override {
    RB_RETURN_IF_ERROR(listener_->Start());
    RB_LOG_INFO("http: listening on port {}", listener_->port());
    return absl::OkStatus();
  }
  void Drain() override { listener_->Drain(); }

 private:
  const Routes routes_;
  std::unique_ptr<http::Listener> listener_;
};

}  // namespace

absl::Status RunWeb(runtime::Host& host) {
  host.metrics().Describe("ringback_http_requests_total", "Answered requests of the pages by route and status.");
  host.metrics().Describe("ringback_http_request_seconds", "Duration of answered requests of the pages.");
  if (host.config().http_listen.empty()) return absl::OkStatus();
  host.AddComponent("http", std::make_unique<HttpComponent>(host));
  return absl::OkStatus();
}

}  // namespace ringback::web
