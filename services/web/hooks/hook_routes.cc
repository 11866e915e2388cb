#include "web/hooks/hook_routes.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "core/rpc/status.h"
#include "core/store/records.h"
#include "web/hooks/json_body.h"
#include "web/hooks/missed_call.h"
#include "web/hooks/sipgate.h"
#include "web/hooks/three_cx.h"
#include "web/hooks/twilio.h"

namespace ringback::web {
namespace {

using http::HttpRequest;
using http::HttpResponse;
using http::NewResponse;
using Json = nlohmann::ordered_json;
namespace record = ::ringback::store::v1;

constexpr char kRoute[] = "hooks";
constexpr std::string_view kPrefix = "/hooks/";
constexpr std::string_view kVersion = "v1/";
constexpr size_t kBodyBytesMax = 32 << 10;
// Two reports that name no event, of the same number within so long, are about one ring.
constexpr absl::Duration kSameRing = absl::Seconds(60);
constexpr absl::Duration kAheadMax = absl::Minutes(5);
// Whether a token is known shows in how long it takes to be refused: every refusal takes this long.
constexpr std::chrono::milliseconds kRefusal{400};

std::string Dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

HttpResponse JsonResponse(int status, const Json& json) {
  HttpResponse response = NewResponse(status, kRoute);
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = Dumped(json);
  return response;
}

HttpResponse XmlResponse(const char* content_type, std::string body) {
  HttpResponse response = NewResponse(200, kRoute);
  response.headers.emplace_back("Content-Type", content_type);
  response.body = std::move(body);
  return response;
}

struct Refusal {
  int status;
  const char* code;
};
Refusal RefusalOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument: return {400, "INVALID"};
    case absl::StatusCode::kUnauthenticated: return {401, "TOKEN_UNKNOWN"};
    case absl::StatusCode::kPermissionDenied: return {403, "REFUSED"};
    case absl::StatusCode::kNotFound: return {404, "NOT_FOUND"};
    case absl::StatusCode::kAlreadyExists: return {409, "REPEATED"};
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted: return {503, "BUSY"};
    default: return {500, "INTERNAL"};
  }
}

// The hook's word for a field of the call that it makes.
std::string HookField(const std::string& field) {
  if (field == "request_id") return "event_id";
  if (field == "ring_time" || field == "called_time") return "time";
  return std::string(absl::StripPrefix(field, "caller."));
}

HttpResponse Error(int status, std::string_view code, std::string_view message, std::string_view field = "") {
  return JsonResponse(status, {{"error", {{"code", code}, {"message", message}, {"field", field}}}});
}

HttpResponse ErrorOf(const absl::Status& status) {
  const Refusal refusal = RefusalOf(status.code());
  const domain::FieldDetail detail = domain::DetailOf(status);
  if (refusal.status == 500) RB_LOG_ERROR("web: a hook failed: {}", status.ToString());
  std::string message(status.message());
  if (!detail.field.empty()) message = std::string(absl::StripPrefix(message, detail.field + ": "));
  if (refusal.status >= 500) message = "ringback cannot take this now; send it again";
  HttpResponse response =
      Error(refusal.status, detail.reason.empty() ? refusal.code : detail.reason, message, HookField(detail.field));
  if (refusal.status == 503) {
    response.headers.emplace_back("Retry-After", RetryAfter(rpc::RetryAfterOf(status).value_or(absl::Seconds(2))));
  }
  return response;
}

}  // namespace

// One address below a token.
struct HookRoutes::Hook {
  std::string_view name;
  // One of both: ringback's own hooks warn of what they leave unread and are strict about what they are told twice; a
  // provider's cannot be told better.
  absl::StatusOr<CallEvent> (*read_own)(const JsonBody& body);
  ReadEvent read;
  std::vector<std::string> (*warnings)(const JsonBody& body);
  HttpResponse (*reply)(const HookRequest& request);  // nullptr: JSON
};

const HookRoutes::Hook HookRoutes::kHooks[] = {
    {"missed-call", &ReadMissedCall, nullptr, &MissedCallWarnings, nullptr},
    {"call", &ReadCall, nullptr, &CallWarnings, nullptr},
    {"sipgate", nullptr, &ReadSipgate, nullptr,
     [](const HookRequest& request) { return XmlResponse("application/xml", SipgateXml(request)); }},
    {"twilio", nullptr, &ReadTwilio, nullptr, [](const HookRequest&) { return XmlResponse("text/xml", kEmptyTwiml); }},
    {"3cx", nullptr, &ReadThreeCx, nullptr, nullptr},
};

// A report under way.
struct HookRoutes::Report {
  const Hook& hook;
  std::string_view token;
  const record::TeamRecord& team;
  bool OfProvider() const { return hook.read != nullptr; }
};

struct HookRoutes::Result {
  const char* what = "nothing";  // also the metric's word
  std::string callback_id;
  bool rang_again = false;
  std::vector<std::string> warnings;

  static Result Nothing(const char* what, std::string why) {
    Result result;
    result.what = what;
    result.warnings.push_back(std::move(why));
    return result;
  }
  static Result ReportedBefore() { return Nothing("reported_before", "that call was reported before; the first report counts"); }
};

