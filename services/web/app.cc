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
#include "core/rpc/places.h"
#include "core/rpc/trace.h"
#include "core/runtime/pool.h"
#include "core/runtime/tls_files.h"
#include "web/api_routes.h"
#include "web/hooks/hook_routes.h"
#include "web/hooks/intake_grpc.h"
#include "web/routes.h"
#include "web/sign_in_routes.h"
#include "web/staff_pages.h"

namespace ringback::web {
namespace {

constexpr size_t kShownBytes = 8 << 20;
constexpr size_t kQueueMax = 1024;
// Of what the team's pages send besides takes: a team's templates are the longest.
constexpr size_t kFormBytesMax = 1 << 20;
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

EventHubParts HubPartsOf(runtime::Host& host, runtime::Pool* pool) {
  EventHubParts parts;
  parts.store = &host.store();
  parts.known = host.rpc().known.get();
  parts.signals = &host.signals();
  parts.clock = &host.clock();
  parts.public_url = host.config().public_url;
  parts.submit = [pool](std::function<void()> work) { return pool->Submit(std::move(work)); };
  return parts;
}

HookParts HookPartsOf(runtime::Host& host, Intake* intake, std::optional<SipgateKey> sipgate_key) {
  HookParts parts;
  parts.store = &host.store();
  parts.known = host.rpc().known.get();
  parts.clock = &host.clock();
  parts.random = &host.random();
  parts.intake = intake;
  parts.public_url = host.config().public_url;
  parts.region = host.config().region;
  parts.accept_unsigned = host.config().web_accept_unsigned_hooks;
  parts.sipgate_key = std::move(sipgate_key);
  parts.counted = [&host](std::string_view hook, std::string_view result) {
    host.metrics().Count("ringback_hook_reports_total", {{"hook", hook}, {"result", result}});
  };
  return parts;
}

// What all listeners answer from.
class Pages {
 public:
  Pages(runtime::Host& host, std::optional<SipgateKey> sipgate_key)
      : host_(host),
        pool_(host.config().pool_threads, kQueueMax),
        posts_(kPosts, &host.clock()),
        routes_(PartsOf(host, &posts_, &shown_)),
        sign_in_(SignInPartsOf(host)),
        gate_(&host.store(), &host.clock(), host.config().public_url),
        hub_(HubPartsOf(host, &pool_)),
        staff_(&gate_),
        api_(ApiParts{&gate_, &host.clock(), &hub_, [this] { return Caller(); }, host.config().public_url}),
        intake_(this),
        hooks_(HookPartsOf(host, &intake_, std::move(sipgate_key))) {}

  // What is on its way uses everything below.
  ~Pages() { pool_.Drain(); }

  // Once the host's own services can be called. May be called again.
  absl::Status Start() {
    MutexLock lock(&mutex_);
    if (caller_ != nullptr) return absl::OkStatus();
    RB_ASSIGN_OR_RETURN(ServiceChannels channels, Connect());
    hook_intake_ = NewGrpcIntake(channels.ingest, &host_.random());
    caller_ = std::make_shared<const ServiceCaller>(std::move(channels), &host_.random());
    return absl::OkStatus();
  }

  HttpResponse Handle(const HttpRequest& request) {
    if (auto answer = hooks_.Handle(request)) return *std::move(answer);
    if (auto answer = api_.Handle(request)) return *std::move(answer);
    if (auto answer = sign_in_.EnterByProxy(request)) return *std::move(answer);
    if (auto answer = staff_.Handle(request)) return *std::move(answer);
    if (auto answer = sign_in_.Handle(request)) return *std::move(answer);
    return routes_.Handle(request);
  }
  std::optional<HttpResponse> AdmitTake(const HttpRequest& request) const { return api_.AdmitTake(request); }
  bool Submit(std::function<void()> work) { return pool_.Submit(std::move(work)); }
  EventHub& hub() { return hub_; }

 private:
  // Hooks reach ingest where the pages do.
  class HookIntake : public Intake {
   public:
    explicit HookIntake(Pages* pages) : pages_(pages) {}
    absl::StatusOr<v1::CreateCallbackResponse> Create(std::string_view bearer,
                                                      const v1::CreateCallbackRequest& request) override {
      return pages_->Intaken().Create(bearer, request);
    }
    absl::StatusOr<v1::LogCallResponse> LogCall(std::string_view bearer, const v1::LogCallRequest& request) override {
      return pages_->Intaken().LogCall(bearer, request);
    }

