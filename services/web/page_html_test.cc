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

std::string Html(const PageRecords& records, absl::Time now) {
  const auto html = RenderPage(Describe(records, "", now), "pg07token");
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
                    HasSubstr("HRB 12345"), Not(HasSubstr("class=\"changed\"")), Not(HasSubstr("<script")),
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
  EXPECT_THAT(html, AllOf(HasSubstr("es gilt: morgen um 9:30 Uhr."), HasSubstr("(heute um 13:00 Uhr)"),
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
    EXPECT_THAT(html, AllOf(Not(HasSubstr("<script")), Not(HasSubstr("\" onload=")), Not(HasSubstr("\"onclick="))));
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
      const auto html = RenderPage(page, "t");
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
                                  Not(HasSubstr("unsafe")), Not(HasSubstr("script-src"))));
  EXPECT_THAT(html, Not(HasSubstr(" style=\"")));
}

TEST(PageHtmlTest, NoticesComeInBothLanguages) {
  EXPECT_THAT(RenderNotice(Notice::kNotFound, Language::kGerman).value_or(""), HasSubstr("gibt es nicht"));
  EXPECT_THAT(RenderNotice(Notice::kBusy, Language::kEnglish).value_or(""), HasSubstr("try again in a minute"));
}

}  // namespace
}  // namespace ringback::web
