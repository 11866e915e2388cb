#include "web/page_html.h"

#include <exception>
#include <kainjow/mustache.hpp>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/ids.h"
#include "web/form_key.h"
#include "web/waveform.h"

namespace ringback::web {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;

// Mustache takes an empty text for true; here it means "there is none".
void Set(data* values, const std::string& name, const std::string& text) {
  values->set(name, text.empty() ? data(false) : data(text));
}
void Set(data* values, const std::string& name, bool flag) { values->set(name, data(flag)); }

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

std::string ViewWord(View view) {
  switch (view) {
    case View::kPage: return "page";
    case View::kTime: return "time";
    case View::kOff: return "off";
    case View::kWrong: return "wrong";
  }
  return "page";
}

std::string ToldWord(Told told) {
  switch (told) {
    case Told::kNone: return "";
    case Told::kAgreed: return "done_agreed";
    case Told::kMoved: return "done_moved";
    case Told::kWished: return "done_wished";
    case Told::kWritten: return "done_written";
    case Told::kStale: return "trouble_stale";
    case Told::kTaken: return "trouble_taken";
    case Told::kTime: return "trouble_time";
    case Told::kNoTime: return "trouble_no_time";
    case Told::kEmpty: return "trouble_empty";
    case Told::kLong: return "trouble_long";
    case Told::kFull: return "trouble_full";
    case Told::kOver: return "trouble_over";
    case Told::kOften: return "trouble_often";
    case Told::kBusy: return "trouble_busy";
  }
  return "";
}

// For tel: links: digits and a leading plus, whatever the number is written with.
std::string Dialled(const std::string& phone) {
  std::string digits;
  for (const char c : phone) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || (c == '+' && digits.empty())) digits += c;
  }
  return digits;
}

// The whole template of one page: its parts put in where {{>part}} stands, of the language before those of all languages.
std::string Assembled(const std::string& text, const std::string& folder, const std::string& main) {
  std::string whole;
  size_t done = 0;
  for (size_t at = text.find("{{>"); at != std::string::npos; at = text.find("{{>", done)) {
    const size_t end = text.find("}}", at);
    const std::string part = text.substr(at + 3, end - at - 3);
    const auto& templates = CompiledTemplates();
    const auto own = templates.find(folder + (part == "main" ? main : part));
    const std::string& found = own != templates.end() ? own->second : templates.at(part);
    absl::StrAppend(&whole, text.substr(done, at - done), Assembled(found, folder, main));
    done = end + 2;
  }
  return whole + text.substr(done);
}

// Parsed once. Filling a template without partials or lambdas only reads it, so that all threads share one.
mustache& Parsed(Language language, const std::string& name) {
  static auto& parsed = *new std::map<std::string, std::unique_ptr<mustache>>([] {
    std::map<std::string, std::unique_ptr<mustache>> all;
    for (const std::string folder : {"de/", "en/"}) {
      for (const std::string main : {"page", "time", "off", "wrong", "notice"}) {
        all[folder + main] = std::make_unique<mustache>(Assembled(CompiledTemplates().at("layout"), folder, main));
      }
    }
    return all;
  }());
  return *parsed.at(absl::StrCat(LanguageTag(language), "/", name));
}

absl::StatusOr<std::string> Render(Language language, const std::string& name, data values) {
  try {
    values.set("language", std::string(LanguageTag(language)));
    values.set("css", CompiledTemplates().at("page.css"));
    mustache& page = Parsed(language, name);
    if (!page.is_valid()) return absl::InternalError(page.error_message());
    std::string html;
    html.reserve(32 << 10);
    page.render(values, [&html](const std::string& text) { html += text; });
    return html;
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("the template of page ", name, ": ", error.what()));
  }
}

std::string Base64Sha256(const std::string& text) {
  return absl::StrCat("sha256-", absl::Base64Escape(absl::HexStringToBytes(Sha256Hex(text))));
}

void SetState(const PageState& page, data* values) {
  Set(values, KindWord(page.kind), true);
  Set(values, "timed", page.kind == PageState::Kind::kPromised || page.kind == PageState::Kind::kPassed);
  Set(values, "greeted", page.greeted);
  Set(values, "company", page.company);
  Set(values, "who", page.who);
  Set(values, "in_place_of", page.in_place_of);
  Set(values, "when", page.when);
  Set(values, "when_full", page.when_full);
  Set(values, "zone", page.zone);
  Set(values, "promised_utc", page.promised_utc);
  Set(values, "zone_name", page.zone_name);
  Set(values, "agreed", page.agreed && !page.chosen);
  Set(values, "chosen", page.chosen);
  Set(values, "wished", page.wished);
  Set(values, "may_move", page.may_move);
  Set(values, "may_call_off", page.may_call_off);
  Set(values, "may_disown", page.may_disown);
  Set(values, "has_calendar", page.has_calendar);
  Set(values, "phone", page.phone);
  Set(values, "dialled", Dialled(page.phone));
  Set(values, "legal_text", page.legal_text);
  Set(values, "imprint_url", page.imprint_url);
  Set(values, "privacy_url", page.privacy_url);
}

