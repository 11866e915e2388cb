#include "core/words/notice_parts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"
#include "core/words/template_mustache.h"

namespace ringback::words {
namespace {

absl::Status Wrong(absl::string_view name, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("template ", name, what));
}

bool IsKnown(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, "de/") && !absl::ConsumePrefix(&name, "en/")) return false;
  return name == kTeleprompter || std::find(kNoticeNames.begin(), kNoticeNames.end(), name) != kNoticeNames.end();
}

}  // namespace

absl::StatusOr<NoticeParts> SplitNotice(absl::string_view name, absl::string_view text) {
  NoticeParts parts;
  std::string* part = nullptr;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (absl::ConsumePrefix(&line, "--- ")) {
      line = absl::StripAsciiWhitespace(line);
      part = line == "subject" ? &parts.subject
             : line == "line"  ? &parts.line
             : line == "text"  ? &parts.text
             : line == "html"  ? &parts.html
                               : nullptr;
      if (part == nullptr) {
        return Wrong(name, absl::StrCat(": \"--- ", line, "\" is not a part; there are subject, line, text and html"));
      }
      part->clear();
    } else if (part == &parts.text && absl::StripAsciiWhitespace(line).empty()) {
      *part += {kEmptyLine, '\n'};
    } else if (part != nullptr) {
      absl::StrAppend(part, line, "\n");
    } else if (!absl::StripAsciiWhitespace(line).empty()) {
      return Wrong(name, ": must begin with \"--- subject\", \"--- line\", \"--- text\" or \"--- html\"");
    }
  }
  return parts;
}

absl::Status CheckNotice(absl::string_view name, absl::string_view text) {
  // What every notice may include; what is in them is not for this check.
  static const auto& kLayout = *new std::map<std::string, std::string>{{"layout/head", ""}, {"layout/foot", ""}};
  if (!IsKnown(name)) {
    return Wrong(name, ": there is none of this name; names are a language and a notice, like de/voice_message");
  }
  RB_ASSIGN_OR_RETURN(const NoticeParts parts, SplitNotice(name, text));
  const std::pair<absl::string_view, const std::string&> all[] = {
      {"subject", parts.subject}, {"line", parts.line}, {"text", parts.text}, {"html", parts.html}};
  if (absl::EndsWith(name, kTeleprompter) && parts.text.empty()) return Wrong(name, ": what is read aloud is \"--- text\"");
  bool any = false;
  for (const auto& [part, of] : all) {
    any = any || !of.empty();
    if (absl::Status checked = CheckTemplate(of, kLayout); !checked.ok()) {
      return Wrong(name, absl::StrCat(", ", part, ": ", checked.message()));
    }
  }
  return any ? absl::OkStatus() : Wrong(name, ": there is no part in it, like \"--- text\"");
}

}  // namespace ringback::words
