// Who asks, and whether it is the pages' own form that does: the cookie of a session, the token in its forms, and where a
// POST comes from. What a session is, core/rpc says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/http/form.h"
#include "core/http/http_message.h"
#include "core/rpc/sessions.h"
#include "core/store/store.h"

namespace ringback::web {

using http::HttpRequest;
using http::HttpResponse;

// From which page a POST comes, as the browser says it: Sec-Fetch-Site, else Origin, else Referer.
enum class Sender {
  kOwn,
  kForeign,  // another site's page, or one that hides (Origin: null)
  kUnknown,  // nothing was said: no browser of this decade
};
// `public_url` counts as own beside the Host that was asked for, where a proxy asks in another name.
Sender SenderOf(const HttpRequest& request, std::string_view public_url);

class SessionGate {
 public:
  SessionGate(store::Store* store, Clock* clock, std::string public_url)
      : store_(store), clock_(clock), public_url_(std::move(public_url)) {}

  struct SignedIn {
    rpc::Session session;
    std::string secret;  // the cookie's
  };
  // UNAUTHENTICATED without a session, as rpc::OpenSession. Blocks; thread-safe.
  absl::StatusOr<SignedIn> Open(const HttpRequest& request) const;

  // May this POST change something in the session's name? It comes from a page of ours, which carried the session's
  // token in its field kFormToken. Sessions' every POST asks this.
  bool MayPost(const HttpRequest& request, const http::Form& form, std::string_view secret) const;
  static constexpr char kFormToken[] = "form";
  Sender SenderOf(const HttpRequest& request) const { return web::SenderOf(request, public_url_); }

  // "__Host-ringback" over https; "ringback" from this machine, where nobody listens in; nullopt elsewhere: a cookie that
  // travels in clear is no session.
  std::optional<std::string> CookieName(const HttpRequest& request) const;
  // The secret in the request's cookie; "" when there is none.
  std::string Secret(const HttpRequest& request) const;
  // Value of Set-Cookie for a new session, and to forget one. Only where CookieName has one.
  std::string Keep(const HttpRequest& request, const std::string& secret, absl::Duration lifetime) const;
  std::string Forget(const HttpRequest& request) const;

 private:
  store::Store* const store_;
  Clock* const clock_;
  const std::string public_url_;
};

}  // namespace ringback::web
