#include "web/page_html.h"

#include <exception>
#include <kainjow/mustache.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/ids.h"

namespace ringback::web {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;
using kainjow::mustache::partial;

// Mustache takes an empty text for true; here it means "there is none".
void Set(data* values, const std::string& name, const std::string& text) {
  values->set(name, text.empty() ? data(false) : data(text));
}

std::string KindWord(PageState::Kind kind) {
  switch (kind) {
    case PageState::Kind::kWaiting: return "waiting";
    case PageState::Kind::kPromised: return "promised";
    case PageState::Kind::kPassed: return "passed";
    case PageState::Kind::kFollowUp: return "follow_up";
    case PageState::Kind::kTalked: return "talked";
    case PageState::Kind::kClosed: return "closed";
    case PageState::Kind::kCalledOff: return "called_off";
  }
  return "waiting";
}

// For tel: links: digits and a leading plus, whatever the number is written with.
std::string Dialled(const std::string& phone) {
  std::string digits;
  for (const char c : phone) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c == '+' && digits.empty())) digits += c;
  }
  return digits;
}

absl::StatusOr<std::string> Render(Language language, const std::string& name, data values) {
  const std::map<std::string, std::string>& templates = CompiledTemplates();
  const std::string folder = absl::StrCat(std::string(LanguageTag(language)), "/");
  try {
    values.set("language", std::string(LanguageTag(language)));
    values.set("css", templates.at("page.css"));
    for (const auto& [part, file] : {std::pair("main", name), std::pair("title", std::string("title"))}) {
      values.set(part, data(partial([text = templates.at(folder + file)] { return text; })));
    }
    mustache layout(templates.at("layout"));
    if (!layout.is_valid()) return absl::InternalError(layout.error_message());
    return layout.render(values);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the template of page ", folder, name, ": ", error.what()));
  }
}

}  // namespace

absl::StatusOr<std::string> RenderPage(const PageState& page, const std::string& token) {
  data values;
  values.set(KindWord(page.kind), data(true));
  const bool timed = page.kind == PageState::Kind::kPromised || page.kind == PageState::Kind::kPassed;
  values.set("timed", data(timed));
  Set(&values, "greeted", page.greeted);
  Set(&values, "company", page.company);
  Set(&values, "who", page.who);
  Set(&values, "in_place_of", page.in_place_of);
  Set(&values, "when", page.when);
  Set(&values, "when_full", page.when_full);
  Set(&values, "zone", page.zone);
  values.set("playable", data(page.playable));
  values.set("heard", data(page.playable || !page.spoken_text.empty()));
  Set(&values, "length", page.length);
  Set(&values, "speaker", page.speaker);
  Set(&values, "spoken_at", page.spoken_at);
  Set(&values, "spoken_text", page.spoken_text);
  Set(&values, "take_when", page.take_when);
  values.set("other_person", data(page.other_person));
  values.set("older_take", data(!page.take_when.empty() || page.other_person));
  values.set("may_answer", data(page.may_answer));
  Set(&values, "phone", page.phone);
  Set(&values, "dialled", Dialled(page.phone));
  Set(&values, "legal_text", page.legal_text);
  Set(&values, "imprint_url", page.imprint_url);
  Set(&values, "privacy_url", page.privacy_url);
  Set(&values, "token", token);
  return Render(page.language, "page", std::move(values));
}

absl::StatusOr<std::string> RenderNotice(Notice notice, Language language) {
  data values;
  values.set("busy", data(notice == Notice::kBusy));
  return Render(language, "notice", std::move(values));
}

const std::string& PagePolicy() {
  static const auto& policy = *new std::string([] {
    const std::string digest = absl::HexStringToBytes(Sha256Hex(CompiledTemplates().at("page.css")));
    return absl::StrCat("default-src 'none'; style-src 'sha256-", absl::Base64Escape(digest),
                        "'; media-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  }());
  return policy;
}

}  // namespace ringback::web
