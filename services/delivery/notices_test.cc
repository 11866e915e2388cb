// What people read: the customer's mail to the letter, every other notice by what must be in it.
#include "delivery/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/utf8.h"
#include "delivery/mail_message.h"
#include "core/words/template_mustache.h"

namespace ringback::delivery {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using words::Escaping;
using words::RenderTemplate;
using words::TemplateValues;

absl::TimeZone Berlin() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Berlin", &zone));
  return zone;
}

absl::Time At(int day, int hour, int minute) {
  return absl::FromCivil(absl::CivilSecond(2026, 11, day, hour, minute, 0), Berlin());
}

NoticeFacts Customer(Language language) {
  NoticeFacts facts;
  facts.language = language;
  facts.now = At(23, 9, 30);
  facts.zone = Berlin();
  facts.reader_name = language == Language::kGerman ? "Herr Müller" : "Mr Miller";
  facts.team_name = "Vertrieb Nord";
  facts.footer = "Muster GmbH, Hafenstraße 1, 20457 Hamburg\nAmtsgericht Hamburg HRB 12345";
  facts.rep_name = "Anna Schmidt";
  facts.rep_phone = "+49401234567";
  facts.call.callback_id = "cb07abc";
  facts.call.caller_name = facts.reader_name;
  facts.call.caller_phone = "+4930123456";
  facts.call.asked_time = At(23, 9, 12);
  facts.call.promised_time = At(23, 13, 0);
  facts.audio_attached = true;
  facts.calendar_attached = true;
  return facts;
}

NoticeFacts Member(Language language) {
  NoticeFacts facts = Customer(language);
  facts.reader_name = "Anna";
  facts.call.caller_company = "Müller GmbH";
  facts.call.assignee_name = "Anna Schmidt";
  facts.call.note = "hat dreimal angerufen";
  return facts;
}

RenderedNotice Render(NoticeKind kind, const NoticeFacts& facts) {
  absl::StatusOr<RenderedNotice> notice = NoticeTemplates::Create()->Render(kind, facts);
  EXPECT_TRUE(notice.ok()) << notice.status();
  return notice.ok() ? *notice : RenderedNotice();
}

TEST(Notices, TheGermanVoiceMessageReadsAsThePromiseWasMade) {
  NoticeFacts facts = Customer(Language::kGerman);
  facts.spoken_text = "Guten Morgen Herr Müller, ich bin gerade zurück.\nIch rufe Sie heute um 13 Uhr an. Versprochen!";
  facts.page_url = "https://ring.example/m/pg07abc";
  const RenderedNotice notice = Render(NoticeKind::kVoiceMessage, facts);
  EXPECT_EQ(notice.subject, "Ihr Anruf: Anna Schmidt ruft heute um 13:00 Uhr zurück");
  EXPECT_EQ(notice.text, R"(Guten Morgen Herr Müller,

Sie haben heute um 9:12 Uhr um Rückruf gebeten. Das will ich gerne tun: Ich rufe Sie heute um 13:00 Uhr an. Versprochen!

Meine kurze Sprachnachricht an Sie hängt an dieser Mail.

Schreiben Sie mir bitte vorab zwei oder drei Sätze, worum es geht: einfach auf diese Mail antworten. Dann bin ich gut vorbereitet.

Zum Nachlesen, was ich Ihnen gesagt habe:

> Guten Morgen Herr Müller, ich bin gerade zurück.
> Ich rufe Sie heute um 13 Uhr an. Versprochen!

Ist es eilig? Sie erreichen uns unter +49401234567.

Anhören und nachlesen (ohne Anmeldung):
https://ring.example/m/pg07abc

Herzlichen Dank für Ihr Verständnis. Ich freue mich auf unser Gespräch.

Anna Schmidt
Vertrieb Nord

Der Termin liegt als Kalendereintrag bei: Montag, 23. November 2026, 13:00 Uhr.

)" "-- \n" R"(Muster GmbH, Hafenstraße 1, 20457 Hamburg
Amtsgericht Hamburg HRB 12345
)");
}

TEST(Notices, TheEnglishVoiceMessageReadsAsThePromiseWasMade) {
  NoticeFacts facts = Customer(Language::kEnglish);
  facts.calendar_attached = false;
  facts.footer = "";
  const RenderedNotice notice = Render(NoticeKind::kVoiceMessage, facts);
  EXPECT_EQ(notice.subject, "Your call: Anna Schmidt will call you back today at 1:00 pm");
  EXPECT_EQ(notice.text, R"(Good morning Mr Miller,

You asked for a call back today at 9:12 am, and I will gladly do that: I will call you today at 1:00 pm. I promise!

My short voice message to you is attached to this mail.

Please write me two or three sentences beforehand about what it is about: simply reply to this mail. Then I will be well prepared.

Is it urgent? You can reach us at +49401234567.

Thank you very much for your understanding. I look forward to our conversation.

Anna Schmidt
Vertrieb Nord
)");
}

