// Facts to template values, and templates to notices.
#include "delivery/notices.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/words/notice_parts.h"
#include "core/words/template_mustache.h"

namespace ringback::delivery {
namespace {

using words::Escaping;
using words::kEmptyLine;
using words::RenderTemplate;
using words::SplitNotice;
using words::TemplateValues;

static_assert(words::kNoticeNames.size() == kNoticeKinds);

// Subjects and lines come out on one line, whatever a note or a name contained.
std::string OneLine(absl::string_view text) {
  std::string line;
  for (unsigned char c : text) {
    const bool blank = absl::ascii_isspace(c) || absl::ascii_iscntrl(c);
    if (!blank) {
      line += static_cast<char>(c);
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

// Meant empty lines: never more than one, none at either end.
std::string TidyText(absl::string_view text) {
  std::string tidy;
  int empty = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (line != "-- ") line = absl::StripTrailingAsciiWhitespace(line);  // the signature mark keeps its blank
    if (line == absl::string_view(&kEmptyLine, 1)) ++empty;
    if (line.empty() || line[0] == kEmptyLine) continue;
    if (!tidy.empty() && empty > 0) tidy += '\n';
    empty = 0;
    absl::StrAppend(&tidy, line, "\n");
  }
  return tidy;
}

std::vector<TemplateValues> Lines(absl::string_view text) {
  std::vector<TemplateValues> lines;
  for (absl::string_view line : absl::StrSplit(absl::StripAsciiWhitespace(text), '\n')) {
    lines.push_back({.texts = {{"of", std::string(absl::StripTrailingAsciiWhitespace(line))}}});
  }
  return lines;
}

void SetLines(TemplateValues& values, const std::string& name, absl::string_view text) {
  values.texts[name] = std::string(absl::StripAsciiWhitespace(text));
  if (!values.texts[name].empty()) values.lists[name + "_lines"] = Lines(text);
}

void SetTime(TemplateValues& values, const std::string& name, std::optional<absl::Time> time,
             const NoticeFacts& facts) {
  if (!time.has_value()) return;
  const std::string zone = facts.say_zone ? absl::StrCat(" ", ZoneWords(facts.language, facts.zone)) : "";
  values.texts[name] = absl::StrCat(SpokenTime(facts.language, *time, facts.now, facts.zone), zone);
  values.texts[name + "_full"] = absl::StrCat(FullTime(facts.language, *time, facts.zone), zone);
}

void SetCall(TemplateValues& values, const CallFacts& call, const NoticeFacts& facts) {
  auto& texts = values.texts;
  texts["callback"] = call.callback_id;
  texts["caller"] = call.caller_name.empty() ? call.caller_phone : call.caller_name;
  texts["company"] = call.caller_company;
  texts["phone"] = call.caller_phone;
  texts["assignee"] = call.assignee_name;
  texts["desk_url"] = call.desk_url;
  texts["note"] = OneLine(call.note);
  SetLines(values, "brief", call.brief);
  texts["topic"] = TopicWords(facts.language, call.topic);
  texts["has_agreed"] = call.agreed ? "1" : "";
  SetTime(values, "wished", call.wished_time, facts);
  SetTime(values, "asked", call.asked_time, facts);
  SetTime(values, "when", call.promised_time, facts);
  if (call.asked_time.has_value()) texts["waiting"] = SpokenDuration(facts.language, facts.now - *call.asked_time);
  SetTime(values, "due", call.due_time, facts);
  texts["follow_up"] = call.follow_up ? "1" : "";
  texts["no_promise"] = call.promised_time.has_value() || call.follow_up ? "" : "1";
  const auto due = call.promised_time.has_value() ? call.promised_time : call.due_time;
  if (!due.has_value()) return;
  const absl::Duration left = *due - facts.now;
  if (left >= absl::Minutes(1)) {
    texts["left"] = SpokenDuration(facts.language, left);
  } else if (left <= -absl::Minutes(1)) {
    texts["overdue"] = SpokenDuration(facts.language, left);
  }
}

TemplateValues ValuesOf(const NoticeFacts& facts) {
  TemplateValues values;
  auto& texts = values.texts;
  const auto flag = [&](const std::string& name, bool set) { texts[name] = set ? "1" : ""; };
  SetCall(values, facts.call, facts);
  texts["language"] = std::string(LanguageTag(facts.language));
  texts["greeting"] = Greeting(facts.language, facts.now, facts.zone);
  texts["reader"] = facts.reader_name;
  texts["team"] = facts.team_name;
  SetLines(values, "footer", facts.footer);
  texts["rep"] = facts.rep_name;
  texts["rep_phone"] = facts.rep_phone;
  SetLines(values, "spoken", facts.spoken_text);
  texts["page_url"] = facts.page_url;
  flag("audio", facts.audio_attached);
  flag("calendar", facts.calendar_attached);
  flag("can_reply", facts.can_reply);
  SetTime(values, "previous", facts.previous_promised_time, facts);
  texts["previous_rep"] = facts.previous_rep_name;
  flag("as_wished", facts.wish == WishAnswer::kAsWished);
  flag("other_offer", facts.wish == WishAnswer::kOtherOffer);
  flag("stays", facts.wish == WishAnswer::kStays);
  flag("changed", facts.wish == WishAnswer::kNone || facts.wish == WishAnswer::kOtherOffer);
  if (facts.step > 0) texts["step"] = absl::StrCat(facts.step);
  if (facts.repeat > 0) texts["repeat"] = absl::StrCat(facts.repeat);
  texts["also_alarmed"] = JoinNames(facts.language, facts.also_alarmed);
  texts["acknowledged_by"] = facts.acknowledged_by;
  SetTime(values, "next_alarm", facts.next_alarm_time, facts);
  texts["reason"] = OneLine(facts.reason);
  flag("not_heard", facts.unheard == Unheard::kPromise);
  flag("not_heard_yet", facts.unheard == Unheard::kPromiseSoFar);
  flag("unconfirmed", facts.unheard == Unheard::kConfirmation);
  flag("change_unknown", facts.unheard == Unheard::kChange);
  flag("cancellation_unknown", facts.unheard == Unheard::kCancellation);
  flag("call_off_unconfirmed", facts.unheard == Unheard::kCallOff);
  flag("wrong_person", facts.unheard == Unheard::kWrongPerson);
  flag("closed", facts.unheard == Unheard::kCancellation || facts.unheard == Unheard::kCallOff);
  texts["channel"] = facts.channel;
  texts["other_member"] = facts.other_member;
  if (facts.attempts > 0) texts["attempts"] = absl::StrCat(facts.attempts);
  flag("one_attempt", facts.attempts == 1);
  flag("closed", facts.closed);
  flag("reopened", facts.reopened);
  SetTime(values, "last_attempt", facts.last_attempt_time, facts);
  flag("agreed", facts.answer == CustomerAnswer::kAgreed);
  flag("other_time", facts.answer == CustomerAnswer::kOtherTime);
  flag("moved", facts.answer == CustomerAnswer::kMoved);
  flag("declined", facts.answer == CustomerAnswer::kDeclined);
  flag("called_off", facts.answer == CustomerAnswer::kCalledOff);
  for (const CallFacts& call : facts.calls) {
    TemplateValues entry;
    SetCall(entry, call, facts);
    entry.texts["brief"] = OneLine(call.brief);
    // Inside a list, an absent value would be looked up in the callback around it.
    for (const char* name : {"asked", "asked_full", "when", "when_full", "wished", "wished_full", "due", "due_full", "waiting", "left", "overdue"}) {
      entry.texts.try_emplace(name, "");
    }
    values.lists["calls"].push_back(std::move(entry));
  }
  texts["calls_count"] = facts.calls.empty() ? "" : absl::StrCat(facts.calls.size());
  flag("one_call", facts.calls.size() == 1);
  return values;
}

std::string HtmlEscaped(absl::string_view text) { return words::Escaped(text, Escaping::kHtml); }

// A line's words, with addresses as links.
std::string HtmlLine(absl::string_view line) {
  std::string html;
  absl::string_view blank;
  for (absl::string_view word : absl::StrSplit(line, ' ')) {
    const std::string safe = HtmlEscaped(word);
    absl::string_view shown = safe;
    const bool phone = absl::ConsumePrefix(&shown, "tel:");
    if (phone || absl::StartsWith(word, "https://") || absl::StartsWith(word, "http://")) {
      absl::StrAppend(&html, blank, "<a href=\"", safe, "\" style=\"color:#1c7a5c\">", shown, "</a>");
    } else {
      absl::StrAppend(&html, blank, safe);
    }
    blank = " ";
  }
  return html;
}

// HTML for notices that have none of their own: the text's paragraphs, with quotes, commands and links as such.
std::string HtmlParagraphs(absl::string_view text) {
  std::string html;
  for (absl::string_view paragraph : absl::StrSplit(text, "\n\n", absl::SkipWhitespace())) {
    const bool quote = absl::StartsWith(paragraph, "> ");
    absl::StrAppend(&html, "<p style=\"margin:0 0 16px",
                    quote ? ";padding-left:14px;border-left:3px solid #d9d4c7;color:#414b48" : "", "\">");
    absl::string_view between;
    for (absl::string_view line : absl::StrSplit(absl::StripAsciiWhitespace(paragraph), '\n')) {
      absl::StrAppend(&html, between);
      between = "<br>\n";
      if (quote) absl::ConsumePrefix(&line, "> ");
      line = absl::StripLeadingAsciiWhitespace(line);
      if (!quote && absl::StartsWith(line, "ringback ")) {
        // The command, and after four blanks what it is for.
        const size_t end = line.find("    ");
        absl::StrAppend(&html, "<code style=\"font-size:14px;background:#f3f1ec;padding:1px 5px;border-radius:4px\">",
                        HtmlEscaped(line.substr(0, end)), "</code>");
        line = end == absl::string_view::npos ? "" : line.substr(end + 3);
      }
      absl::StrAppend(&html, HtmlLine(line));
    }
    html += "</p>\n";
  }
  return html;
}

}  // namespace

absl::string_view NoticeKindName(NoticeKind kind) { return words::kNoticeNames[static_cast<size_t>(kind)]; }

std::string TemplateName(NoticeKind kind, Language language) {
  return absl::StrCat(LanguageTag(language), "/", NoticeKindName(kind));
}

absl::StatusOr<NoticeTemplates> NoticeTemplates::Create(const std::map<std::string, std::string>& overrides) {
  std::map<std::string, words::NoticeParts> all;
  for (Language language : {Language::kGerman, Language::kEnglish}) {
    for (int i = 0; i < kNoticeKinds; ++i) {
      const std::string key = TemplateName(static_cast<NoticeKind>(i), language);
      RB_ASSIGN_OR_RETURN(all[key], SplitNotice(key, CompiledTemplates().at(key)));
    }
  }
  for (const auto& [name, text] : overrides) {
    RB_RETURN_IF_ERROR(words::CheckNotice(name, text));
    RB_ASSIGN_OR_RETURN(const words::NoticeParts own, SplitNotice(name, text));
    words::NoticeParts& parts = all.at(name);
    if (!own.subject.empty()) parts.subject = own.subject;
    if (!own.line.empty()) parts.line = own.line;
    if (!own.text.empty()) parts.text = own.text;
    if (!own.html.empty()) parts.html = own.html;
    // A team that changed only the text must not send its old words as HTML.
    if (!own.text.empty() && own.html.empty()) parts.html.clear();
  }
  NoticeTemplates templates;
  for (const auto& [name, parts] : all) templates.notices_[name] = std::make_shared<Notice>(parts);
  return templates;
}

NoticeTemplates::Notice::Notice(const words::NoticeParts& parts)
    : subject(parts.subject, Escaping::kNone),
      line(parts.line, Escaping::kNone),
      text(parts.text, Escaping::kNone),
      html(parts.html, Escaping::kHtml),
      has_html(!parts.html.empty()) {}

NoticeTemplates::Notice& NoticeTemplates::Find(NoticeKind kind, Language language) const {
  const auto found = notices_.find(TemplateName(kind, language));
  RB_CHECK(found != notices_.end());
  return *found->second;
}

absl::StatusOr<RenderedNotice> NoticeTemplates::Render(NoticeKind kind, const NoticeFacts& facts) const {
  Notice& of = Find(kind, facts.language);
  TemplateValues values = ValuesOf(facts);
  // What CheckNotice lets a notice include; all the others would be copied for every mail.
  for (const char* layout : {"layout/head", "layout/foot"}) values.partials[layout] = CompiledTemplates().at(layout);
  RenderedNotice notice;
  RB_ASSIGN_OR_RETURN(notice.subject, of.subject.Fill(values));
  RB_ASSIGN_OR_RETURN(notice.line, of.line.Fill(values));
  RB_ASSIGN_OR_RETURN(notice.text, of.text.Fill(values));
  notice.subject = OneLine(notice.subject);
  notice.line = OneLine(notice.line);
  notice.text = TidyText(notice.text);
  values.texts["subject"] = notice.subject;
  if (of.has_html) {
    RB_ASSIGN_OR_RETURN(notice.html, of.html.Fill(values));
  } else {
    RB_ASSIGN_OR_RETURN(const std::string head, RenderTemplate("{{>layout/head}}", values, Escaping::kHtml));
    RB_ASSIGN_OR_RETURN(const std::string foot, RenderTemplate("{{>layout/foot}}", values, Escaping::kHtml));
    notice.html = absl::StrCat(head, HtmlParagraphs(notice.text), foot);
  }
  return notice;
}

}  // namespace ringback::delivery
