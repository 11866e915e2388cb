#include "web/app.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/http/listener.h"
#include "core/rpc/trace.h"
#include "core/runtime/pool.h"
#include "core/runtime/tls_files.h"
#include "web/hooks/hook_routes.h"
#include "web/hooks/intake_grpc.h"
#include "web/routes.h"
#include "web/sign_in_routes.h"

namespace ringback::web {
namespace {

constexpr size_t kShownBytes = 8 << 20;
constexpr size_t kWaitingMax = 1000;  // requests; each is of a connection of its own, and those are fewer
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

// This program's own gRPC API, whose address is known once it serves.
class OwnIntake : public Intake {
 public:
  explicit OwnIntake(runtime::Host& host) : host_(host) {}
  absl::StatusOr<v1::CreateCallbackResponse> Create(std::string_view bearer,
                                                    const v1::CreateCallbackRequest& request) override {
    return Connected().Create(bearer, request);
  }
  absl::StatusOr<v1::LogCallResponse> LogCall(std::string_view bearer, const v1::LogCallRequest& request) override {
    return Connected().LogCall(bearer, request);
  }

 private:
  Intake& Connected() {
    MutexLock lock(&mutex_);
    if (intake_ == nullptr) {
      intake_ = NewGrpcIntake(grpc::CreateChannel(host_.grpc_address(), grpc::InsecureChannelCredentials()), &host_.random());
    }
    return *intake_;
  }

  runtime::Host& host_;
  Mutex mutex_;
  std::unique_ptr<Intake> intake_ RB_GUARDED_BY(mutex_);
};

HookParts HookPartsOf(runtime::Host& host, Intake* intake) {
  HookParts parts;
  parts.store = &host.store();
  parts.known = host.rpc().known.get();
  parts.clock = &host.clock();
  parts.random = &host.random();
  parts.intake = intake;
  parts.public_url = host.config().public_url;
  parts.region = host.config().region;
  parts.accept_unsigned = host.config().web_accept_unsigned_hooks;
  parts.counted = [&host](std::string_view hook, std::string_view result) {
    host.metrics().Count("ringback_hook_reports_total", {{"hook", hook}, {"result", result}});
  };
  return parts;
}

// What all listeners answer from.
struct Pages {
  explicit Pages(runtime::Host& host)
      : posts(kPosts, &host.clock()), routes(PartsOf(host, &posts, &shown)), sign_in(SignInPartsOf(host)),
        own_intake(host), hooks(HookPartsOf(host, &own_intake)) {}
  HttpResponse Handle(const HttpRequest& request) {
    if (auto answer = hooks.Handle(request)) return *std::move(answer);
    auto answer = sign_in.Handle(request);
    return answer ? *std::move(answer) : routes.Handle(request);
  }
  RateLimiter posts;
  PageCache shown{kShownBytes};
  const Routes routes;
  SignInRoutes sign_in;
  OwnIntake own_intake;
  HookRoutes hooks;
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
  HttpComponent(runtime::Host& host, std::shared_ptr<Pages> pages, std::string key, std::string address, bool public_only)
      : pool_(host.config().pool_threads, kWaitingMax) {
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
    parts.submit = [this](std::function<void()> work) { return pool_.Submit(std::move(work)); };
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
  void Drain() override {
    listener_->Drain();
    pool_.Drain();
  }

 private:
  std::string name_;
  // Not the host's: a hook waits for a call that is carried out there, and must not hold the thread that it needs.
  runtime::Pool pool_;
  std::unique_ptr<http::Listener> listener_;
};

}  // namespace

absl::Status RunWeb(runtime::Host& host) {
  host.metrics().Describe("ringback_http_requests_total", "Answered requests of the pages by route and status.");
  host.metrics().Describe("ringback_http_request_seconds", "Duration of answered requests of the pages.");
  host.metrics().Describe("ringback_hook_reports_total", "Calls that telephone systems reported, by hook and what came of it.");
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