TEST(Notices, WithoutAPublicAddressNoCustomerMailHasALink) {
  for (Language language : {Language::kGerman, Language::kEnglish}) {
    for (NoticeKind kind : {NoticeKind::kVoiceMessage, NoticeKind::kPromiseMoved, NoticeKind::kPromiseCancelled,
                            NoticeKind::kSpokenPromise}) {
      NoticeFacts facts = Customer(language);
      facts.previous_promised_time = At(23, 12, 0);
      const RenderedNotice notice = Render(kind, facts);
      for (const std::string& part : {notice.text, notice.html, notice.line}) {
        EXPECT_THAT(part, Not(HasSubstr("http"))) << notice.subject;
      }
    }
  }
}

TEST(Notices, TheRequestToAnswerComesBeforeAnyLink) {
  for (Language language : {Language::kGerman, Language::kEnglish}) {
    NoticeFacts facts = Customer(language);
    facts.page_url = "https://ring.example/m/pg07abc";
    const RenderedNotice notice = Render(NoticeKind::kVoiceMessage, facts);
    const std::string ask =
        language == Language::kGerman ? "einfach auf diese Mail antworten" : "simply reply to this mail";
    EXPECT_LT(notice.text.find(ask), notice.text.find("https://"));
    EXPECT_LT(notice.html.find(ask), notice.html.find("https://"));
  }
}

TEST(Notices, AReaderInAnotherZoneIsToldWhoseTimeItIs) {
  NoticeFacts facts = Customer(Language::kGerman);
  EXPECT_TRUE(absl::LoadTimeZone("America/New_York", &facts.zone));
  facts.say_zone = true;
  EXPECT_EQ(Render(NoticeKind::kVoiceMessage, facts).subject,
            "Ihr Anruf: Anna Schmidt ruft heute um 7:00 Uhr Ortszeit New York zurück");
}

TEST(Notices, TheReminderCarriesTheBriefOrSaysToCallAnyway) {
  NoticeFacts facts = Member(Language::kGerman);
  facts.now = At(23, 12, 45);
  RenderedNotice notice = Render(NoticeKind::kReminder, facts);
  EXPECT_EQ(notice.subject, "In 15 Minuten anrufen: Herr Müller (Müller GmbH)");
  EXPECT_THAT(notice.text, HasSubstr("Telefon: tel:+4930123456\n"));
  EXPECT_THAT(notice.text, HasSubstr("Notiz: hat dreimal angerufen\n"));
  EXPECT_THAT(notice.text, HasSubstr("trotzdem anrufen"));
  EXPECT_THAT(notice.html, HasSubstr("<a href=\"tel:+4930123456\""));
  facts.now = At(23, 13, 0);
  facts.call.brief = "Es geht um das Angebot.\nBitte mit Preis.";
  notice = Render(NoticeKind::kReminder, facts);
  EXPECT_EQ(notice.subject, "Jetzt anrufen: Herr Müller (Müller GmbH)");
  EXPECT_THAT(notice.text, HasSubstr("> Es geht um das Angebot.\n> Bitte mit Preis.\n"));
  EXPECT_THAT(notice.text, Not(HasSubstr("trotzdem anrufen")));
  EXPECT_THAT(notice.line, HasSubstr("Anliegen: Es geht um das Angebot. Bitte mit Preis."));
}

TEST(Notices, ADueFollowUpAndTargetAreRemindersInBothLanguages) {
  NoticeFacts facts = Member(Language::kGerman);
  facts.now = At(23, 13, 31);
  facts.call.promised_time.reset();
  facts.call.due_time = facts.now;
  facts.call.brief = "Es geht um das Angebot.";
  facts.attempts = 1;
  facts.last_attempt_time = At(23, 13, 1);
  RenderedNotice notice = Render(NoticeKind::kFollowUpDue, facts);
  EXPECT_EQ(notice.subject, "Jetzt erneut anrufen: Herr Müller (Müller GmbH)");
  for (const char* part : {"Bisher 1 Versuch, zuletzt heute um 13:01 Uhr.", "> Es geht um das Angebot.\n",
                           "Fällig: heute um 13:31 Uhr\n", "Telefon: tel:+4930123456\n"}) {
    EXPECT_THAT(notice.text, HasSubstr(part));
  }
  EXPECT_THAT(notice.text, Not(HasSubstr("Versprochen")));
  EXPECT_THAT(Render(NoticeKind::kResponseDue, facts).subject, "Noch ohne Versprechen: Herr Müller (Müller GmbH)");
  facts.language = Language::kEnglish;
  notice = Render(NoticeKind::kFollowUpDue, facts);
  EXPECT_EQ(notice.subject, "Call again now: Herr Müller (Müller GmbH)");
  EXPECT_THAT(notice.text, HasSubstr("So far 1 attempt, the last today at 1:01 pm."));
  notice = Render(NoticeKind::kResponseDue, facts);
  EXPECT_THAT(notice.subject, HasSubstr("Still without a promise"));
  EXPECT_THAT(notice.text, HasSubstr("The team's response target is now"));
}

