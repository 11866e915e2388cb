// The team's pages as files: the shell of HTML, and the scripts and styles that it names. What they show comes through
// api_routes.h.
#pragma once

#include <optional>
#include <string>

#include "core/http/http_message.h"
#include "web/session_gate.h"

namespace ringback::web {

class StaffPages {
 public:
  // Compresses the files, once in this process.
  explicit StaffPages(const SessionGate* gate);

  // /desk, /team, /report and /settings with whatever is below them (303 to /sign-in for whoever is not signed in),
  // /app/NAME and /sw.js. nullopt for any other path. Blocks; thread-safe.
  std::optional<HttpResponse> Handle(const HttpRequest& request) const;

 private:
  HttpResponse Shell(const HttpRequest& request) const;

  const SessionGate* const gate_;
};

// May a sign-in lead there? Only to one of the team's own pages, "/desk/cb07…?x=y".
bool IsStaffPage(std::string_view target);

}  // namespace ringback::web