namespace {

// Of what the team's end may be known as, what a member has; else the first.
std::string ExtensionOf(const record::TeamRecord& team, const CallEvent& event) {
  for (const std::string& extension : event.extensions) {
    if (domain::FindByExtension(team, extension) != nullptr) return extension;
  }
  return event.extensions.empty() ? "" : event.extensions.front();
}

bool WasReportedBefore(const absl::Status& status) { return domain::DetailOf(status).reason == "REQUEST_ID_REUSED"; }

}  // namespace

HookRoutes::HookRoutes(HookParts parts)
    : parts_(std::move(parts)),
      wrong_tokens_({20, absl::Seconds(15)}, parts_.clock),
      reports_({300, absl::Milliseconds(100)}, parts_.clock) {}

std::optional<HttpResponse> HookRoutes::Handle(const HttpRequest& request) {
  const std::string_view target = request.target;
  if (target.substr(0, kPrefix.size()) != kPrefix) return std::nullopt;
  const size_t mark = target.find('?');
  const std::string_view path = target.substr(0, mark);
  const std::string_view query = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  std::string_view rest = path.substr(kPrefix.size());
  if (rest.substr(0, kVersion.size()) != kVersion) return Error(404, "NOT_FOUND", "hooks are at /hooks/v1/TOKEN/missed-call");
  rest.remove_prefix(kVersion.size());
  const size_t slash = rest.find('/');
  const std::string_view name = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
  const auto* const hook =
      std::find_if(std::begin(kHooks), std::end(kHooks), [&](const Hook& one) { return one.name == name; });
  if (hook == std::end(kHooks)) {
    return Error(404, "NOT_FOUND", "behind the token there are missed-call, call, sipgate, twilio and 3cx");
  }
  if (request.method != "POST") {
    HttpResponse response = Error(405, "METHOD_NOT_ALLOWED", "a hook takes POST alone");
    response.headers.emplace_back("Allow", "POST");
    return response;
  }
  return Answer(*hook, request, rest.substr(0, slash), path, query);
}

// Good tokens pass whoever else sends from the same address: a provider's customers share the provider's.
absl::StatusOr<rpc::Principal> HookRoutes::Admit(const HttpRequest& request, std::string_view token) {
  auto known = rpc::Authenticate(*parts_.store, *parts_.known, token);
  if (known.ok() && known->principal.role == rpc::Role::kIntake) {
    const absl::Duration wait = reports_.Take(known->principal.token_id);
    if (wait > absl::ZeroDuration()) {
      return rpc::RetryAfter(absl::ResourceExhaustedError("too many reports at once"), wait);
    }
    return std::move(known->principal);
  }
  if (!known.ok() && !absl::IsUnauthenticated(known.status())) return known.status();
  const absl::Duration wait = wrong_tokens_.Take(ClientKey(request.peer));
  if (wait > absl::ZeroDuration()) {
    return rpc::RetryAfter(absl::UnauthenticatedError("too many unknown tokens; wait a little"), wait);
  }
  // Also for a token that may do more: it does not belong in an address.
  return absl::UnauthenticatedError("no intake token: make one with ringback token create --intake");
}

HttpResponse HookRoutes::Answer(const Hook& hook, const HttpRequest& request, std::string_view token,
                                std::string_view path, std::string_view query) {
  const auto principal = Admit(request, token);
  if (absl::IsUnauthenticated(principal.status())) {
    const auto wait = rpc::RetryAfterOf(principal.status());
    HttpResponse response = Error(wait ? 429 : 401, wait ? "TOO_MANY" : "TOKEN_UNKNOWN",
                                  std::string(principal.status().message()));
    if (wait) response.headers.emplace_back("Retry-After", RetryAfter(*wait));
    response.no_sooner = kRefusal;
    return response;
  }
  if (!principal.ok()) return ErrorOf(principal.status());
  if (request.body.size() > kBodyBytesMax) {
    return Error(413, "TOO_LARGE", absl::StrCat("at most ", kBodyBytesMax, " bytes"));
  }
  const auto result = [&]() -> absl::StatusOr<std::pair<Result, HookRequest>> {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(principal->team_id));
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(*parts_.store, key));
    const auto secret = team.message.hook_secrets().find(std::string(hook.name));
    const std::string origin = !parts_.public_url.empty() ? std::string(absl::StripSuffix(parts_.public_url, "/"))
                               : !request.host.empty()
                                   ? absl::StrCat(request.secure ? "https://" : "http://", request.host)
                                   : "";
    HookRequest asked{request, query, origin.empty() ? "" : absl::StrCat(origin, std::string(path)),
                      secret == team.message.hook_secrets().end() ? "" : secret->second, parts_.accept_unsigned,
                      parts_.sipgate_key.has_value() ? &*parts_.sipgate_key : nullptr};
    const Report report{hook, token, team.message};
    if (report.OfProvider()) {
      RB_ASSIGN_OR_RETURN(CallEvent event, hook.read(asked));
      RB_ASSIGN_OR_RETURN(Result taken, Take(report, std::move(event)));
      return std::make_pair(std::move(taken), std::move(asked));
    }
    RB_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::Parse(request.body));
    RB_ASSIGN_OR_RETURN(CallEvent event, hook.read_own(body));
    RB_ASSIGN_OR_RETURN(Result taken, Take(report, std::move(event)));
    for (std::string& warning : hook.warnings(body)) taken.warnings.push_back(std::move(warning));
    return std::make_pair(std::move(taken), std::move(asked));
  }();
  if (parts_.counted) parts_.counted(hook.name, result.ok() ? result->first.what : "refused");
  if (!result.ok()) return ErrorOf(result.status());
  if (hook.reply != nullptr) return hook.reply(result->second);
  const Result& taken = result->first;
  return JsonResponse(200, {{"result", taken.what},
                            {"callback_id", taken.callback_id},
                            {"rang_again", taken.rang_again},
                            {"warnings", taken.warnings}});
}

