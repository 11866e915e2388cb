// Signing in and out, and the page that says who one is: requests to answers. A GET changes nothing; a link from a mail
// opens a page with a button, because mail scanners open links.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/domain/time_words.h"
#include "core/store/store.h"
#include "web/member_directory.h"
#include "web/rate_limiter.h"
#include "web/session_gate.h"

namespace ringback::web {

struct SignInParts {
  store::Store* store = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::string public_url;
  absl::Duration session_lifetime = absl::Hours(7 * 24);
  // Runs work after the answer; false when it takes none.
  std::function<bool(std::function<void()> work)> later;
};

class SignInRoutes {
 public:
  explicit SignInRoutes(SignInParts parts);

  // nullopt for a path that is not its own. Blocks; thread-safe.
  std::optional<HttpResponse> Handle(const HttpRequest& request);

  // For a page that only members see, the first page and the form, asked for through a proxy that says whom it has signed in
  // (HttpRequest::proxy_member, a mail address): the way on as this member, or 403 and why when nobody has that address and
  // nobody is signed in. nullopt when the session is the member's already, no proxy says anything, it is another page,
  // somebody has just signed out, or for the form, where an address that nobody has may be another one. Blocks; thread-safe.
  std::optional<HttpResponse> EnterByProxy(const HttpRequest& request);

 private:
  HttpResponse Start(const HttpRequest& request);
  HttpResponse Form(const HttpRequest& request);
  HttpResponse Link(const HttpRequest& request, std::string_view link);
  HttpResponse PostAddress(const HttpRequest& request, const http::Form& form);
  HttpResponse PostCode(const HttpRequest& request, const http::Form& form);
  HttpResponse PostLink(const HttpRequest& request, std::string_view link);
  HttpResponse PostOut(const HttpRequest& request, const http::Form& form, bool everywhere);

  HttpResponse Get(const HttpRequest& request, std::string_view path);
  HttpResponse Post(const HttpRequest& request, std::string_view path);
  HttpResponse Enter(const HttpRequest& request, const absl::StatusOr<rpc::NewSession>& session, const std::string& to);
  HttpResponse Trouble(const HttpRequest& request, std::string route, const absl::Status& status) const;
  HttpResponse TooOften(const HttpRequest& request, std::string route, absl::Duration wait) const;
  absl::Status MailTo(const std::string& address);
  absl::Status EndAll(const rpc::Principal& principal);
  rpc::Entry EntryOf(const HttpRequest& request) const;

  const SignInParts parts_;
  const SessionGate gate_;
  MemberDirectory directory_;
  RateLimiter posts_;            // by client
  RateLimiter mails_;            // by client
  RateLimiter mails_to_;         // by address
  RateLimiter codes_;            // by client
  RateLimiter codes_of_;         // by address
  RateLimiter wrong_links_;      // by client
};

}  // namespace ringback::web
