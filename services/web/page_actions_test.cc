// Every press against a real store, and what must not count as one.
#include "web/page_actions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/store/records.h"
#include "web/form_key.h"
#include "web/routes_fixture.h"

namespace ringback::web {
namespace {

using http::HeaderOf;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class PageActionsTest : public RoutesTest {
 protected:
  // The key in the form with that action, as the page shows it now.
  std::string KeyOn(const std::string& page, const std::string& action, const std::string& field = "") {
    const std::string html = Get("/m/" + token_ + page).body;
    const std::regex form("action=\"" + (page.empty() ? token_ + "/" : std::string()) + action +
                          "\"[^>]*>\\s*<input type=\"hidden\" name=\"key\" value=\"([^\"]*)\">([\\s\\S]*?)</form>");
    for (std::sregex_iterator found(html.begin(), html.end(), form); found != std::sregex_iterator(); ++found) {
      if ((*found)[2].str().find(field) != std::string::npos) return (*found)[1];
    }
    return "";
  }
  HttpRequest Form(const std::string& part, const std::string& body) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/m/" + token_ + "/" + part;
    request.host = "page.example";
    request.peer = "192.0.2.1";
    request.content_type = "application/x-www-form-urlencoded";
    request.body = body;
    return request;
  }
  HttpResponse Post(const std::string& part, const std::string& body) { return routes_->Handle(Form(part, body)); }
  std::string Home(const std::string& done) { return absl::StrCat("../", token_, done.empty() ? "" : "?done=", done); }

  // The first time that is offered, and as a form says it.
  std::string FirstSlot() {
    const std::string html = Get("/m/" + token_ + "/time").body;
    std::smatch found;
    return std::regex_search(html, found, std::regex("name=\"slot\" value=\"([^\"]*)\"")) ? found[1].str() : "";
  }
  static std::string InForm(const std::string& slot) { return absl::StrReplaceAll(slot, {{":", "%3A"}}); }
  static absl::Time TimeOf(const std::string& slot) {
    absl::Time time;
    EXPECT_TRUE(absl::ParseTime(absl::RFC3339_sec, slot, &time, nullptr)) << slot;
    return time;
  }

  record::CallbackRecord Now() {
    return store::Load<record::CallbackRecord>(*sqlite_, *store::CallbackKey(kCallbackId))->message;
  }
  std::vector<record::AnswerRecord> Answers() {
    std::vector<record::AnswerRecord> answers;
    const store::IndexKey index{7, records_.team.id(), std::string(store::index::kAnswers)};
    const auto scan = sqlite_->Scan(index, "", "", {.limit = 100});
    EXPECT_TRUE(scan.ok());
    for (const std::string& member : scan->members) {
      answers.push_back(store::Load<record::AnswerRecord>(*sqlite_, *store::AnswerKey(store::IdOfMember(member)))->message);
    }
    return answers;
  }
  std::vector<std::string> Events() {
    std::vector<std::string> what;
    const record::CallbackRecord callback = Now();
    for (const auto& event : callback.history()) what.push_back(event.what());
    return what;
  }
};

TEST_F(PageActionsTest, AgreeingGoesOnRecordAndSettlesNothing) {
  const HttpResponse response = Post("agree", "key=" + KeyOn("", "agree"));
  EXPECT_EQ(response.status, 303);
  EXPECT_EQ(HeaderOf(response, "Location"), Home("agreed"));
  EXPECT_TRUE(Now().promises(0).has_agreed_time());
  EXPECT_EQ(Now().promises(0).state(), record::PromiseRecord::STATE_ARMED);
  EXPECT_THAT(Get("/m/" + token_ + "?done=agreed").body, HasSubstr("role=\"status\""));
}

TEST_F(PageActionsTest, AResultIsSaidOnlyWhenItIsTrue) {
  for (const char* done : {"agreed", "moved", "wished", "written", "nonsense"}) {
    EXPECT_THAT(Get("/m/" + token_ + "?done=" + done).body, Not(HasSubstr("role=\"status\""))) << done;
  }
}

TEST_F(PageActionsTest, AgreeingToATimeThatNoLongerCountsShowsTheOneThatDoes) {
  const std::string key = KeyOn("", "agree");
  records_.callback.mutable_promises(0)->set_state(record::PromiseRecord::STATE_SETTLED);
  AddPromise(&records_.callback, Berlin(24, 9, 30), Berlin(23, 11), record::PromiseRecord::STATE_ARMED, "");
  Write();
  const HttpResponse response = Post("agree", "key=" + key);
  EXPECT_EQ(response.status, 409);
  EXPECT_THAT(response.body, AllOf(HasSubstr("role=\"alert\""), HasSubstr("morgen um 9:30 Uhr")));
  EXPECT_FALSE(Now().promises(1).has_agreed_time());
}

TEST_F(PageActionsTest, BriefAndTopicTravelTogetherAndTwoPressesAreOne) {
  const std::string body =
      "key=" + KeyOn("", "brief") + "&topic=complaint&text=Die+Pumpe+verliert+%C3%96l.%0D%0ASeit+Montag.+";
  EXPECT_EQ(HeaderOf(Post("brief", body), "Location"), Home("written"));
  EXPECT_EQ(HeaderOf(Post("brief", body), "Location"), Home("written"));
  EXPECT_EQ(Now().brief().text(), "Die Pumpe verliert Öl.\nSeit Montag.");
  EXPECT_EQ(Now().topic(), record::TOPIC_COMPLAINT);
  const std::vector<std::string> events = Events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "brief_received"), 1);
  const auto answers = Answers();
  ASSERT_EQ(answers.size(), 1u) << "beside those that came by mail, once";
  EXPECT_EQ(answers[0].text(), "Die Pumpe verliert Öl.\nSeit Montag.");
  EXPECT_EQ(answers[0].source(), record::AnswerRecord::SOURCE_PAGE);
  EXPECT_EQ(Now().answer_count(), 1);
  // Something else from the same form is something else.
  EXPECT_EQ(Post("brief", "key=" + KeyOn("", "brief") + "&text=Noch+etwas").status, 303);
  EXPECT_THAT(Now().brief().text(), HasSubstr("Noch etwas"));
  EXPECT_EQ(Answers().size(), 2u);
}

