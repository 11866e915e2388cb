#include "web/api_routes.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/http/form.h"
#include "core/rpc/status.h"
#include "core/rpc/translate.h"
#include "web/byte_range.h"

namespace ringback::web {
namespace {

namespace api = ::ringback::v1;

constexpr char kRoute[] = "api";
constexpr std::string_view kPrefix = "/api/v1/";

int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange: return 400;
    case absl::StatusCode::kUnauthenticated: return 401;
    case absl::StatusCode::kPermissionDenied: return 403;
    case absl::StatusCode::kNotFound: return 404;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists: return 409;
    case absl::StatusCode::kResourceExhausted: return 429;
    case absl::StatusCode::kUnimplemented: return 501;
    case absl::StatusCode::kUnavailable: return 503;
    case absl::StatusCode::kDeadlineExceeded: return 504;
    default: return 500;
  }
}

std::string Json(const google::protobuf::Message& message) {
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json);
  return status.ok() ? json : "{}";
}

std::string Quoted(const std::string& text) {
  google::protobuf::Value value;
  value.set_string_value(text);
  return Json(value);
}

HttpResponse JsonAnswer(std::string json, std::string route = kRoute) {
  HttpResponse response = http::NewResponse(200, std::move(route));
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(json);
  return response;
}

HttpResponse JsonOr(const absl::StatusOr<std::string>& json) { return json.ok() ? JsonAnswer(*json) : ErrorAnswer(json.status()); }

HttpResponse WrongMethod(const char* allowed) {
  HttpResponse response =
      ErrorAnswer(absl::InvalidArgumentError(absl::StrCat("this address is for ", allowed, " alone")));
  response.status = 405;
  response.headers.emplace_back("Allow", allowed);
  return response;
}

// Bytes that a browser keeps as a file and never shows.
HttpResponse Download(std::string bytes, std::string type) {
  HttpResponse response = http::NewResponse(200, "download");
  response.headers.emplace_back("Content-Type", std::move(type));
  response.headers.emplace_back("Content-Disposition", "attachment");
  response.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
  response.body = std::move(bytes);
  return response;
}

HttpResponse Audio(const HttpRequest& request, std::string bytes, std::string type) {
  HttpResponse response = http::NewResponse(200, "voice");
  response.headers.emplace_back("Accept-Ranges", "bytes");
  const ByteRange range = request.method == "GET" ? ParseRange(request.range, static_cast<int64_t>(bytes.size())) : ByteRange();
  if (range.kind == ByteRange::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.emplace_back("Content-Range", absl::StrCat("bytes */", bytes.size()));
    return response;
  }
  response.headers.emplace_back("Content-Type", std::move(type));
  if (range.kind == ByteRange::Kind::kPart) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", absl::StrCat("bytes ", range.offset, "-", range.offset + range.size - 1,
                                                                "/", bytes.size()));
    bytes = bytes.substr(static_cast<size_t>(range.offset), static_cast<size_t>(range.size));
  }
  response.body = std::move(bytes);
  return response;
}

bool IsRead(const HttpRequest& request) { return request.method == "GET" || request.method == "HEAD"; }

bool IsJson(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  return absl::StartsWithIgnoreCase(absl::string_view(content_type.data(), content_type.size()),
                                    absl::string_view(kJson.data(), kJson.size()));
}

}  // namespace

HttpResponse ErrorAnswer(const absl::Status& status) {
  const domain::FieldDetail detail = domain::DetailOf(status);
  google::protobuf::Struct said;
  const auto say = [&](const char* name, std::string text) {
    if (!text.empty()) (*said.mutable_fields())[name].set_string_value(std::move(text));
  };
  say("code", absl::StatusCodeToString(status.code()));
  say("message", std::string(status.message()));
  say("field", detail.field);
  say("reason", detail.reason);
  const std::optional<absl::Duration> retry = rpc::RetryAfterOf(status);
  if (retry) (*said.mutable_fields())["retryAfterMs"].set_number_value(absl::ToDoubleMilliseconds(*retry));
  HttpResponse response = JsonAnswer(Json(said));
  response.status = HttpStatus(status.code());
  return response;
}

