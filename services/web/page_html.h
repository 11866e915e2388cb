// The customer's pages as HTML: fills the compiled-in templates. The only file that knows the Mustache library here.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "web/page_state.h"

namespace ringback::web {

enum class View {
  kPage,   // /m/TOKEN
  kTime,   // /m/TOKEN/time: another time
  kOff,    // /m/TOKEN/off: really?
  kWrong,  // /m/TOKEN/wrong: really?
};

// What just happened, in one sentence above the page; kNone says nothing.
enum class Told {
  kNone,
  kAgreed, kMoved, kWished, kWritten,  // done
  kStale,    // the form is not of the page as it is now
  kTaken,    // the chosen time is not free any more
  kTime,     // the wished time cannot be
  kNoTime,   // none was chosen
  kEmpty, kLong, kFull,  // of the brief
  kOver,     // the callback is past that
  kOften,    // too many at once
  kBusy,     // the store does not answer
};

struct PageView {
  View view = View::kPage;
  std::string token;        // of the page: its links are relative, and its forms are sealed with it
  std::string callback_id;
  std::string once;         // random, for the forms' keys
  bool below = false;       // shown at /m/TOKEN/…, not at /m/TOKEN
  Told told = Told::kNone;
  // What was sent and refused stands there again.
  std::string text;
  std::string topic;
  std::string wish;
  // View::kTime
  std::vector<absl::Time> slots;
  absl::Time now;
  absl::TimeZone zone;
};

// INTERNAL when a template is broken (a test would say so).
absl::StatusOr<std::string> RenderPage(const PageState& page, const PageView& view);

// Neutral pages that say nothing about what was asked for.
enum class Notice {
  kNotFound,  // wrong, revoked and erased alike
  kBusy,      // try again
  kDisowned,  // "not for me": the link is locked
};
absl::StatusOr<std::string> RenderNotice(Notice notice, Language language);

// The one script, as a file of its own: "page-0123456789abcdef.js", named by its content.
const std::string& ScriptName();
const std::string& ScriptText();

// Content-Security-Policy of every page: the own script, no foreign host, the one style by its hash.
const std::string& PagePolicy();

// By name: "layout", "de/page", …, "page.css", "page.js". Made by embed_templates.cmake.
const std::map<std::string, std::string>& CompiledTemplates();

}  // namespace ringback::web
