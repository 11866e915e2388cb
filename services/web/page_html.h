// The customer's page as HTML: fills the compiled-in templates. The only file that knows the Mustache library here.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "web/page_state.h"

namespace ringback::web {

// `token` is the page's own, for the audio's relative links. INTERNAL when a template is broken (a test would say so).
absl::StatusOr<std::string> RenderPage(const PageState& page, const std::string& token);

// Neutral pages that say nothing about what was asked for.
enum class Notice {
  kNotFound,  // wrong, revoked and erased alike
  kBusy,      // try again
};
absl::StatusOr<std::string> RenderNotice(Notice notice, Language language);

// Content-Security-Policy of every page: no script, no foreign host, the one style by its hash.
const std::string& PagePolicy();

// By name: "layout", "de/page", …, "page.css". Made by embed_templates.cmake.
const std::map<std::string, std::string>& CompiledTemplates();

}  // namespace ringback::web
