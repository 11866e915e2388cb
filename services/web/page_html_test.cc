#include "web/page_html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/escaping.h"
#include "core/base/ids.h"
#include "web/page_fixture.h"

namespace ringback::web {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

PageView ViewOf(const PageRecords& records, View view = View::kPage) {
  PageView shown;
  shown.view = view;
  shown.token = "pg07token";
  shown.callback_id = records.callback.id();
  shown.once = "abc123";
  shown.below = view != View::kPage;
  shown.now = Berlin(23, 10);
  shown.zone = CustomerZone(records);
  return shown;
}

std::string Html(const PageRecords& records, absl::Time now) {
  const auto html = RenderPage(Describe(records, "", now), ViewOf(records));
  EXPECT_TRUE(html.ok()) << html.status();
  return html.value_or("");
}

TEST(PageHtmlTest, TheGermanPageSaysWhoWhenAndPlays) {
  EXPECT_THAT(Html(SomeRecords(), Berlin(23, 10)),
              AllOf(HasSubstr("<html lang=\"de\">"), HasSubstr("<title>Anna Schmidt ruft heute um 13:00 Uhr zurück</title>"),
                    HasSubstr("Guten Tag, Herr Müller"), HasSubstr("Anna Schmidt ruft Sie an"),
                    HasSubstr("<source src=\"pg07token/voice.opus\" type=\"audio/ogg; codecs=opus\">"),
                    HasSubstr("<source src=\"pg07token/voice.mp3\" type=\"audio/mpeg\">"), HasSubstr("0:32 Minuten"),
                    HasSubstr("Geschäftsreise"), HasSubstr("href=\"tel:+4940123456\""),
                    HasSubstr("href=\"https://hansen.example/impressum\""), HasSubstr("Datenschutz"),
                    HasSubstr("HRB 12345"), Not(HasSubstr("class=\"changed\"")), Not(HasSubstr("<script>")),
                    Not(HasSubstr("mueller@example.com")), Not(HasSubstr("{{"))));
}

TEST(PageHtmlTest, TheEnglishPageSaysTheSame) {
  PageRecords records = SomeRecords();
  records.callback.mutable_caller()->set_language("en");
  EXPECT_THAT(Html(records, Berlin(23, 10)),
              AllOf(HasSubstr("<html lang=\"en\">"), HasSubstr("Anna Schmidt will call you"), HasSubstr("today at 1:00 pm"),
                    HasSubstr("Monday, 23 November 2026, 1:00 pm"), HasSubstr("Imprint"), Not(HasSubstr("Uhr</p>"))));
}

TEST(PageHtmlTest, AnOlderTakeIsCorrectedBeforeItPlays) {
  PageRecords records = SomeRecords();
  records.callback.mutable_promises(0)->set_state(record::PromiseRecord::STATE_SETTLED);
  AddPromise(&records.callback, Berlin(24, 9, 30), Berlin(23, 11), record::PromiseRecord::STATE_ARMED, "");
  records.callback.set_assignee_id(kJonas);
  const std::string html = Html(records, Berlin(23, 12));
  EXPECT_THAT(html, AllOf(HasSubstr("Es gilt: morgen um 9:30 Uhr."), HasSubstr("(heute um 13:00 Uhr)"),
                          HasSubstr("Es ruft Sie Jonas Weber an.")));
  EXPECT_LT(html.find("class=\"changed\""), html.find("<audio"));
}

TEST(PageHtmlTest, HostileNamesAreTextAndNothingElse) {
  PageRecords records = SomeRecords();
  const std::string hostile = "<script>alert('x')</script>\" onload=\"y & {{{spoken_text}}}{{>main}}";
  records.callback.mutable_caller()->set_name(hostile);
  records.callback.mutable_promises(0)->set_spoken_text(hostile);
  records.team.mutable_members(0)->set_name(hostile);
  auto* footer = records.team.mutable_footer();
  footer->set_company(hostile);
  footer->set_legal_text(hostile);
  footer->set_phone(hostile);
  footer->set_imprint_url("https://x.example/\"onclick=\"alert(1)");
  for (const char* language : {"de", "en"}) {
    records.callback.mutable_caller()->set_language(language);
    const std::string html = Html(records, Berlin(23, 10));
    EXPECT_THAT(html, AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("\" onload=")), Not(HasSubstr("\"onclick="))));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&apos;x&apos;)"));
    // What looks like a template stays text: it is printed, not filled in.
    EXPECT_THAT(html, HasSubstr("{{{spoken_text}}}{{&gt;main}}"));
  }
}

