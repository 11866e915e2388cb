// testdata/words: a mail's text, a line "==== new words ====", and what is new in it.
#include "delivery/mail_in/new_words.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "delivery/mail_in/html_text.h"

namespace ringback::delivery {
namespace {

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(NewWordsTest, EveryTextOfTheCorpusLosesWhatIsOldAndKeepsWhatIsNew) {
  constexpr std::string_view kMark = "==== new words ====\n";
  int texts = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RINGBACK_MAIL_TESTDATA "/words")) {
    const std::string whole = Contents(entry.path());
    const size_t mark = whole.find(kMark);
    ASSERT_NE(mark, std::string::npos) << entry.path();
    std::string want = whole.substr(mark + kMark.size());
    if (!want.empty()) want.pop_back();
    EXPECT_EQ(NewWords(whole.substr(0, mark)), want) << entry.path();
    // What a mail server made of the line ends changes nothing.
    std::string dos;
    for (const char c : whole.substr(0, mark)) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
    EXPECT_EQ(NewWords(dos), want) << entry.path() << " with CRLF";
    // New words have nothing old in them.
    if (want.find("Gesendet:") == std::string::npos) {
      EXPECT_EQ(NewWords(want), want) << entry.path() << ", its new words again";
    }
    ++texts;
  }
  EXPECT_GE(texts, 45);
}

TEST(NewWordsTest, NothingGivesNothing) {
  EXPECT_EQ(NewWords(""), "");
  EXPECT_EQ(NewWords("\n\n \n"), "");
  EXPECT_EQ(NewWords(std::string(1, kOriginalBegins)), "");
}

TEST(NewWordsTest, HostileTextTakesTimeInProportionToItsLength) {
  for (const char* line : {"Viele Grüße\n", "-- \n", "> x\n", "Am 24.11.2026 schrieb\n", "Von: x\n", "vertraulich und rechtlich geschützt, unbefugte Weitergabe, irrtümlich erhalten\n\n",
                           "Gesendet von meinem iPhone\n", "On 1/2/26 a@b\n", "____________\n"}) {
    std::string text;
    while (text.size() < 256 << 10) text += line;
    NewWords(text);  // the test's time-out is the judge
  }
}

struct HtmlCase {
  const char* name;
  const char* html;
  const char* words;
};

TEST(HtmlTextTest, MailProgramsQuotesAndSignaturesLeave) {
  for (const HtmlCase& one : {
           HtmlCase{"gmail",
                    "<div dir=\"ltr\">Hallo,<div><br></div><div>es geht um die <b>Heizung</b>.</div></div><br><div class=\"gmail_quote\"><div dir=\"ltr\" class=\"gmail_attr\">"
                    "Am Di., 24. Nov. 2026 um 09:05 Uhr schrieb Anna &lt;<a href=\"mailto:a@b.de\">a@b.de</a>&gt;:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0\">"
                    "<div>Guten Morgen</div></blockquote></div>",
                    "Hallo,\n\nes geht um die Heizung."},
           HtmlCase{"gmail between the lines",
                    "<div class=gmail_quote><div class=gmail_attr>On Tue wrote:</div><blockquote>Worum geht es?</blockquote><div>Um die Heizung.</div>"
                    "<blockquote>Passt 13 Uhr?</blockquote><div>Ja &amp; gern.</div></div>",
                    "Um die Heizung.\n\nJa & gern."},
           HtmlCase{"apple",
                    "<html><body>Passt.<br><br><blockquote type=\"cite\"><div>Am 24.11.2026 um 09:05 schrieb Anna &lt;a@b.de&gt;:</div><div>Guten Morgen</div></blockquote></body></html>",
                    "Passt."},
           HtmlCase{"outlook desktop",
                    "<html><head><style>p{color:red}</style></head><body><p class=MsoNormal>Es geht um M&uuml;ll.<o:p></o:p></p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
                    "<p class=MsoNormal><b>Von:</b> Anna &lt;a@b.de&gt; <br><b>Gesendet:</b> Dienstag, 24. November 2026 09:05<br><b>An:</b> Max<br><b>Betreff:</b> Ihr Anruf</p></div></div>"
                    "<p>Guten Morgen</p></body></html>",
                    "Es geht um Müll."},
           HtmlCase{"outlook on the web",
                    "<div>Bitte um 15 Uhr.</div><div id=\"appendonsend\"></div><hr><div id=\"divRplyFwdMsg\"><b>From:</b> Anna<br><b>Sent:</b> Tuesday<br></div><div>Good morning</div>",
                    "Bitte um 15 Uhr."},
           HtmlCase{"outlook mobile signature", "<div>Ja.</div><div id=\"ms-outlook-mobile-signature\">Gesendet von Outlook</div>", "Ja."},
           HtmlCase{"thunderbird", "<p>Ja.</p><div class=\"moz-cite-prefix\">Am 24.11.26 schrieb Anna:<br></div><blockquote type=\"cite\" cite=\"mid:x\"><p>Guten Morgen</p></blockquote>"
                    "<pre class=\"moz-signature\">-- \nMax</pre>", "Ja."},
           HtmlCase{"yahoo", "<div>Ja.</div><div class=\"yahoo_quoted\"><div>On Tuesday, Anna wrote:</div><div>Good morning</div></div>", "Ja."},
           HtmlCase{"gmx", "<div>Ja.</div><div name=\"quote\" style=\"margin\"><div><b>Von:</b> Anna</div><div>Guten Morgen</div></div>", "Ja."},
           HtmlCase{"list and table", "<ul><li>20 St&#252;hle</li><li>4 Tische</li></ul><table><tr><td>a</td><td>b</td></tr></table>", "- 20 Stühle\n- 4 Tische\na b"},
           HtmlCase{"script", "<script>alert('<p>x</p>')</script><p>ruhig</p><!-- <p>versteckt</p> -->", "ruhig"},
           HtmlCase{"broken", "<p>offen <b>fett <i>schief</b> ende &unbekannt; &#x1F600; < 3 <", "offen fett schief ende &unbekannt; \xF0\x9F\x98\x80 < 3 <"},
       }) {
    EXPECT_EQ(NewWords(HtmlToText(one.html)), one.words) << one.name;
  }
}

TEST(HtmlTextTest, HostileHtmlTakesTimeInProportionToItsLength) {
  for (const char* piece : {"<div>", "</div>", "<a href='", "&", "<!--", "<script>", "<blockquote>", "<", "<p class=\"gmail_quote", "<br>"}) {
    std::string html;
    while (html.size() < 1 << 20) html += piece;
    HtmlToText(html);
  }
}

}  // namespace
}  // namespace ringback::delivery
