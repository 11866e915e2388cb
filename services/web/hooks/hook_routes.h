// POST /hooks/v1/TOKEN/NAME: what telephone systems report, as requests to answers. TOKEN is an intake token. Which provider
// says what is its adapter's; what a callback is, and how often it rang, is the intake's.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/http/http_message.h"
#include "core/rpc/identity.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"
#include "web/hooks/call_event.h"
#include "web/hooks/intake.h"
#include "web/rate_limiter.h"

namespace ringback::web {

struct HookParts {
  store::Store* store = nullptr;
  rpc::KnownTokens* known = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Intake* intake = nullptr;
  std::string public_url;  // as providers call it; "": by the request's own Host
  std::string region;      // of numbers in national form
  bool accept_unsigned = false;
  std::optional<SipgateKey> sipgate_key;  // none: sipgate's signature is not looked at
  // After each report that came to a decision: the hook's name and what came of it, both fixed words.
  std::function<void(std::string_view hook, std::string_view result)> counted;
};

class HookRoutes {
 public:
  explicit HookRoutes(HookParts parts);

  // nullopt for a path outside /hooks/. Blocks on store and intake; thread-safe.
  std::optional<http::HttpResponse> Handle(const http::HttpRequest& request);

 private:
  struct Hook;
  struct Report;
  struct Result;
  static const Hook kHooks[];

  absl::StatusOr<rpc::Principal> Admit(const http::HttpRequest& request, std::string_view token);
  http::HttpResponse Answer(const Hook& hook, const http::HttpRequest& request, std::string_view token,
                            std::string_view path, std::string_view query);
  absl::StatusOr<Result> Take(const Report& report, CallEvent event);
  absl::StatusOr<Result> TakeMissed(const Report& report, const CallEvent& event);
  absl::StatusOr<Result> TakeCall(const Report& report, const CallEvent& event);
  // The same for every report about one event; new where nothing tells one from another.
  std::string RequestId(const Report& report, const CallEvent& event, std::string_view what) const;

  const HookParts parts_;
  RateLimiter wrong_tokens_;  // by client
  RateLimiter reports_;       // by token
};

}  // namespace ringback::web