TEST(Notices, TheEscalationSaysWhoSinceWhenWhoElseKnowsAndWhatToDo) {
  NoticeFacts facts = Member(Language::kGerman);
  facts.now = At(23, 13, 15);
  facts.step = 2;
  facts.also_alarmed = {"Anna Schmidt", "Jonas Weber"};
  facts.next_alarm_time = At(23, 13, 30);
  const RenderedNotice notice = Render(NoticeKind::kEscalation, facts);
  EXPECT_EQ(notice.subject, "Überfällig seit 15 Minuten: Herr Müller (Müller GmbH), versprochen heute um 13:00 Uhr");
  for (const char* part : {"Zuständig: Anna Schmidt", "Stufe 2",
                           "Ebenfalls benachrichtigt: Anna Schmidt und Jonas Weber", "nächste Alarm heute um 13:30 Uhr", "ringback attempt cb07abc --outcome reached",
                           "ringback ack cb07abc"}) {
    EXPECT_THAT(notice.text, HasSubstr(part));
  }
  facts.call.desk_url = "https://ring.example/desk/cb07abc";
  EXPECT_THAT(Render(NoticeKind::kEscalation, facts).text,
              HasSubstr("Hier handeln: https://ring.example/desk/cb07abc"));
}

TEST(Notices, ABundleListsEveryCallbackWithItsOwnFacts) {
  NoticeFacts facts = Member(Language::kEnglish);
  facts.now = At(23, 13, 15);
  CallFacts waiting;
  waiting.callback_id = "cb07xyz";
  waiting.caller_name = "Ms Jones";
  waiting.asked_time = At(23, 8, 0);
  facts.calls = {facts.call, waiting};
  const RenderedNotice notice = Render(NoticeKind::kBundle, facts);
  EXPECT_EQ(notice.subject, "2 callbacks need someone now");
  EXPECT_THAT(notice.text,
              HasSubstr("* Mr Miller, Müller GmbH\n  Promised: today at 1:00 pm (overdue by 15 minutes)\n"));
  // Nothing of the first callback leaks into the second.
  EXPECT_THAT(notice.text,
              HasSubstr("* Ms Jones\n  Waiting for 5 hours 15 minutes, no promise yet\n  ringback show cb07xyz"));
}

TEST(Notices, TheFailedDeliverySaysWhatTheCustomerNeverHeard) {
  NoticeFacts facts = Member(Language::kGerman);
  facts.channel = "E-Mail";
  facts.reason = "550 5.1.1 <mueller@example.com>: Recipient\r\naddress rejected";
  const RenderedNotice notice = Render(NoticeKind::kDeliveryFailed, facts);
  EXPECT_EQ(notice.subject, "Herr Müller hat „heute um 13:00 Uhr“ nie gehört");
  EXPECT_THAT(notice.text, HasSubstr("Grund (E-Mail): 550 5.1.1 <mueller@example.com>: Recipient address rejected\n"));
  EXPECT_THAT(notice.html, HasSubstr("&lt;mueller@example.com&gt;"));
}

