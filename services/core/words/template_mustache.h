// Mustache templates: text with holes, and nothing else. The only files that know the Mustache library.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/mutex.h"

namespace ringback::words {

// What fills the holes. A text that is empty is false for a section: {{#brief}}…{{/brief}}{{^brief}}…{{/brief}}.
struct TemplateValues {
  std::map<std::string, std::string> texts;
  std::map<std::string, std::vector<TemplateValues>> lists;
  std::map<std::string, std::string> partials;  // template text by name: {{>name}}
};

enum class Escaping {
  kNone,     // text, subjects, one line
  kHtml,
  kJson,     // inside a JSON string's quotes
  kPercent,  // inside a URL or a form body: everything but RFC 3986 unreserved characters
};

inline constexpr size_t kTemplateBytesMax = 64 << 10;

// INVALID_ARGUMENT with Mustache's own message when the template is malformed, larger than kTemplateBytesMax, nests
// sections deeper than 16, changes delimiters (which would hide holes from the checks) or includes a part that is not
// in `partials`. Thread-safe.
absl::Status CheckTemplate(absl::string_view text, const std::map<std::string, std::string>& partials = {});

// As a hole escapes what it shows.
std::string Escaped(absl::string_view text, Escaping escaping);

// A template that is parsed when it is first filled, and then filled often. Thread-safe; threads do not wait for each other.
class Template {
 public:
  Template(std::string text, Escaping escaping);
  ~Template();
  // {{name}} is escaped as told, {{{name}}} and {{&name}} are refused for kJson and kPercent. Unknown names are empty.
  // INVALID_ARGUMENT as CheckTemplate.
  absl::StatusOr<std::string> Fill(const TemplateValues& values);

 private:
  struct Parsed;
  absl::StatusOr<std::unique_ptr<Parsed>> Parse() const;

  const std::string text_;
  const Escaping escaping_;
  Mutex mutex_;
  // The library writes to what it fills: one for each of the threads that once filled this at the same time.
  std::vector<std::unique_ptr<Parsed>> idle_ RB_GUARDED_BY(mutex_);
};

// The same for a template that is filled once.
absl::StatusOr<std::string> RenderTemplate(absl::string_view text, const TemplateValues& values, Escaping escaping);

}  // namespace ringback::words