std::optional<HttpResponse> ApiRoutes::Handle(const HttpRequest& request) const {
  const std::string_view path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (path.substr(0, 5) != "/api/") return std::nullopt;
  const HttpResponse nothing = ErrorAnswer(absl::NotFoundError("there is nothing at this address"));
  if (path.substr(0, kPrefix.size()) != kPrefix) return nothing;
  const std::vector<std::string_view> parts = [&] {
    std::vector<std::string_view> split;
    for (const absl::string_view part : absl::StrSplit(absl::string_view(path.data() + kPrefix.size(), path.size() - kPrefix.size()), '/')) {
      split.emplace_back(part.data(), part.size());
    }
    return split;
  }();
  const bool read = IsRead(request);
  if (path == kTakesPath) return request.method == "POST" ? Take(request) : WrongMethod("POST");
  if (parts.size() == 1 && parts[0] == "me") return read ? Me(request) : WrongMethod("GET");
  if (parts.size() == 1 && parts[0] == "events") return request.method == "GET" ? Events(request) : WrongMethod("GET");
  if (parts.size() == 3 && parts[0] == "recordings") return read ? Rendition(request, parts[1], parts[2]) : WrongMethod("GET");
  if (parts.size() >= 3 && parts[0] == "answers") {
    const bool attachment = parts.size() == 4 && parts[2] == "attachments";
    if (!attachment && (parts.size() != 3 || parts[2] != "original")) return nothing;
    return read ? Answer(request, parts[1], attachment ? parts[3] : "0") : WrongMethod("GET");
  }
  if (parts.size() == 2) return request.method == "POST" ? Call(request, parts[0], parts[1]) : WrongMethod("POST");
  return nothing;
}

std::optional<HttpResponse> ApiRoutes::AdmitTake(const HttpRequest& request) const {
  if (const auto secret = MayPost(request); !secret.ok()) return ErrorAnswer(secret.status());
  if (const auto signed_in = parts_.gate->Open(request); !signed_in.ok()) return ErrorAnswer(signed_in.status());
  return std::nullopt;
}

absl::StatusOr<std::string> ApiRoutes::MayPost(const HttpRequest& request) const {
  const std::string secret = parts_.gate->Secret(request);
  if (secret.empty()) return absl::UnauthenticatedError("not signed in");
  if (parts_.gate->SenderOf(request) != Sender::kOwn || !rpc::FormTokenFits(secret, request.form_token)) {
    return domain::FieldError(absl::StatusCode::kPermissionDenied, "X-Ringback-Form", "FORM_TOKEN_WRONG",
                              "must be the formToken that /api/v1/me tells, sent from one of these pages");
  }
  return secret;
}

absl::StatusOr<std::shared_ptr<const ServiceCaller>> ApiRoutes::Caller() const {
  auto caller = parts_.caller();
  if (caller == nullptr) {
    return absl::UnavailableError("web.services is not set: this program does not know where the API is");
  }
  return caller;
}

HttpResponse ApiRoutes::Me(const HttpRequest& request) const {
  const auto signed_in = parts_.gate->Open(request);
  if (!signed_in.ok()) return ErrorAnswer(signed_in.status());
  const rpc::Session& session = signed_in->session;
  api::Team team;
  team.set_id(session.team.id());
  team.set_name(session.team.name());
  team.set_language(session.team.language());
  team.set_time_zone(session.team.time_zone());
  std::string json = absl::StrCat("{\"member\":", Json(rpc::ToApi(session.member)), ",\"team\":", Json(team),
                                  ",\"formToken\":", Quoted(rpc::FormToken(signed_in->secret)),
                                  ",\"now\":", Json(rpc::ToProto(parts_.clock->Now())));
  if (!parts_.public_url.empty()) absl::StrAppend(&json, ",\"pagesUrl\":", Quoted(parts_.public_url));
  return JsonAnswer(absl::StrCat(json, "}"));
}