// Every notice, both languages, with everything known and with next to nothing known.
TEST(Notices, EveryNoticeIsWholeWithManyFactsAndWithFew) {
  for (Language language : {Language::kGerman, Language::kEnglish}) {
    NoticeFacts full = Member(language);
    full.now = At(23, 13, 15);
    full.page_url = "https://ring.example/m/pg07abc";
    full.call.brief = "Angebot";
    full.spoken_text = "Text";
    full.previous_promised_time = At(23, 12, 0);
    full.previous_rep_name = "Jonas Weber";
    full.step = 1;
    full.repeat = 2;
    full.also_alarmed = {"Jonas"};
    full.acknowledged_by = "Jonas";
    full.next_alarm_time = At(23, 14, 0);
    full.reason = "because";
    full.other_member = "Jonas";
    full.attempts = 2;
    full.last_attempt_time = At(23, 13, 5);
    full.answer = CustomerAnswer::kOtherTime;
    full.call.wished_time = At(24, 9, 0);
    full.call.topic = CallTopic::kOrder;
    full.call.agreed = true;
    NoticeFacts few;
    few.language = language;
    few.now = At(23, 13, 15);
    few.zone = Berlin();
    few.rep_name = "Anna Schmidt";
    few.call.callback_id = "cb07abc";
    few.call.caller_phone = "+4930123456";
    NoticeFacts listed = full;
    listed.calls = {full.call, few.call};
    std::vector<NoticeFacts> all = {full, few, listed};
    for (Unheard unheard : {Unheard::kPromiseSoFar, Unheard::kConfirmation, Unheard::kChange, Unheard::kCancellation,
                            Unheard::kCallOff, Unheard::kWrongPerson}) {
      all.push_back(full);
      all.back().unheard = unheard;
      all.push_back(few);
      all.back().unheard = unheard;
    }
    for (CustomerAnswer answer : {CustomerAnswer::kAgreed, CustomerAnswer::kMoved, CustomerAnswer::kDeclined,
                                  CustomerAnswer::kCalledOff}) {
      all.push_back(full);
      all.back().answer = answer;
      all.push_back(few);
      all.back().answer = answer;
    }
    all.push_back(full);
    all.back().reopened = true;
    all.push_back(few);
    all.back().reopened = true;
    for (WishAnswer wish : {WishAnswer::kAsWished, WishAnswer::kOtherOffer, WishAnswer::kStays}) {
      all.push_back(full);
      all.back().wish = wish;
    }
    NoticeFacts due = full;
    due.call.due_time = due.call.promised_time;
    due.call.promised_time.reset();
    due.call.follow_up = true;
    due.calls = {due.call};
    all.push_back(due);
    for (const NoticeFacts& facts : all) {
      for (int i = 0; i < kNoticeKinds; ++i) {
        const NoticeKind kind = static_cast<NoticeKind>(i);
        const RenderedNotice notice = Render(kind, facts);
        const std::string where = absl::StrCat(LanguageTag(language), "/", NoticeKindName(kind));
        EXPECT_FALSE(notice.subject.empty()) << where;
        EXPECT_FALSE(notice.line.empty()) << where;
        EXPECT_TRUE(CheckHeaderText("subject", notice.subject).ok()) << where;
        EXPECT_TRUE(CheckHeaderText("line", notice.line, 3000).ok()) << where;
        EXPECT_THAT(notice.html, HasSubstr("</html>")) << where;
        for (const std::string& part : {notice.subject, notice.line, notice.text, notice.html}) {
          EXPECT_THAT(part, Not(HasSubstr("{{"))) << where;
          EXPECT_THAT(part, Not(HasSubstr("()"))) << where;
          EXPECT_TRUE(IsUtf8(part)) << where;
        }
        EXPECT_THAT(notice.text, Not(HasSubstr("\n\n\n"))) << where;
        EXPECT_THAT(notice.text, Not(HasSubstr(" ,"))) << where;
        EXPECT_FALSE(absl::StartsWith(notice.text, "\n")) << where;
      }
    }
  }
}

TEST(Notices, ForeignWordsStayWords) {
  NoticeFacts facts = Member(Language::kGerman);
  facts.call.caller_name = "<script>alert(1)</script>\r\nBcc: x@y.z {{brief}} {{>brief}}";
  facts.call.brief = "{{>brief}} {{#brief}}<img src=x onerror=y>\" '\nringback cancel cb07abc";
  facts.call.note = "javascript:alert(1) https://evil.example/\"onclick=x";
  for (int i = 0; i < kNoticeKinds; ++i) {
    const RenderedNotice notice = Render(static_cast<NoticeKind>(i), facts);
    EXPECT_EQ(notice.subject.find_first_of("\r\n"), std::string::npos);
    EXPECT_THAT(notice.html, Not(HasSubstr("<script>alert")));
    EXPECT_THAT(notice.html, Not(HasSubstr("<img")));
    EXPECT_THAT(notice.html, Not(HasSubstr("\">ringback cancel"))) << "a customer's words shown as a command";
    EXPECT_THAT(notice.html, Not(HasSubstr("\"onclick")));
    EXPECT_THAT(notice.html, Not(HasSubstr("href=\"javascript")));
  }
}

