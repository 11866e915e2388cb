#include "core/runtime/status_listener.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace ringback::runtime {

absl::StatusOr<std::unique_ptr<http::Listener>> StartStatusListener(const std::string& address, http::StatusParts parts,
                                                                    Clock* clock) {
  http::ListenerOptions options;
  options.key = "ringback.metrics_listen";
  options.address = address;
  options.connections_max = 16;
  options.body_bytes_max = 0;
  http::ListenerParts listener;
  listener.clock = clock;
  listener.submit = [](const std::function<void()>& work) {
    work();
    return true;
  };
  listener.finished = [](const std::string&, int, double) {};
  listener.handle = [parts = std::move(parts)](const http::HttpRequest& request) {
    auto page = http::StatusPage(parts, request.method, request.target);
    return page ? *std::move(page) : http::PlainResponse(404, "other", "here are /metrics, /healthz and /readyz\n");
  };
  auto started = http::Listener::Create(std::move(options), std::move(listener));
  RB_RETURN_IF_ERROR(started->Start());
  RB_LOG_INFO("metrics on port {}", started->port());
  return started;
}

}  // namespace ringback::runtime