void SetTake(const PageState& page, data* values) {
  Set(values, "heard", page.playable || !page.spoken_text.empty());
  Set(values, "playable", page.playable);
  Set(values, "wave", WavePath(page.waveform));
  Set(values, "seconds", absl::StrCat(page.seconds));
  Set(values, "length", page.length);
  Set(values, "tells_listening", page.tells_listening);
  Set(values, "speaker", page.speaker);
  Set(values, "spoken_at", page.spoken_at);
  Set(values, "spoken_text", page.spoken_text);
  Set(values, "take_when", page.take_when);
  Set(values, "other_person", page.other_person);
  Set(values, "older_take", !page.take_when.empty() || page.other_person);
}

void SetBrief(const PageState& page, const PageView& view, data* values) {
  Set(values, "brief", page.brief);
  Set(values, "written", view.text);
  Set(values, "may_answer", page.may_answer);
  // Opens nothing, and is the same for every view of this page.
  Set(values, "draft", Sha256Hex(view.token).substr(0, 12));
  Set(values, absl::StrCat("topic_", view.topic.empty() ? page.topic : view.topic), true);
}

// Grouped by the day on the customer's clock.
void SetSlots(const PageState& page, const PageView& view, data* values) {
  data days(data::type::list);
  for (size_t i = 0; i < view.slots.size();) {
    const absl::CivilDay day(view.zone.At(view.slots[i]).cs);
    data slots(data::type::list);
    data entry;
    entry.set("day", DayWords(page.language, view.slots[i], view.now, view.zone));
    for (; i < view.slots.size() && absl::CivilDay(view.zone.At(view.slots[i]).cs) == day; ++i) {
      data slot;
      slot.set("value", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", view.slots[i], absl::UTCTimeZone()));
      slot.set("label", domain::ClockTime(page.language, view.slots[i], view.zone));
      slots.push_back(slot);
    }
    entry.set("slots", slots);
    days.push_back(entry);
  }
  values->set("days", days);
  Set(values, "has_slots", !view.slots.empty());
  const auto local = [&view](absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M", time, view.zone); };
  Set(values, "earliest", local(view.now));
  Set(values, "latest", local(view.now + absl::Hours(90 * 24)));
  Set(values, "wish", view.wish);
}

}  // namespace

absl::StatusOr<std::string> RenderPage(const PageState& page, const PageView& view) {
  data values;
  SetState(page, &values);
  Set(&values, ToldWord(view.told), view.told != Told::kNone);
  values.set("root", view.below ? "../" : "");
  values.set("path", view.below ? "" : absl::StrCat(view.token, "/"));
  values.set("home", view.below ? absl::StrCat("../", view.token) : view.token);
  Set(&values, "script", absl::StrCat("ui/", ScriptName()));
  Set(&values, "integrity", Base64Sha256(ScriptText()));

  const auto key = [&](const char* purpose, int revision) {
    return data(SealFormKey(view.token, view.callback_id, purpose, FormKey{revision, view.once}));
  };
  switch (view.view) {
    case View::kPage:
      SetTake(page, &values);
      SetBrief(page, view, &values);
      if (page.may_agree) values.set("key_agree", key("agree", page.revision));
      if (page.may_write) values.set("key_write", key("brief", page.revision));
      if (page.tells_listening && !page.heard) values.set("key_heard", key("heard", page.take_revision));
      break;
    case View::kTime:
      SetSlots(page, view, &values);
      values.set("key_move", key("move", page.revision));
      values.set("key_wish", key("wish", page.revision));
      break;
    case View::kOff:
      values.set("key_off", key("off", page.revision));
      break;
    case View::kWrong:
      values.set("key_wrong", key("wrong", page.revision));
      break;
  }
  return Render(page.language, ViewWord(view.view), std::move(values));
}

absl::StatusOr<std::string> RenderNotice(Notice notice, Language language) {
  data values;
  Set(&values, "busy", notice == Notice::kBusy);
  Set(&values, "not_found", notice == Notice::kNotFound);
  Set(&values, "disowned", notice == Notice::kDisowned);
  return Render(language, "notice", std::move(values));
}

const std::string& ScriptText() { return CompiledTemplates().at("page.js"); }

const std::string& ScriptName() {
  static const auto& name = *new std::string(absl::StrCat("page-", Sha256Hex(ScriptText()).substr(0, 16), ".js"));
  return name;
}

const std::string& PagePolicy() {
  static const auto& policy = *new std::string(
      absl::StrCat("default-src 'none'; script-src 'self'; style-src '", Base64Sha256(CompiledTemplates().at("page.css")),
                   "'; media-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
                   "frame-ancestors 'none'"));
  return policy;
}

}  // namespace ringback::web
