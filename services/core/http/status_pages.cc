#include "core/http/status_pages.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace ringback::http {
namespace {

HttpResponse Ready(const StatusParts& parts) {
  if (parts.draining()) return PlainResponse(503, "ready", "draining\n");
  const absl::Status ready = parts.ready();
  if (!ready.ok()) return PlainResponse(503, "ready", absl::StrCat(ready.message(), "\n"));
  return PlainResponse(200, "ready", "ok\n");
}

HttpResponse Metrics(const StatusParts& parts) {
  HttpResponse response = NewResponse(200, "metrics");
  response.headers.emplace_back("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
  response.body = parts.metrics_text();
  return response;
}

}  // namespace

std::optional<HttpResponse> StatusPage(const StatusParts& parts, std::string_view method, std::string_view path) {
  const bool metrics = path == "/metrics", health = path == "/healthz", ready = path == "/readyz";
  if (!metrics && !health && !ready) return std::nullopt;
  if (method != "GET" && method != "HEAD") return OnlyGet(metrics ? "metrics" : health ? "health" : "ready");
  if (metrics) return Metrics(parts);
  return ready ? Ready(parts) : PlainResponse(200, "health", "ok\n");
}

HttpResponse OnlyGet(std::string route) {
  HttpResponse response = PlainResponse(405, std::move(route), "only GET and HEAD are possible here\n");
  response.headers.emplace_back("Allow", "GET, HEAD");
  return response;
}

}  // namespace ringback::http
