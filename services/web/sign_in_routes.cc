#include "web/sign_in_routes.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/sign_in.h"
#include "web/browser_words.h"
#include "web/page_words.h"
#include "web/staff_html.h"
#include "web/staff_pages.h"
#include "web/start_page.h"

namespace ringback::web {
namespace {

constexpr char kRoute[] = "sign_in";
constexpr std::string_view kLinkPrefix = "/sign-in/";
// Whether an address is known shows in how long a code takes to be refused: every answer takes this long.
constexpr std::chrono::milliseconds kCodeAnswer{400};

std::string_view PathOf(const HttpRequest& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

bool IsLink(std::string_view path) { return path.size() > kLinkPrefix.size() && path.substr(0, kLinkPrefix.size()) == kLinkPrefix; }

Language LanguageOf(const HttpRequest& request) { return ChooseLanguage("", request.accept_language, ""); }

// As typed, fit to be looked up; "" for what is no address.
std::string AddressOf(const http::Form& form) {
  const auto address = domain::NormaliseEmail(std::string(absl::StripAsciiWhitespace(form.Get("address"))), "address");
  return address.ok() ? absl::AsciiStrToLower(*address) : "";
}

// Where the browser goes on once it is signed in: back to the team's page that sent it here, else to the desk.
std::string WayOn(const std::string& to) { return IsStaffPage(to) ? to : "/desk"; }

HttpResponse CodePage(const HttpRequest& request, int status, const std::string& address, const std::string& to, bool wrong) {
  words::TemplateValues values;
  values.texts["to"] = IsStaffPage(to) ? to : "";
  values.texts["address"] = address;
  values.texts["wrong"] = wrong ? "1" : "";
  return StaffPage(status, kRoute, "sign_in_code", LanguageOf(request), std::move(values));
}

HttpResponse Told(const HttpRequest& request, int status, const char* what) {
  words::TemplateValues values;
  values.texts[what] = "1";
  return StaffPage(status, kRoute, "staff_notice", LanguageOf(request), std::move(values));
}

// Somebody's, but no member's.
HttpResponse NoMember(const HttpRequest& request, const std::string& address) {
  words::TemplateValues values;
  values.texts["unknown"] = address;
  return StaffPage(403, kRoute, "staff_notice", LanguageOf(request), std::move(values));
}

HttpResponse NotAllowed(const char* methods) {
  HttpResponse response = http::PlainResponse(405, kRoute, "this method is not possible here\n");
  response.headers.emplace_back("Allow", methods);
  return response;
}

}  // namespace

SignInRoutes::SignInRoutes(SignInParts parts)
    : parts_(std::move(parts)),
      gate_(parts_.store, parts_.clock, parts_.public_url),
      directory_(parts_.store, parts_.clock),
      posts_({60, absl::Seconds(1)}, parts_.clock),
      mails_({10, absl::Minutes(1)}, parts_.clock),
      mails_to_({5, absl::Minutes(2)}, parts_.clock),
      codes_({20, absl::Seconds(15)}, parts_.clock),
      codes_of_({10, absl::Minutes(1)}, parts_.clock),
      wrong_links_({20, absl::Seconds(15)}, parts_.clock) {}

std::optional<HttpResponse> SignInRoutes::Handle(const HttpRequest& request) {
  const std::string_view path = PathOf(request);
  const bool shown = path == "/" || path == "/sign-in" || (IsLink(path) && path != "/sign-in/code");
  const bool posted = path == "/sign-in" || IsLink(path) || path == "/sign-out" || path == "/sign-out-everywhere";
  if (!shown && !posted) return std::nullopt;
  if (request.method == "GET" || request.method == "HEAD") return shown ? Get(request, path) : NotAllowed("POST");
  if (request.method == "POST" && posted) return Post(request, path);
  return NotAllowed(shown && posted ? "GET, HEAD, POST" : shown ? "GET, HEAD" : "POST");
}

HttpResponse SignInRoutes::Get(const HttpRequest& request, std::string_view path) {
  if (path == "/") return Start(request);
  if (!gate_.CookieName(request)) return Told(request, 403, "insecure");
  return path == "/sign-in" ? Form(request) : Link(request, path.substr(kLinkPrefix.size()));
}

// What all of them have to pass: how often, from where, and a form that can be read.
HttpResponse SignInRoutes::Post(const HttpRequest& request, std::string_view path) {
  if (const absl::Duration wait = posts_.Take(ClientKey(request.peer)); wait > absl::ZeroDuration()) {
    return TooOften(request, kRoute, wait);
  }
  if (!gate_.CookieName(request)) return Told(request, 403, "insecure");
  if (gate_.SenderOf(request) != Sender::kOwn) return Told(request, 403, "foreign");
  const auto form = http::Form::Parse(request.content_type, request.body);
  if (!form.ok()) return Told(request, 400, "unreadable");
  if (path == "/sign-in") return PostAddress(request, *form);
  if (path == "/sign-in/code") return PostCode(request, *form);
  if (path == "/sign-out") return PostOut(request, *form, false);
  if (path == "/sign-out-everywhere") return PostOut(request, *form, true);
  return PostLink(request, path.substr(kLinkPrefix.size()));
}

HttpResponse SignInRoutes::Start(const HttpRequest& request) {
  const auto signed_in = gate_.Open(request);
  if (absl::IsUnauthenticated(signed_in.status())) return StaffSeeOther("start", "/sign-in");
  if (!signed_in.ok()) return Trouble(request, "start", signed_in.status());
  auto values = DescribeStart(*parts_.store, signed_in->session, parts_.clock->Now());
  if (!values.ok()) return Trouble(request, "start", values.status());
  values->texts["form_token"] = rpc::FormToken(signed_in->secret);
  return StaffPage(200, "start", "start", StaffLanguage(signed_in->session.team, signed_in->session.member),
                   *std::move(values));
}

HttpResponse SignInRoutes::Form(const HttpRequest& request) {
  const auto query = http::ParseQuery(request.target);
  const std::string to = query.ok() ? query->Get("to") : "";
  if (gate_.Open(request).ok()) return StaffSeeOther(kRoute, WayOn(to));
  words::TemplateValues values;
  values.texts["to"] = IsStaffPage(to) ? to : "";
  values.texts["out"] = query.ok() && query->Has("out") ? "1" : "";
  return StaffPage(200, kRoute, "sign_in", LanguageOf(request), std::move(values));
}

HttpResponse SignInRoutes::Link(const HttpRequest& request, std::string_view link) {
  const std::string client = ClientKey(request.peer);
  if (const absl::Duration wait = wrong_links_.Wait(client); wait > absl::ZeroDuration()) {
    return TooOften(request, kRoute, wait);
  }
  const auto member = rpc::WhoseLink(*parts_.store, link, parts_.clock->Now());
  if (absl::IsNotFound(member.status())) {
    wrong_links_.Take(client);
    return Told(request, 404, "over");
  }
  if (!member.ok()) return Trouble(request, kRoute, member.status());
  words::TemplateValues values;
  values.texts["name"] = member->name();
  values.texts["link"] = std::string(link);
  return StaffPage(200, kRoute, "sign_in_link", ChooseLanguage(member->language(), request.accept_language, ""),
                   std::move(values));
}

HttpResponse SignInRoutes::PostAddress(const HttpRequest& request, const http::Form& form) {
  const std::string address = AddressOf(form);
  if (address.empty()) {
    words::TemplateValues values;
    values.texts["no_address"] = "1";
    values.texts["to"] = IsStaffPage(form.Get("to")) ? form.Get("to") : "";
    return StaffPage(400, kRoute, "sign_in", LanguageOf(request), std::move(values));
  }
  absl::Duration wait = mails_.Take(ClientKey(request.peer));
  if (wait == absl::ZeroDuration()) wait = mails_to_.Take(address);
  if (wait > absl::ZeroDuration()) return TooOften(request, kRoute, wait);
  // After the answer: whether the address is known must not show in how long the answer takes.
  const bool taken = parts_.later([this, address, trace = TraceScope::Current()] {
    const TraceScope scope(trace);
    const absl::Status mailed = MailTo(address);
    if (!mailed.ok()) RB_LOG_ERROR("sign-in: a mail could not be made: {}", mailed.ToString());
  });
  if (!taken) return Told(request, 503, "busy");
  return CodePage(request, 200, address, form.Get("to"), false);
}

absl::Status SignInRoutes::MailTo(const std::string& address) {
  RB_ASSIGN_OR_RETURN(const auto members, directory_.Find(address));
  absl::Status status;
  for (const rpc::MemberOf& who : members) {
    status.Update(rpc::MailSignIn(*parts_.store, *parts_.random, who.team_id, who.member_id));
  }
  return status;
}

HttpResponse SignInRoutes::PostCode(const HttpRequest& request, const http::Form& form) {
  const std::string address = AddressOf(form);
  absl::Duration wait = codes_.Take(ClientKey(request.peer));
  if (wait == absl::ZeroDuration() && !address.empty()) wait = codes_of_.Take(address);
  if (wait > absl::ZeroDuration()) return TooOften(request, kRoute, wait);
  auto members = directory_.Find(address);
  if (!members.ok()) return Trouble(request, kRoute, members.status());
  const auto session =
      rpc::EnterByCode(*parts_.store, *parts_.random, *members, form.Get("code"), EntryOf(request));
  HttpResponse response = absl::IsNotFound(session.status()) ? CodePage(request, 403, form.Get("address"), form.Get("to"), true)
                                                             : Enter(request, session, form.Get("to"));
  response.no_sooner = kCodeAnswer;
  return response;
}

HttpResponse SignInRoutes::PostLink(const HttpRequest& request, std::string_view link) {
  const std::string client = ClientKey(request.peer);
  if (const absl::Duration wait = wrong_links_.Wait(client); wait > absl::ZeroDuration()) {
    return TooOften(request, kRoute, wait);
  }
  const auto session = rpc::EnterByLink(*parts_.store, *parts_.random, link, EntryOf(request));
  if (absl::IsNotFound(session.status())) {
    wrong_links_.Take(client);
    return Told(request, 404, "over");
  }
  return Enter(request, session, "");
}

HttpResponse SignInRoutes::Enter(const HttpRequest& request, const absl::StatusOr<rpc::NewSession>& session,
                                 const std::string& to) {
  if (!session.ok()) return Trouble(request, kRoute, session.status());
  // Whoever was signed in here before is so no longer.
  if (const std::string before = gate_.Secret(request); !before.empty()) {
    const absl::Status ended = rpc::EndSession(*parts_.store, *parts_.random, before);
    if (!ended.ok()) RB_LOG_WARN("sign-in: the session before could not be ended: {}", ended.ToString());
  }
  HttpResponse response = StaffSeeOther(kRoute, WayOn(to));
  response.headers.emplace_back("Set-Cookie", gate_.Keep(request, session->secret, parts_.session_lifetime));
  return response;
}

std::optional<HttpResponse> SignInRoutes::EnterByProxy(const HttpRequest& request) {
  if (request.proxy_member.empty() || request.method != "GET" || !gate_.CookieName(request)) return std::nullopt;
  const bool form = PathOf(request) == "/sign-in";
  if (!form && PathOf(request) != "/" && !IsStaffPage(request.target)) return std::nullopt;
  std::string to = request.target;
  if (form) {
    const auto query = http::ParseQuery(request.target);
    // Whoever has just signed out is not brought back in.
    if (query.ok() && query->Has("out")) return std::nullopt;
    to = query.ok() ? query->Get("to") : "";
  }
  const auto address = domain::NormaliseEmail(request.proxy_member, "address");
  if (!address.ok()) return std::nullopt;
  const auto signed_in = gate_.Open(request);
  if (signed_in.ok() && absl::EqualsIgnoreCase(signed_in->session.member.email(), *address)) return std::nullopt;
  if (!signed_in.ok() && !absl::IsUnauthenticated(signed_in.status())) return Trouble(request, kRoute, signed_in.status());
  auto members = directory_.Find(absl::AsciiStrToLower(*address));
  if (!members.ok()) return Trouble(request, kRoute, members.status());
  if (members->empty()) {
    // Who is in by another address of theirs stays, and the form is the way to be.
    if (signed_in.ok() || form) return std::nullopt;
    return NoMember(request, *address);
  }
  return Enter(request, rpc::EnterTrusted(*parts_.store, *parts_.random, members->front(), EntryOf(request)), to);
}

HttpResponse SignInRoutes::PostOut(const HttpRequest& request, const http::Form& form, bool everywhere) {
  const auto signed_in = gate_.Open(request);
  if (absl::IsUnauthenticated(signed_in.status())) return StaffSeeOther(kRoute, "/sign-in?out");
  if (!signed_in.ok()) return Trouble(request, kRoute, signed_in.status());
  if (!gate_.MayPost(request, form, signed_in->secret)) return Told(request, 403, "foreign");
  const absl::Status ended = everywhere ? EndAll(signed_in->session.principal)
                                        : rpc::EndSession(*parts_.store, *parts_.random, signed_in->secret);
  if (!ended.ok()) return Trouble(request, kRoute, ended);
  HttpResponse response = StaffSeeOther(kRoute, "/sign-in?out");
  response.headers.emplace_back("Set-Cookie", gate_.Forget(request));
  return response;
}

absl::Status SignInRoutes::EndAll(const rpc::Principal& principal) {
  store::Commit commit;
  commit.shard = principal.shard;
  commit.commit_id = NewSecret(id_prefix::kLease, principal.shard, *parts_.random);
  RB_RETURN_IF_ERROR(rpc::AddEndOfSessions(*parts_.store, principal.team_id, principal.member_id, parts_.clock->Now(),
                                           &commit).status());
  return parts_.store->CommitOnce(commit).status();
}

rpc::Entry SignInRoutes::EntryOf(const HttpRequest& request) const {
  return {BrowserWords(request.user_agent), parts_.session_lifetime};
}

HttpResponse SignInRoutes::Trouble(const HttpRequest& request, std::string route, const absl::Status& status) const {
  RB_LOG_ERROR("web: {}", status.ToString());
  HttpResponse response = Told(request, 503, "busy");
  response.route = std::move(route);
  response.headers.emplace_back("Retry-After", "60");
  return response;
}

HttpResponse SignInRoutes::TooOften(const HttpRequest& request, std::string route, absl::Duration wait) const {
  HttpResponse response = Told(request, 429, "often");
  response.route = std::move(route);
  response.headers.emplace_back("Retry-After", RetryAfter(wait));
  return response;
}

}  // namespace ringback::web