TEST_F(PageActionsTest, ATopicAloneIsAnAnswerAndNothingAtAllIsNone) {
  EXPECT_EQ(Post("brief", "key=" + KeyOn("", "brief") + "&text=+&topic=question").status, 303);
  EXPECT_EQ(Now().topic(), record::TOPIC_QUESTION);
  EXPECT_TRUE(Answers().empty()) << "there are no words to keep";
  EXPECT_FALSE(Now().has_brief());
  const HttpResponse empty = Post("brief", "key=" + KeyOn("", "brief") + "&text=%0D%0A++");
  EXPECT_EQ(empty.status, 422);
  EXPECT_THAT(empty.body, HasSubstr("role=\"alert\""));
}

TEST_F(PageActionsTest, TwoThousandCharactersAreTakenAndOneMoreIsGivenBack) {
  // Characters, not bytes.
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "%C3%B6";
  EXPECT_EQ(Post("brief", "key=" + KeyOn("", "brief") + "&text=" + text).status, 303);
  EXPECT_EQ(Now().brief().text().size(), 4000u);
  const HttpResponse refused = Post("brief", "key=" + KeyOn("", "brief") + "&text=x" + text);
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, AllOf(HasSubstr("zu lang"), HasSubstr(">xöö")));
  EXPECT_EQ(Now().brief().text().size(), 4000u);
}

TEST_F(PageActionsTest, AFreeTimeBindsAtOnceAndTwiceIsOnce) {
  const std::string slot = FirstSlot();
  const std::string body = "key=" + KeyOn("/time", "time", "slot") + "&slot=" + InForm(slot);
  EXPECT_EQ(HeaderOf(Post("time", body), "Location"), Home("moved"));
  EXPECT_EQ(HeaderOf(Post("time", body), "Location"), Home("moved"));
  const record::CallbackRecord callback = Now();
  ASSERT_EQ(callback.promises_size(), 2);
  EXPECT_EQ(callback.promises(0).verdict(), record::VERDICT_MOVED_BY_CUSTOMER);
  EXPECT_EQ(domain::FromProto(callback.promises(1).promised_time()), TimeOf(slot));
  EXPECT_EQ(callback.promises(1).author(), "customer");
}