   private:
    Pages* const pages_;
  };
  // Set before the first listener listens.
  Intake& Intaken() {
    MutexLock lock(&mutex_);
    return *hook_intake_;
  }

  absl::StatusOr<ServiceChannels> Connect() {
    const runtime::Config& config = host_.config();
    if (config.web_services.empty()) {
      const auto own = host_.InProcessChannel();
      return ServiceChannels{own, own, own};
    }
    RB_ASSIGN_OR_RETURN(const rpc::Places places, rpc::ParsePlaces(config.web_services));
    rpc::ClientOptions options;
    RB_ASSIGN_OR_RETURN(options.ca_pem, runtime::ReadWebServicesCa(config));
    if (!options.ca_pem.empty()) {
      RB_ASSIGN_OR_RETURN(const runtime::TlsFiles own, runtime::ReadTlsFiles(config));
      options.certificate_pem = own.pem.certificate_pem;
      options.key_pem = own.pem.key_pem;
    }
    return ConnectServices(places, options, &host_.random());
  }

  std::shared_ptr<const ServiceCaller> Caller() {
    MutexLock lock(&mutex_);
    return caller_;
  }

  runtime::Host& host_;
  // Its own threads: what a page asks of the API waits here, while the API's handlers run on the host's.
  runtime::Pool pool_;
  RateLimiter posts_;
  PageCache shown_{kShownBytes};
  const Routes routes_;
  SignInRoutes sign_in_;
  const SessionGate gate_;
  EventHub hub_;
  const StaffPages staff_;
  const ApiRoutes api_;
  HookIntake intake_;
  HookRoutes hooks_;
  Mutex mutex_;
  std::shared_ptr<const ServiceCaller> caller_ RB_GUARDED_BY(mutex_);
  std::unique_ptr<Intake> hook_intake_ RB_GUARDED_BY(mutex_);
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
    if (!public_only) {
      options.body_bytes_max = kFormBytesMax;
      options.large_path = kTakesPath;
      options.large_bytes_max = kTakeBytesMax;
      options.member_header = host.config().web_member_header;
      parts.admit_large = [pages](const HttpRequest& request) { return pages->AdmitTake(request); };
    }
    parts.handle = [&host, pages, public_only](const HttpRequest& request) {
      const TraceScope trace(rpc::NewTraceId(host.random()));
      if (public_only && !IsPublic(request.target)) return http::PlainResponse(404, "other", "there is nothing here\n");
      return pages->Handle(request);
    };
    parts.submit = [pages](std::function<void()> work) { return pages->Submit(std::move(work)); };
    parts.clock = &host.clock();
    parts.finished = [&host](const std::string& route, int status, double seconds) {
      host.metrics().Count("ringback_http_requests_total", {{"route", route}, {"code", absl::StrCat(status)}});
      host.metrics().Observe("ringback_http_request_seconds", {{"route", route}}, seconds);
    };
    name_ = public_only ? "http for the public" : "http";
    pages_ = std::move(pages);
    listener_ = http::Listener::Create(std::move(options), std::move(parts));
  }

  absl::Status Start() override {
    RB_RETURN_IF_ERROR(pages_->Start());
    RB_RETURN_IF_ERROR(listener_->Start());
    RB_LOG_INFO("{}: listening on port {}", name_, listener_->port());
    return absl::OkStatus();
  }
  void Drain() override {
    pages_->hub().Close();
    listener_->Drain();
  }

 private:
  std::string name_;
  std::shared_ptr<Pages> pages_;
  std::unique_ptr<http::Listener> listener_;
};

}  // namespace

absl::Status RunWeb(runtime::Host& host) {
  host.metrics().Describe("ringback_http_requests_total", "Answered requests of the pages by route and status.");
  host.metrics().Describe("ringback_http_request_seconds", "Duration of answered requests of the pages.");
  host.metrics().Describe("ringback_hook_reports_total", "Calls that telephone systems reported, by hook and what came of it.");
  const runtime::Config& config = host.config();
  host.metrics().Describe("ringback_live_viewers", "Browsers that see changes live.");
  std::optional<SipgateKey> sipgate_key;
  if (!config.web_sipgate_key_file.empty()) {
    RB_ASSIGN_OR_RETURN(sipgate_key, SipgateKey::Read(config.web_sipgate_key_file));
  }
  const auto pages = std::make_shared<Pages>(host, std::move(sipgate_key));
  host.AddPeriodic("live changes", absl::Seconds(1), [&host, pages] {
    pages->hub().LookAround();
    host.metrics().Gauge("ringback_live_viewers", {}, pages->hub().viewers());
    return absl::OkStatus();
  });
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