absl::StatusOr<HookRoutes::Result> HookRoutes::Take(const Report& report, CallEvent event) {
  if (event.kind == CallEvent::Kind::kNothing) return Result::Nothing("nothing", event.why);
  std::vector<std::string> warnings;
  // Without any number ringback's own hook has been given an address.
  if ((report.OfProvider() || !event.caller.phone().empty()) && IsWithheld(event.caller.phone())) {
    event.caller.clear_phone();
    if (event.kind != CallEvent::Kind::kMissed || event.caller.email().empty()) {
      return Result::Nothing("withheld", "the number is withheld: nobody can be called back");
    }
    warnings.push_back("the number is withheld: the caller can be written to, but not called");
  }
  if (report.OfProvider()) {
    if (!domain::NormalisePhone(event.caller.phone(), parts_.region, "phone").ok()) {
      return Result::Nothing("nothing", "that end has no phone number");
    }
    // A provider whose clock is wrong still reports calls that were.
    if (event.time > parts_.clock->Now() + kAheadMax) event.time.reset();
  }
  RB_ASSIGN_OR_RETURN(Result result, event.kind == CallEvent::Kind::kMissed ? TakeMissed(report, event)
                                                                            : TakeCall(report, event));
  result.warnings.insert(result.warnings.begin(), warnings.begin(), warnings.end());
  return result;
}

absl::StatusOr<HookRoutes::Result> HookRoutes::TakeMissed(const Report& report, const CallEvent& event) {
  v1::CreateCallbackRequest request;
  request.set_request_id(RequestId(report, event, ""));
  *request.mutable_caller() = event.caller;
  request.set_note(event.note);
  request.set_extension(ExtensionOf(report.team, event));
  if (event.time) *request.mutable_ring_time() = domain::ToProto(*event.time);
  // Providers report the legs of one call, and each leg has an id of its own.
  if (event.call_id.empty() || report.OfProvider()) *request.mutable_same_ring_within() = domain::ToProto(kSameRing);
  const auto made = parts_.intake->Create(report.token, request);
  if (report.OfProvider() && WasReportedBefore(made.status())) return Result::ReportedBefore();
  RB_RETURN_IF_ERROR(made.status());
  Result result;
  result.what = made->same_ring() ? "same_ring" : made->rang_again() ? "rang_again" : "callback";
  result.callback_id = made->callback().id();
  result.rang_again = made->rang_again();
  result.warnings.assign(made->warnings().begin(), made->warnings().end());
  return result;
}

absl::StatusOr<HookRoutes::Result> HookRoutes::TakeCall(const Report& report, const CallEvent& event) {
  v1::LogCallRequest request;
  request.set_request_id(RequestId(report, event, ""));
  request.set_phone(event.caller.phone());
  request.set_extension(ExtensionOf(report.team, event));
  request.set_note(event.note);
  request.set_outcome(event.outcome);
  if (event.time) *request.mutable_called_time() = domain::ToProto(*event.time);
  auto logged = parts_.intake->LogCall(report.token, request);
  if (report.OfProvider() && WasReportedBefore(logged.status()) && event.kind == CallEvent::Kind::kSpoken) {
    // One of a group's ends reported the call as missed before another's said that it took it.
    request.set_request_id(RequestId(report, event, "spoken"));
    logged = parts_.intake->LogCall(report.token, request);
  }
  if (report.OfProvider() && WasReportedBefore(logged.status())) return Result::ReportedBefore();
  RB_RETURN_IF_ERROR(logged.status());
  Result result;
  result.what = logged->logged() ? "logged" : "not_logged";
  result.callback_id = logged->callback_id();
  if (!logged->logged()) result.warnings.push_back("no callback of that caller was open: there was nothing to log");
  return result;
}

std::string HookRoutes::RequestId(const Report& report, const CallEvent& event, std::string_view what) const {
  if (event.call_id.empty()) return absl::StrCat("hook-", NewSecret(id_prefix::kLease, 0, *parts_.random));
  const std::string name(report.hook.name);
  return absl::StrCat("hook-", Sha256Hex(absl::StrCat(name, "\n", event.call_id, "\n", std::string(what))).substr(0, 48));
}

}  // namespace ringback::web
