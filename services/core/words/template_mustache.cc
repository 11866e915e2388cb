// kainjow's Mustache behind two calls. A team's own templates are foreign input: size, depth and delimiters are
// checked before the library, which recurses, sees them.
#include "core/words/template_mustache.h"

#include <exception>
#include <kainjow/mustache.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"

namespace ringback::words {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

constexpr int kSectionDepthMax = 16;

std::string JsonEscaped(absl::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (c < 0x20) {
          absl::StrAppendFormat(&out, "\\u%04x", c);
        } else {
          out += static_cast<char>(c);
        }
    }
  }
  return out;
}

std::string PercentEscaped(absl::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    if (absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += static_cast<char>(c);
    } else {
      absl::StrAppendFormat(&out, "%%%02X", c);
    }
  }
  return out;
}

// `partials`: the only names {{>…}} may take. Mustache would take a value for a template otherwise, and a customer's
// brief that says "{{>brief}}" would recurse until the stack ends.
absl::Status CheckShape(absl::string_view text, const std::map<std::string, std::string>& partials) {
  if (text.size() > kTemplateBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat("a template has at most ", kTemplateBytesMax, " bytes"));
  }
  int depth = 0;
  for (size_t at = text.find("{{"); at != absl::string_view::npos; at = text.find("{{", at + 2)) {
    const absl::string_view tag = absl::StripLeadingAsciiWhitespace(text.substr(at + 2, 64));
    if (absl::StartsWith(tag, "=")) return absl::InvalidArgumentError("a template must not change its delimiters");
    if (absl::StartsWith(tag, ">")) {
      const std::string name(absl::StripAsciiWhitespace(tag.substr(1, tag.find("}}") - 1)));
      if (!partials.contains(name)) return absl::InvalidArgumentError(absl::StrCat("there is no part {{>", name, "}}"));
    }
    if (absl::StartsWith(tag, "#") || absl::StartsWith(tag, "^")) ++depth;
    if (absl::StartsWith(tag, "/")) --depth;
    if (depth > kSectionDepthMax) {
      return absl::InvalidArgumentError(absl::StrCat("sections nest at most ", kSectionDepthMax, " deep"));
    }
  }
  return absl::OkStatus();
}

data ToData(const TemplateValues& values) {
  data object(data::type::object);
  for (const auto& [name, text] : values.texts) {
    // Mustache takes an empty string for true; here it means "there is none".
    object.set(name, text.empty() ? data(false) : data(text));
  }
  for (const auto& [name, entries] : values.lists) {
    data list(data::type::list);
    for (const TemplateValues& entry : entries) list.push_back(ToData(entry));
    object.set(name, entries.empty() ? data(false) : list);
  }
  for (const auto& [name, text] : values.partials) {
    object.set(name, data(kainjow::mustache::partial([text = text] { return text; })));
  }
  return object;
}

}  // namespace

std::string Escaped(absl::string_view text, Escaping escaping) {
  switch (escaping) {
    case Escaping::kHtml: return kainjow::mustache::html_escape(std::string(text));
    case Escaping::kJson: return JsonEscaped(text);
    case Escaping::kPercent: return PercentEscaped(text);
    case Escaping::kNone: break;
  }
  return std::string(text);
}

absl::Status CheckTemplate(absl::string_view text, const std::map<std::string, std::string>& partials) {
  RB_RETURN_IF_ERROR(CheckShape(text, partials));
  try {
    mustache parsed{std::string(text)};
    if (!parsed.is_valid()) return absl::InvalidArgumentError(parsed.error_message());
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return absl::OkStatus();
}

struct Template::Parsed {
  explicit Parsed(const std::string& text) : mustache(text) {}
  kainjow::mustache::mustache mustache;
};

Template::Template(std::string text, Escaping escaping) : text_(std::move(text)), escaping_(escaping) {}
Template::~Template() = default;

absl::StatusOr<std::unique_ptr<Template::Parsed>> Template::Parse() const {
  const bool raw = absl::StrContains(text_, "{{{") || absl::StrContains(text_, "{{&");
  if (raw && (escaping_ == Escaping::kJson || escaping_ == Escaping::kPercent)) {
    return absl::InvalidArgumentError("a hole without escaping ({{{name}}}) is not possible here");
  }
  auto parsed = std::make_unique<Parsed>(text_);
  if (!parsed->mustache.is_valid()) return absl::InvalidArgumentError(parsed->mustache.error_message());
  parsed->mustache.set_custom_escape([escaping = escaping_](const std::string& value) { return Escaped(value, escaping); });
  return parsed;
}

absl::StatusOr<std::string> Template::Fill(const TemplateValues& values) {
  RB_RETURN_IF_ERROR(CheckShape(text_, values.partials));
  try {
    const data filled = ToData(values);
    std::unique_ptr<Parsed> parsed;
    {
      MutexLock lock(&mutex_);
      if (!idle_.empty()) {
        parsed = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    if (parsed == nullptr) {
      RB_ASSIGN_OR_RETURN(parsed, Parse());
    }
    std::string text = parsed->mustache.render(filled);
    MutexLock lock(&mutex_);
    idle_.push_back(std::move(parsed));
    return text;
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
}

absl::StatusOr<std::string> RenderTemplate(absl::string_view text, const TemplateValues& values, Escaping escaping) {
  return Template(std::string(text), escaping).Fill(values);
}

}  // namespace ringback::words