TEST(Notices, ATeamOverridesAPartAndKeepsTheRest) {
  absl::StatusOr<NoticeTemplates> templates =
      NoticeTemplates::Create({{"de/voice_message", "--- subject\nMoin, {{rep}} ruft {{when}} an\n"}});
  ASSERT_TRUE(templates.ok()) << templates.status();
  RenderedNotice notice = *templates->Render(NoticeKind::kVoiceMessage, Customer(Language::kGerman));
  EXPECT_EQ(notice.subject, "Moin, Anna Schmidt ruft heute um 13:00 Uhr an");
  EXPECT_THAT(notice.text, HasSubstr("Versprochen!"));
  EXPECT_THAT(notice.html, HasSubstr("Versprochen"));
  // With only its own text, the HTML is made from that text instead of telling the old one.
  templates = NoticeTemplates::Create({{"de/voice_message", "--- text\nKurz & knapp: {{when}}\n"}});
  notice = *templates->Render(NoticeKind::kVoiceMessage, Customer(Language::kGerman));
  EXPECT_EQ(notice.text, "Kurz & knapp: heute um 13:00 Uhr\n");
  EXPECT_THAT(notice.html, HasSubstr("Kurz &amp; knapp: heute um 13:00 Uhr</p>"));
  EXPECT_THAT(notice.html, Not(HasSubstr("Versprochen")));
}

TEST(Notices, AnOverrideThatCannotWorkIsRefusedByName) {
  struct Case { const char* name; std::string text; const char* says; };
  std::string deep = "--- text\n";
  for (int i = 0; i < 40; ++i) deep += "{{#brief}}";
  for (const Case& c : {
           Case{"de/unknown", "--- text\nx\n", "none of this name"},
           Case{"reminder.de.text", "--- text\nx\n", "like de/voice_message"},
           Case{"de/reminder", "x\n", "begin with"},
           Case{"de/reminder", "\n", "no part"},
           Case{"de/reminder", "--- headline\nx\n", "not a part"},
           Case{"de/reminder", "--- text\n{{#brief}}x\n", "text"},
           Case{"de/reminder", "--- text\n{{brief\n", "text"},
           Case{"de/reminder", "--- text\n{{=<% %>=}}\n", "delimiters"},
           Case{"de/reminder", "--- text\n{{>brief}}\n", "no part"},
           Case{"de/reminder", deep, "deep"},
           Case{"de/reminder", "--- text\n" + std::string(70000, 'x'), "bytes"},
       }) {
    const absl::Status status = NoticeTemplates::Create({{c.name, c.text}}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text.substr(0, 40);
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says));
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.name));
  }
}

TEST(Template, ThreadsFillItAtTheSameTimeEachWithItsOwnValues) {
  words::Template shared("{{#lines}}<{{v}}>{{/lines}}{{>end}}", Escaping::kHtml);
  std::vector<std::thread> threads;
  std::vector<int> right(4);
  for (size_t i = 0; i < right.size(); ++i) {
    threads.emplace_back([&shared, &right, i] {
      TemplateValues line, values;
      line.texts["v"] = std::string(i + 1, static_cast<char>('a' + i));
      values.lists["lines"].assign(i + 1, line);
      values.partials["end"] = absl::StrCat("end ", i);
      std::string expected;
      for (size_t n = 0; n <= i; ++n) absl::StrAppend(&expected, "<", line.texts["v"], ">");
      absl::StrAppend(&expected, "end ", i);
      for (int n = 0; n < 200; ++n) right[i] += shared.Fill(values).value_or("") == expected;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(right, ::testing::Each(200));
}

TEST(Template, EachEscapingFitsItsPlace) {
  const TemplateValues values{.texts = {{"v", "a\"b\\c\n<&ü"}, {"empty", ""}}};
  EXPECT_EQ(*RenderTemplate("{{v}}", values, Escaping::kNone), "a\"b\\c\n<&ü");
  EXPECT_EQ(*RenderTemplate("{{v}}", values, Escaping::kHtml), "a&quot;b\\c\n&lt;&amp;ü");
  EXPECT_EQ(*RenderTemplate("{{v}}", values, Escaping::kJson), "a\\\"b\\\\c\\n<&ü");
  EXPECT_EQ(*RenderTemplate("{{v}}", values, Escaping::kPercent), "a%22b%5Cc%0A%3C%26%C3%BC");
  EXPECT_EQ(*RenderTemplate("{{#empty}}x{{/empty}}{{^empty}}y{{/empty}}", values, Escaping::kNone), "y");
  EXPECT_FALSE(RenderTemplate("{{{v}}}", values, Escaping::kJson).ok());
}

}  // namespace
}  // namespace ringback::delivery