TEST(PageHtmlTest, EveryStateHasItsSentenceInBothLanguages) {
  for (const Language language : {Language::kGerman, Language::kEnglish}) {
    std::set<std::string> seen;
    for (int kind = 0; kind <= static_cast<int>(PageState::Kind::kCalledOff); ++kind) {
      PageState page;
      page.kind = static_cast<PageState::Kind>(kind);
      page.language = language;
      page.company = "C";
      const auto html = RenderPage(page, PageView());
      ASSERT_TRUE(html.ok()) << html.status();
      EXPECT_THAT(*html, AllOf(HasSubstr("class=\"when\""), Not(HasSubstr("{{")), Not(HasSubstr("<audio"))));
      EXPECT_TRUE(seen.insert(html->substr(html->find("<main>"))).second) << "two states say the same: " << kind;
    }
  }
}

TEST(PageHtmlTest, ThePolicyAllowsExactlyTheStyleOfThePage) {
  const std::string html = Html(SomeRecords(), Berlin(23, 10));
  const size_t begin = html.find("<style>") + 7;
  const std::string style = html.substr(begin, html.find("</style>") - begin);
  const std::string hash = absl::Base64Escape(absl::HexStringToBytes(Sha256Hex(style)));
  EXPECT_THAT(PagePolicy(), AllOf(HasSubstr("style-src 'sha256-" + hash + "'"), HasSubstr("default-src 'none'"),
                                  HasSubstr("form-action 'self'"), Not(HasSubstr("unsafe")), Not(HasSubstr("http"))));
  EXPECT_THAT(html, Not(HasSubstr(" style=\"")));
}

TEST(PageHtmlTest, TheScriptIsNamedAndPinnedByItsContent) {
  const std::string hash = absl::Base64Escape(absl::HexStringToBytes(Sha256Hex(ScriptText())));
  EXPECT_THAT(Html(SomeRecords(), Berlin(23, 10)),
              HasSubstr("<script defer src=\"ui/" + ScriptName() + "\" integrity=\"sha256-" + hash + "\"></script>"));
}

TEST(PageHtmlTest, ThePageOffersWhatCanBeDoneAndNoMore) {
  PageRecords records = SomeRecords();
  EXPECT_THAT(Html(records, Berlin(23, 10)),
              AllOf(HasSubstr("action=\"pg07token/agree\""), HasSubstr("href=\"pg07token/time\""),
                    HasSubstr("action=\"pg07token/brief\""), HasSubstr("href=\"pg07token/off\""),
                    HasSubstr("href=\"pg07token/wrong\""), HasSubstr("href=\"pg07token/promise.ics\""),
                    Not(HasSubstr("heard\""))));
  *records.callback.mutable_promises(0)->mutable_agreed_time() = domain::ToProto(Berlin(23, 10));
  EXPECT_THAT(Html(records, Berlin(23, 10)), AllOf(Not(HasSubstr("/agree\"")), HasSubstr("Sie sind einverstanden")));
  EXPECT_THAT(Html(records, Berlin(23, 14)), AllOf(Not(HasSubstr("/agree\"")), Not(HasSubstr("promise.ics"))));
  records.callback.set_phase(record::CallbackRecord::PHASE_CLOSED);
  EXPECT_THAT(Html(records, Berlin(23, 14)), AllOf(Not(HasSubstr("<form")), Not(HasSubstr("/time\"")),
                                                   Not(HasSubstr("/wrong\"")), HasSubstr("tel:+4940123456")));
}

