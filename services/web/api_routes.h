// ringback's gRPC language for the team's pages: as JSON, in the name of the member who is signed in, with live changes,
// takes and downloads beside it.
//   GET  /api/v1/me                                  who is signed in, the word for forms, the server's time
//   POST /api/v1/SERVICE/METHOD                      any unary method of ringback.v1; JSON in and out (proto3 mapping)
//   GET  /api/v1/events?since=REVISION               server-sent events (event_hub.h)
//   POST /api/v1/recordings?request_id=&callback_id=&sha256=   a take, as it is
//   GET  /api/v1/recordings/ID/{opus,mp3,original}
//   GET  /api/v1/answers/ID/{original,attachments/N} as downloads alone
// Every POST carries the session's word for forms in X-Ringback-Form and comes from a page of ours. Errors are
// {"code", "message", "field", "reason", "retryAfterMs"} under the HTTP status that fits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/http/http_message.h"
#include "core/store/store.h"
#include "web/event_hub.h"
#include "web/service_caller.h"
#include "web/session_gate.h"

namespace ringback::web {

// Of a take; what ingest takes at most.
inline constexpr size_t kTakeBytesMax = 128 << 20;
inline constexpr char kTakesPath[] = "/api/v1/recordings";

struct ApiParts {
  const SessionGate* gate = nullptr;
  Clock* clock = nullptr;
  EventHub* hub = nullptr;
  // nullptr until the services are known.
  std::function<std::shared_ptr<const ServiceCaller>()> caller;
  std::string public_url;  // where customers' pages are; "": nowhere
};

class ApiRoutes {
 public:
  explicit ApiRoutes(ApiParts parts) : parts_(std::move(parts)) {}

  // nullopt for a path that is not below /api/. Blocks; thread-safe.
  std::optional<HttpResponse> Handle(const HttpRequest& request) const;

  // May this take, whose bytes have not been read yet, be sent at all? The refusal, or nullopt.
  std::optional<HttpResponse> AdmitTake(const HttpRequest& request) const;

 private:
  HttpResponse Me(const HttpRequest& request) const;
  HttpResponse Events(const HttpRequest& request) const;
  HttpResponse Take(const HttpRequest& request) const;
  HttpResponse Rendition(const HttpRequest& request, std::string_view recording, std::string_view rendition) const;
  HttpResponse Answer(const HttpRequest& request, std::string_view answer, std::string_view part) const;
  HttpResponse Call(const HttpRequest& request, std::string_view service, std::string_view method) const;
  // The session's secret, if this POST may change something in its name.
  absl::StatusOr<std::string> MayPost(const HttpRequest& request) const;
  absl::StatusOr<std::shared_ptr<const ServiceCaller>> Caller() const;

  const ApiParts parts_;
};

// An error as the pages read it.
HttpResponse ErrorAnswer(const absl::Status& status);

}  // namespace ringback::web
