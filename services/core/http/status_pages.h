// The pages that every program has for its operator: what it counts, whether it lives, whether it is ready. What they say
// is asked of whoever serves them; this room knows no host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "core/http/http_message.h"

namespace ringback::http {

struct StatusParts {
  std::function<absl::Status()> ready;        // OK, or why not, a line per reason
  std::function<bool()> draining;
  std::function<std::string()> metrics_text;  // Prometheus text format 0.0.4
};

// /metrics; /healthz: 200 while it answers at all (restart it when not); /readyz: 200, or 503 and why it takes no work now.
// nullopt for any other path. GET and HEAD only.
std::optional<HttpResponse> StatusPage(const StatusParts& parts, std::string_view method, std::string_view path);

// 405 for what is neither GET nor HEAD.
HttpResponse OnlyGet(std::string route);

}  // namespace ringback::http