HttpResponse ApiRoutes::Events(const HttpRequest& request) const {
  const std::string secret = parts_.gate->Secret(request);
  if (secret.empty()) return ErrorAnswer(absl::UnauthenticatedError("not signed in"));
  const auto query = http::ParseQuery(request.target);
  if (!query.ok()) return ErrorAnswer(query.status());
  // What the browser has seen last wins over what the page knew when it first asked.
  const std::string& said = request.last_event_id.empty() ? query->Get("since") : request.last_event_id;
  std::optional<int64_t> since;
  if (int64_t number = -1; !said.empty()) since = absl::SimpleAtoi(said, &number) ? number : -1;
  auto live = parts_.hub->Attach(secret, since);
  if (!live.ok()) return ErrorAnswer(live.status());
  HttpResponse response = http::NewResponse(200, "events");
  response.headers.emplace_back("Content-Type", "text/event-stream");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // a proxy in front passes it on as it comes
  response.live = *std::move(live);
  return response;
}

HttpResponse ApiRoutes::Take(const HttpRequest& request) const {
  const auto answer = [&]() -> absl::StatusOr<std::string> {
    RB_ASSIGN_OR_RETURN(const std::string secret, MayPost(request));
    RB_ASSIGN_OR_RETURN(const http::Form query, http::ParseQuery(request.target));
    RB_ASSIGN_OR_RETURN(const auto caller, Caller());
    return caller->UploadRecording(secret, {query.Get("request_id"), query.Get("callback_id"), query.Get("sha256")},
                                   request.body);
  };
  return JsonOr(answer());
}

HttpResponse ApiRoutes::Rendition(const HttpRequest& request, std::string_view recording, std::string_view rendition) const {
  if (rendition != "opus" && rendition != "mp3" && rendition != "original") {
    return ErrorAnswer(absl::NotFoundError("a recording has opus, mp3 and original"));
  }
  const auto caller = Caller();
  if (!caller.ok()) return ErrorAnswer(caller.status());
  auto bytes = (*caller)->DownloadRendition(parts_.gate->Secret(request), std::string(recording), rendition);
  if (!bytes.ok()) return ErrorAnswer(bytes.status());
  if (rendition == "original") return Download(*std::move(bytes), "application/octet-stream");
  return Audio(request, *std::move(bytes), rendition == "opus" ? "audio/ogg" : "audio/mpeg");
}

HttpResponse ApiRoutes::Answer(const HttpRequest& request, std::string_view answer, std::string_view part) const {
  int attachment = 0;
  if (!absl::SimpleAtoi(absl::string_view(part.data(), part.size()), &attachment) || attachment < 0) {
    return ErrorAnswer(absl::NotFoundError("attachments count from 1"));
  }
  const auto caller = Caller();
  if (!caller.ok()) return ErrorAnswer(caller.status());
  auto bytes = (*caller)->DownloadAnswer(parts_.gate->Secret(request), std::string(answer), attachment);
  if (!bytes.ok()) return ErrorAnswer(bytes.status());
  return Download(*std::move(bytes), attachment == 0 ? "message/rfc822" : "application/octet-stream");
}

HttpResponse ApiRoutes::Call(const HttpRequest& request, std::string_view service, std::string_view method) const {
  const auto answer = [&]() -> absl::StatusOr<std::string> {
    RB_ASSIGN_OR_RETURN(const std::string secret, MayPost(request));
    if (!IsJson(request.content_type)) {
      return domain::InvalidField("Content-Type", "CONTENT_TYPE_WRONG", "must be application/json");
    }
    RB_ASSIGN_OR_RETURN(const auto caller, Caller());
    return caller->CallJson(secret, service, method, request.body);
  };
  return JsonOr(answer());
}

}  // namespace ringback::web