TEST_F(PageActionsTest, ATimeThatWasTakenMeanwhileIsSaidToBe) {
  const std::string slot = FirstSlot();
  const std::string body = "key=" + KeyOn("/time", "time", "slot") + "&slot=" + InForm(slot);
  OtherCallOfAnna(TimeOf(slot));
  const HttpResponse response = Post("time", body);
  EXPECT_EQ(response.status, 409);
  EXPECT_THAT(response.body, AllOf(HasSubstr("gerade vergeben"), Not(HasSubstr("value=\"" + slot))));
  EXPECT_EQ(Now().promises_size(), 1);
}

TEST_F(PageActionsTest, ATimeThatWasNotOfferedIsNotTaken) {
  const std::string key = KeyOn("/time", "time", "slot");
  for (const char* slot : {"2026-11-23T02%3A00%3A00Z", "2026-11-23T13%3A07%3A00Z", "1999-01-01T00%3A00%3A00Z"}) {
    EXPECT_EQ(Post("time", "key=" + key + "&slot=" + slot).status, 409) << slot;
  }
  EXPECT_EQ(Post("time", "key=" + key + "&slot=gleich").status, 422);
  EXPECT_EQ(Post("time", "key=" + key + "&slot=").status, 422);
  EXPECT_EQ(Now().promises_size(), 1);
}

TEST_F(PageActionsTest, AnOwnWishIsAProposalOnTheCustomersClock) {
  records_.callback.mutable_caller()->set_time_zone("America/New_York");
  Write();
  const std::string key = KeyOn("/time", "time", "wish");
  EXPECT_EQ(HeaderOf(Post("time", "key=" + key + "&wish=2026-11-24T09%3A20"), "Location"), Home("wished"));
  const record::CallbackRecord callback = Now();
  EXPECT_EQ(domain::FromProto(callback.proposal().promised_time()), Berlin(24, 15, 20));
  EXPECT_EQ(callback.promises_size(), 1);
  EXPECT_EQ(callback.promises(0).state(), record::PromiseRecord::STATE_ARMED);
  EXPECT_EQ(Post("time", "key=" + KeyOn("/time", "time", "wish") + "&wish=bald").status, 422);
  EXPECT_EQ(Post("time", "key=" + KeyOn("/time", "time", "wish") + "&wish=2020-01-01T10%3A00").status, 422);
}

TEST_F(PageActionsTest, CallingOffTakesASecondPress) {
  EXPECT_EQ(Get("/m/" + token_ + "/off").status, 200);
  EXPECT_EQ(Now().phase(), record::CallbackRecord::PHASE_PROMISED);
  const std::string key = KeyOn("/off", "off");
  EXPECT_EQ(HeaderOf(Post("off", "key=" + key), "Location"), Home(""));
  EXPECT_EQ(HeaderOf(Post("off", "key=" + key), "Location"), Home("")) << "pressed twice";
  EXPECT_EQ(Now().closing(), record::CallbackRecord::CLOSING_CALLED_OFF);
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("Der Rückruf ist abgesagt"));
}

TEST_F(PageActionsTest, AfterTheEndNothingMoreIsTakenAndThePageSaysWhatHolds) {
  const std::string agree = KeyOn("", "agree"), brief = KeyOn("", "brief"), off = KeyOn("/off", "off");
  ASSERT_EQ(Post("off", "key=" + off).status, 303);
  for (const auto& [part, body] : {std::pair(std::string("agree"), "key=" + agree),
                                   std::pair(std::string("brief"), "key=" + brief + "&text=Hallo")}) {
    const HttpResponse response = Post(part, body);
    EXPECT_EQ(response.status, 409) << part;
    EXPECT_THAT(response.body, HasSubstr("abgesagt")) << part;
  }
}

TEST_F(PageActionsTest, TheWrongPersonLocksTheLinkAndTheTeamIsAlarmed) {
  const HttpResponse response = Post("wrong", "key=" + KeyOn("/wrong", "wrong"));
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, AllOf(HasSubstr("Link ist gesperrt"), Not(HasSubstr("Müller")), Not(HasSubstr("Hansen"))));
  const std::string closed = Get("/m/pg07aaaaaaaaaaaaaaaaaaaaaaaaaa").body;
  for (const std::string part : {"", "/time", "/off", "/voice.mp3", "/promise.ics"}) {
    EXPECT_EQ(Get("/m/" + token_ + part).status, 404) << part;
    EXPECT_EQ(Get("/m/" + token_ + part).body, closed) << part;
  }
  EXPECT_EQ(Post("agree", "").body, closed);
  EXPECT_THAT(Events(), Contains("wrong_person"));
  EXPECT_NE(Now().delivery_alarm(), "");
}

