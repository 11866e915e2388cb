#include "web/app.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/http/listener.h"
#include "core/rpc/trace.h"
#include "core/runtime/tls_files.h"
#include "web/routes.h"
#include "web/sign_in_routes.h"

namespace ringback::web {
namespace {

constexpr size_t kShownBytes = 8 << 20;
// Far more than a person presses, far less than a program can.
constexpr RateLimiter::Rate kPosts{.burst = 30, .refill = absl::Seconds(2)};

RouteParts PartsOf(runtime::Host& host, RateLimiter* posts, PageCache* cache) {
  RouteParts parts;
  parts.cache = cache;
  parts.posts = posts;
  parts.store = &host.store();
  parts.blobs = &host.blobs();
  parts.clock = &host.clock();
  parts.random = &host.random();
  parts.mail_domain = host.config().mail_domain;
  parts.status.ready = [&host] { return host.Ready(); };
  parts.status.draining = [&host] { return host.draining(); };
  parts.status.metrics_text = [&host] { return host.metrics().Text(); };
  return parts;
}

SignInParts SignInPartsOf(runtime::Host& host) {
  SignInParts parts;
  parts.store = &host.store();
  parts.clock = &host.clock();
  parts.random = &host.random();
  parts.public_url = host.config().public_url;
  parts.session_lifetime = host.config().web_session_lifetime;
  parts.later = [&host](std::function<void()> work) { return host.rpc().executor->Submit(std::move(work)); };
  return parts;
}

// What all listeners answer from.
struct Pages {
  explicit Pages(runtime::Host& host)
      : posts(kPosts, &host.clock()), routes(PartsOf(host, &posts, &shown)), sign_in(SignInPartsOf(host)) {}
  HttpResponse Handle(const HttpRequest& request) {
    auto answer = sign_in.Handle(request);
    return answer ? *std::move(answer) : routes.Handle(request);
  }
  RateLimiter posts;
  PageCache shown{kShownBytes};
  const Routes routes;
  SignInRoutes sign_in;
};

// What faces the internet where public_listen is set. Everything else is not there.
bool IsPublic(std::string_view target) {
  return target.substr(0, 3) == "/m/" || target.substr(0, 7) == "/hooks/";
}

std::optional<http::TlsSource> TlsOf(const runtime::Config& config) {
  if (config.web_tls_certificate_file.empty()) return std::nullopt;
  http::TlsSource source;
  source.files = {config.web_tls_certificate_file, config.web_tls_key_file};
  source.load = [config]() -> absl::StatusOr<http::TlsPem> {
    RB_ASSIGN_OR_RETURN(const runtime::TlsFiles files, runtime::ReadWebTlsFiles(config));
    return http::TlsPem{files.pem.certificate_pem, files.pem.key_pem};
  };
  return source;
}

class HttpComponent : public runtime::Component {
 public:
  HttpComponent(runtime::Host& host, std::shared_ptr<Pages> pages, std::string key, std::string address, bool public_only) {
    http::ListenerOptions options;
    options.key = std::move(key);
    options.address = std::move(address);
    options.proxies = host.config().web_proxies;
    options.tls = TlsOf(host.config());
    http::ListenerParts parts;
    parts.handle = [&host, pages = std::move(pages), public_only](const HttpRequest& request) {
      const TraceScope trace(rpc::NewTraceId(host.random()));
      if (public_only && !IsPublic(request.target)) return http::PlainResponse(404, "other", "there is nothing here\n");
      return pages->Handle(request);
    };
    parts.submit = [&host](std::function<void()> work) { return host.rpc().executor->Submit(std::move(work)); };
    parts.clock = &host.clock();
    parts.finished = [&host](const std::string& route, int status, double seconds) {
      host.metrics().Count("ringback_http_requests_total", {{"route", route}, {"code", absl::StrCat(status)}});
      host.metrics().Observe("ringback_http_request_seconds", {{"route", route}}, seconds);
    };
    name_ = public_only ? "http for the public" : "http";
    listener_ = http::Listener::Create(std::move(options), std::move(parts));
  }

  absl::Status Start() override {
    RB_RETURN_IF_ERROR(listener_->Start());
    RB_LOG_INFO("{}: listening on port {}", name_, listener_->port());
    return absl::OkStatus();
  }
  void Drain() override { listener_->Drain(); }

 private:
  std::string name_;
  std::unique_ptr<http::Listener> listener_;
};

}  // namespace

absl::Status RunWeb(runtime::Host& host) {
  host.metrics().Describe("ringback_http_requests_total", "Answered requests of the pages by route and status.");
  host.metrics().Describe("ringback_http_request_seconds", "Duration of answered requests of the pages.");
  const runtime::Config& config = host.config();
  const auto pages = std::make_shared<Pages>(host);
  if (!config.http_listen.empty()) {
    host.AddComponent("http", std::make_unique<HttpComponent>(host, pages, "ringback.http_listen", config.http_listen, false));
  }
  if (!config.web_public_listen.empty()) {
    host.AddComponent("http_public",
                      std::make_unique<HttpComponent>(host, pages, "web.public_listen", config.web_public_listen, true));
  }
  return absl::OkStatus();
}

}  // namespace ringback::web