TEST(PageHtmlTest, ListeningIsReportedOnlyWhereThePageSaysSo) {
  PageRecords records = SomeRecords();
  EXPECT_THAT(Html(records, Berlin(23, 10)), AllOf(Not(HasSubstr("/heard\"")), Not(HasSubstr("sehen wir"))));
  records.team.set_report_listened(true);
  EXPECT_THAT(Html(records, Berlin(23, 10)), AllOf(HasSubstr("action=\"pg07token/heard\""), HasSubstr("sehen wir")));
  // Known already: said still, reported no more.
  *records.callback.mutable_promises(0)->mutable_heard_time() = domain::ToProto(Berlin(23, 10));
  EXPECT_THAT(Html(records, Berlin(23, 10)), AllOf(Not(HasSubstr("/heard\"")), HasSubstr("sehen wir")));
}

TEST(PageHtmlTest, TimesAreGroupedByDayOnTheCustomersClock) {
  PageRecords records = SomeRecords();
  PageView view = ViewOf(records, View::kTime);
  view.slots = {Berlin(23, 14), Berlin(23, 14, 30), Berlin(24, 9)};
  const std::string html = RenderPage(Describe(records, "", Berlin(23, 10)), view).value_or("");
  EXPECT_THAT(html, AllOf(HasSubstr("Heute, Montag, 23. November"), HasSubstr("Morgen, Dienstag, 24. November"),
                          HasSubstr("value=\"2026-11-23T13:00:00Z\" required><span>14:00 Uhr"),
                          HasSubstr("min=\"2026-11-23T10:00\""), HasSubstr("href=\"../pg07token\""),
                          HasSubstr("src=\"../ui/")));
  EXPECT_LT(html.find("14:30 Uhr"), html.find("Morgen, "));
  view.slots.clear();
  EXPECT_THAT(RenderPage(Describe(records, "", Berlin(23, 10)), view).value_or(""), Not(HasSubstr("name=\"slot\"")));
}

TEST(PageHtmlTest, WhatWasRefusedStandsThereAgain) {
  const PageRecords records = SomeRecords();
  PageView view = ViewOf(records);
  view.told = Told::kLong;
  view.text = "viel <zu> lang";
  view.topic = "complaint";
  EXPECT_THAT(RenderPage(Describe(records, "", Berlin(23, 10)), view).value_or(""),
              AllOf(HasSubstr("role=\"alert\">Das ist leider zu lang"), HasSubstr(">viel &lt;zu&gt; lang</textarea>"),
                    HasSubstr("value=\"complaint\" checked"), Not(HasSubstr("value=\"order\" checked"))));
}

TEST(PageHtmlTest, EveryResultHasItsSentenceInBothLanguages) {
  for (const Language language : {Language::kGerman, Language::kEnglish}) {
    std::set<std::string> seen;
    for (int told = 1; told <= static_cast<int>(Told::kBusy); ++told) {
      PageState page;
      page.language = language;
      page.company = "C";
      PageView view;
      view.told = static_cast<Told>(told);
      const std::string html = RenderPage(page, view).value_or("");
      const bool done = view.told <= Told::kWritten;
      EXPECT_THAT(html, HasSubstr(done ? "role=\"status\"" : "role=\"alert\">")) << told;
      EXPECT_TRUE(seen.insert(html.substr(html.find("<main>"))).second) << "two results say the same: " << told;
    }
  }
}

TEST(PageHtmlTest, NoticesComeInBothLanguages) {
  EXPECT_THAT(RenderNotice(Notice::kNotFound, Language::kGerman).value_or(""), HasSubstr("gibt es nicht"));
  EXPECT_THAT(RenderNotice(Notice::kBusy, Language::kEnglish).value_or(""), HasSubstr("try again in a minute"));
}

}  // namespace
}  // namespace ringback::web
