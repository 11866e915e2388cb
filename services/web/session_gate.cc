#include "web/session_gate.h"

#include <boost/asio/ip/address.hpp>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/http/cookies.h"

namespace ringback::web {
namespace {

// "https://call.example.com:8443/m/x" as "call.example.com:8443"; "" for what is no web address.
std::string_view HostOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return "";
  url.remove_prefix(scheme + 3);
  return url.substr(0, url.find_first_of("/?#"));
}

bool SameHost(std::string_view a, std::string_view b) {
  return !a.empty() && absl::EqualsIgnoreCase(absl::string_view(a.data(), a.size()), absl::string_view(b.data(), b.size()));
}

bool IsLoopback(const std::string& peer) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(peer, error);
  return !error && address.is_loopback();
}

}  // namespace

Sender SenderOf(const HttpRequest& request, std::string_view public_url) {
  if (!request.sec_fetch_site.empty()) {
    return request.sec_fetch_site == "same-origin" ? Sender::kOwn : Sender::kForeign;
  }
  const std::string_view said = !request.origin.empty() ? request.origin : request.referer;
  if (said.empty()) return Sender::kUnknown;
  const std::string_view host = HostOf(said);
  return SameHost(host, request.host) || SameHost(host, HostOf(public_url)) ? Sender::kOwn : Sender::kForeign;
}

absl::StatusOr<SessionGate::SignedIn> SessionGate::Open(const HttpRequest& request) const {
  SignedIn signed_in;
  signed_in.secret = Secret(request);
  if (signed_in.secret.empty()) return absl::UnauthenticatedError("not signed in");
  RB_ASSIGN_OR_RETURN(signed_in.session, rpc::OpenSession(*store_, signed_in.secret, clock_->Now()));
  return signed_in;
}

bool SessionGate::MayPost(const HttpRequest& request, const http::Form& form, std::string_view secret) const {
  return SenderOf(request) == Sender::kOwn && rpc::FormTokenFits(secret, form.Get(kFormToken));
}

std::optional<std::string> SessionGate::CookieName(const HttpRequest& request) const {
  const bool secure = request.secure || (absl::StartsWith(public_url_, "https://") && SameHost(HostOf(public_url_), request.host));
  if (secure) return "__Host-ringback";
  if (IsLoopback(request.peer)) return "ringback";
  return std::nullopt;
}

std::string SessionGate::Secret(const HttpRequest& request) const {
  const auto name = CookieName(request);
  return name ? http::CookieOf(request.cookie, *name) : "";
}

std::string SessionGate::Keep(const HttpRequest& request, const std::string& secret, absl::Duration lifetime) const {
  http::Cookie cookie{CookieName(request).value(), secret};
  cookie.max_age = absl::ToChronoSeconds(lifetime);
  cookie.secure = absl::StartsWith(cookie.name, "__Host-");
  return http::SetCookie(cookie);
}

std::string SessionGate::Forget(const HttpRequest& request) const { return Keep(request, "", absl::ZeroDuration()); }

}  // namespace ringback::web
