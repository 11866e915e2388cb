#include "web/staff_pages.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/domain/time_words.h"
#include "core/http/form.h"
#include "core/http/status_pages.h"
#include "web/asset.h"
#include "web/page_html.h"
#include "web/page_words.h"
#include "web/staff_html.h"
#include "web/start_page.h"

namespace ringback::web {
namespace {

constexpr char kRoute[] = "staff";
constexpr char kFileRoute[] = "staff_file";
constexpr char kScript[] = "text/javascript; charset=utf-8";
constexpr char kStyle[] = "text/css; charset=utf-8";

// The pages' own scripts, styles, sounds and takes; nothing from elsewhere, and in nobody's frame.
constexpr char kPolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

// "staff.0123456789abcdef.js" for "staff.js": named by its content, so it never changes.
std::string HashedName(const std::string& name) {
  const size_t dot = name.rfind('.');
  return absl::StrCat(name.substr(0, dot), ".", Sha256Hex(CompiledTemplates().at(name)).substr(0, 16), name.substr(dot));
}

const std::map<std::string, Asset, std::less<>>& Assets() {
  static const auto& assets = *new std::map<std::string, Asset, std::less<>>{
      {HashedName("staff.js"), Asset(kScript, CompiledTemplates().at("staff.js"))},
      {HashedName("staff.css"), Asset(kStyle, CompiledTemplates().at("staff.css"))},
  };
  return assets;
}

const Asset& Worker() {
  static const auto& worker = *new Asset(kScript, CompiledTemplates().at("sw.js"));
  return worker;
}

void Replace(HttpResponse* response, std::string_view name, std::string value) {
  for (auto& [key, old] : response->headers) {
    if (key == name) old = std::move(value);
  }
}

std::string_view PathOf(std::string_view target) { return target.substr(0, target.find('?')); }

std::string ShellHtml(domain::Language language) {
  return absl::StrReplaceAll(CompiledTemplates().at("staff_shell"),
                             {{"{{language}}", domain::LanguageTag(language)},
                              {"{{script}}", absl::StrCat("/app/", HashedName("staff.js"))},
                              {"{{style}}", absl::StrCat("/app/", HashedName("staff.css"))}});
}

}  // namespace

bool IsStaffPage(std::string_view target) {
  if (target.size() > 512 || target.find_first_of("\\\r\n\t ") != std::string_view::npos) return false;
  const std::string_view path = PathOf(target);
  for (const std::string_view page : {"/desk", "/team", "/report", "/settings"}) {
    if (path == page || (path.substr(0, page.size()) == page && path[page.size()] == '/')) return true;
  }
  return false;
}

StaffPages::StaffPages(const SessionGate* gate) : gate_(gate) {
  Assets();
  Worker();
}

std::optional<HttpResponse> StaffPages::Handle(const HttpRequest& request) const {
  const std::string_view path = PathOf(request.target);
  const bool shell = IsStaffPage(path);
  const bool worker = path == "/sw.js";
  const bool file = path.substr(0, 5) == "/app/";
  if (!shell && !worker && !file) return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") return http::OnlyGet(kRoute);
  if (shell) return Shell(request);
  // A browser looks for a new one by itself.
  if (worker) return Worker().Answer(request, kFileRoute, "no-cache");
  const auto asset = Assets().find(path.substr(5));
  if (asset == Assets().end()) return http::PlainResponse(404, kFileRoute, "there is no such file\n");
  return asset->second.Answer(request, kFileRoute, "public, max-age=31536000, immutable");
}

HttpResponse StaffPages::Shell(const HttpRequest& request) const {
  const auto signed_in = gate_->Open(request);
  if (absl::IsUnauthenticated(signed_in.status())) {
    return StaffSeeOther(kRoute, absl::StrCat("/sign-in?to=", http::FormEncoded(request.target)));
  }
  if (!signed_in.ok()) {
    RB_LOG_ERROR("web: {}", signed_in.status().ToString());
    HttpResponse response = http::PlainResponse(503, kRoute, "ringback has no store now; please try again in a minute\n");
    response.headers.emplace_back("Retry-After", "60");
    return response;
  }
  HttpResponse response = http::NewResponse(200, kRoute);
  Replace(&response, "Referrer-Policy", "same-origin");
  // Who is signed in is not in it: the desk's own worker keeps it for a desk without a network.
  Replace(&response, "Cache-Control", "private, no-cache");
  response.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  response.headers.emplace_back("Content-Security-Policy", kPolicy);
  response.headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=(self)");
  response.body = ShellHtml(StaffLanguage(signed_in->session.team, signed_in->session.member));
  return response;
}

}  // namespace ringback::web