TEST_F(PageActionsTest, ListeningIsNotedOnlyWhereTheTeamWantsItToBe) {
  EXPECT_EQ(KeyOn("", "heard"), "");
  const std::string key = SealFormKey(token_, kCallbackId, "heard", {1, "abc"});
  EXPECT_EQ(Post("heard", "key=" + key).status, 204);
  EXPECT_FALSE(Now().promises(0).has_heard_time());
  records_.team.set_report_listened(true);
  Write();
  EXPECT_EQ(Post("heard", "key=" + KeyOn("", "heard")).status, 204);
  EXPECT_TRUE(Now().promises(0).has_heard_time());
  EXPECT_EQ(KeyOn("", "heard"), "") << "reported once";
}

TEST_F(PageActionsTest, AForeignFormChangesNothingAndLosesNothing) {
  const std::string key = KeyOn("", "brief");
  HttpRequest evil = Form("brief", "key=" + key + "&text=Hallo");
  evil.origin = "https://evil.example";
  HttpRequest cross = Form("brief", "key=" + key + "&text=Hallo");
  cross.sec_fetch_site = "cross-site";
  HttpRequest sibling = Form("brief", "key=" + key + "&text=Hallo");
  sibling.sec_fetch_site = "same-site";
  for (const HttpRequest& request : {evil, cross, sibling, Form("brief", "text=Hallo"),
                                     Form("brief", "key=" + KeyOn("", "agree") + "&text=Hallo")}) {
    EXPECT_EQ(routes_->Handle(request).status, 409);
  }
  HttpRequest json = Form("brief", "{\"key\":\"" + key + "\"}");
  json.content_type = "application/json";
  EXPECT_EQ(routes_->Handle(json).status, 409);
  EXPECT_FALSE(Now().has_brief());
  EXPECT_THAT(routes_->Handle(Form("brief", "text=Hallo")).body, HasSubstr(">Hallo</textarea>"));
  HttpRequest own = Form("brief", "key=" + key + "&text=Hallo");
  own.origin = "https://page.example";
  own.sec_fetch_site = "same-origin";
  EXPECT_EQ(routes_->Handle(own).status, 303);
}

TEST_F(PageActionsTest, AWrongTokenIsAsUnknownToAPostAsToAGet) {
  const std::string unknown = NewSecret(id_prefix::kPage, 7, *random_);
  store_->gets = 0;
  const HttpResponse get = Get("/m/" + unknown);
  const int reads = store_->gets;
  HttpRequest request = Form("agree", "key=x");
  request.target = "/m/" + unknown + "/agree";
  store_->gets = 0;
  const HttpResponse post = routes_->Handle(request);
  EXPECT_EQ(post.status, 404);
  EXPECT_EQ(post.body, get.body);
  EXPECT_EQ(store_->gets, reads);
}

TEST_F(PageActionsTest, WhoPressesTooOftenIsAskedToWaitAndLosesNothing) {
  for (int i = 0; i < 30; ++i) EXPECT_EQ(Post("brief", "key=wrong&text=Hallo").status, 409);
  const std::string body = "key=" + KeyOn("", "brief") + "&text=Hallo";
  const HttpResponse response = Post("brief", body);
  EXPECT_EQ(response.status, 429);
  EXPECT_NE(HeaderOf(response, "Retry-After"), "");
  EXPECT_THAT(response.body, HasSubstr(">Hallo</textarea>"));
  // Another client on the same page is not let in either; reading always is.
  HttpRequest other = Form("brief", body);
  other.peer = "2001:db8::7";
  EXPECT_EQ(routes_->Handle(other).status, 429);
  EXPECT_FALSE(Now().has_brief());
  EXPECT_EQ(Get("/m/" + token_).status, 200);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Post("brief", body).status, 303);
}

TEST_F(PageActionsTest, AFormsAddressLeadsBackToThePageWhenItIsOpened) {
  for (const char* part : {"agree", "brief", "heard"}) {
    const HttpResponse response = Get("/m/" + token_ + "/" + part);
    EXPECT_EQ(response.status, 303) << part;
    EXPECT_EQ(HeaderOf(response, "Location"), "../" + token_);
  }
  EXPECT_EQ(Get("/m/pg07aaaaaaaaaaaaaaaaaaaaaaaaaa/agree").status, 404);
}

}  // namespace
}  // namespace ringback::web
