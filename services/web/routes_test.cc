#include "web/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "web/routes_fixture.h"

namespace ringback::web {
namespace {

using http::HeaderOf;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(RoutesTest, TheTokenOpensThePage) {
  const HttpResponse response = Get("/m/" + token_);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("heute um 13:00 Uhr"));
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Referrer-Policy"), "same-origin");
  EXPECT_EQ(HeaderOf(response, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "private, no-store");
  EXPECT_THAT(HeaderOf(response, "X-Robots-Tag"), HasSubstr("noindex"));
  EXPECT_THAT(HeaderOf(response, "Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_EQ(Get("/m/" + token_ + "?utm_source=mail").status, 200);
  EXPECT_EQ(Get("http://host/m/" + token_).status, 200);
}

TEST_F(RoutesTest, AGetChangesNothing) {
  const int64_t before = sqlite_->Changes(7, kTeamId, 0, 10)->newest;
  const uint64_t version = sqlite_->Get(*store::CallbackKey(kCallbackId))->version;
  Get("/m/" + token_);
  Get("/m/" + token_ + "/voice.mp3");
  Get("/m/" + token_ + "/voice.opus?download");
  for (const char* part : {"time", "off", "wrong", "agree", "brief", "heard", "promise.ics"}) {
    Get("/m/" + token_ + "/" + part + "?slot=2026-11-23T14%3A00%3A00Z&key=x");
  }
  EXPECT_EQ(store_->commits, 0);
  EXPECT_EQ(sqlite_->Get(*store::CallbackKey(kCallbackId))->version, version);
  EXPECT_EQ(sqlite_->Changes(7, kTeamId, 0, 10)->newest, before);
}

TEST_F(RoutesTest, EveryClosedDoorLooksAndCostsTheSame) {
  const auto closed = [&](const std::string& token) {
    store_->gets = 0;
    const HttpResponse response = Get("/m/" + token);
    EXPECT_EQ(response.status, 404) << token;
    return absl::StrCat(store_->gets, " ", response.body);
  };
  const std::string unknown = closed(NewSecret(id_prefix::kPage, 7, *random_));
  EXPECT_EQ(closed("nonsense"), unknown);
  EXPECT_EQ(closed(""), unknown);
  EXPECT_EQ(closed(std::string(9000, 'x')), unknown);
  EXPECT_EQ(closed(token_ + "x"), unknown);

  pass_.set_revoked(true);
  Write();
  EXPECT_EQ(closed(token_), unknown);
  pass_.set_revoked(false);
  *pass_.mutable_expire_time() = domain::ToProto(Berlin(23, 10));
  Write();
  EXPECT_EQ(closed(token_), unknown);
  pass_.clear_expire_time();
  pass_.set_role(record::TokenRecord::ROLE_MEMBER);
  Write();
  EXPECT_EQ(closed(token_), unknown);
  pass_.set_role(record::TokenRecord::ROLE_PAGE);
  records_.callback.set_erased(true);
  Write();
  EXPECT_EQ(closed(token_), unknown);
  EXPECT_EQ(Get("/m/" + token_ + "/voice.mp3").status, 404);

  records_.callback.set_erased(false);
  Write();
  store_->gets = 0;
  EXPECT_EQ(Get("/m/" + token_).status, 200);
  EXPECT_EQ(absl::StrCat(store_->gets), unknown.substr(0, unknown.find(' '))) << "an open door costs as much";
}

TEST_F(RoutesTest, TheVoicePlaysInBothFormats) {
  const HttpResponse opus = Get("/m/" + token_ + "/voice.opus");
  EXPECT_EQ(opus.status, 200);
  EXPECT_EQ(HeaderOf(opus, "Content-Type"), "audio/ogg");
  EXPECT_EQ(HeaderOf(opus, "Accept-Ranges"), "bytes");
  EXPECT_EQ(HeaderOf(opus, "Content-Disposition"), "");
  EXPECT_EQ(BodyOf(opus), opus_);
  const HttpResponse mp3 = Get("/m/" + token_ + "/voice.mp3");
  EXPECT_EQ(HeaderOf(mp3, "Content-Type"), "audio/mpeg");
  EXPECT_EQ(BodyOf(mp3), mp3_);
  EXPECT_NE(HeaderOf(opus, "ETag"), HeaderOf(mp3, "ETag"));
}

TEST_F(RoutesTest, ADownloadHasASpeakingName) {
  EXPECT_THAT(HeaderOf(Get("/m/" + token_ + "/voice.mp3?download"), "Content-Disposition"),
              HasSubstr("filename=\"Rueckruf-Anna-Schmidt-23-11-13-00.mp3\""));
}

TEST_F(RoutesTest, RangesGetTheirPart) {
  const HttpResponse part = GetRange("bytes=10-19");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(HeaderOf(part, "Content-Range"), "bytes 10-19/1000");
  EXPECT_EQ(part.source_size, 10);
  EXPECT_EQ(BodyOf(part), mp3_.substr(10, 10));
  EXPECT_EQ(*part.source(4, 3), mp3_.substr(14, 3));
  EXPECT_EQ(BodyOf(GetRange("bytes=-3")), mp3_.substr(997));

  const HttpResponse beyond = GetRange("bytes=1000-");
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(HeaderOf(beyond, "Content-Range"), "bytes */1000");
  EXPECT_EQ(BodyOf(beyond), "");

  const std::string etag = HeaderOf(part, "ETag");
  EXPECT_EQ(GetRange("bytes=10-19", etag).status, 206);
  EXPECT_EQ(GetRange("bytes=10-19", "\"other\"").status, 200);
  EXPECT_EQ(GetRange("bytes=0-1,4-5").status, 200);
}

TEST_F(RoutesTest, ARangeIsForGetAlone) {
  HttpRequest request;
  request.method = "HEAD";
  request.target = "/m/" + token_ + "/voice.mp3";
  request.range = "bytes=0-9";
  const HttpResponse response = routes_->Handle(request);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.source_size, 1000);
}

TEST_F(RoutesTest, APageThatIsLookedAtAgainTakesOneReadAndIsTrue) {
  const std::string first = Get("/m/" + token_).body;
  store_->gets = 0;
  EXPECT_EQ(Get("/m/" + token_).body, first);
  EXPECT_EQ(store_->gets, 1);

  records_.team.mutable_footer()->set_company("Hansen & Söhne");
  Write();
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("Hansen &amp; Söhne"));
  records_.callback.mutable_caller()->set_name("Frau Lange");
  Write();
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("Frau Lange"));
  records_.recording->set_duration_seconds(59);
  Write();
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("0:59"));

  clock_.Set(Berlin(23, 13, 5));
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("Anna Schmidt ruft Sie an"));
  clock_.Set(Berlin(23, 13, 5) + absl::Microseconds(1));
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("wollte Sie anrufen"));
  clock_.Set(Berlin(24, 0));
  EXPECT_THAT(Get("/m/" + token_).body, HasSubstr("gestern um 13:00 Uhr"));

  pass_.set_revoked(true);
  Write();
  EXPECT_EQ(Get("/m/" + token_).status, 404);
}

TEST_F(RoutesTest, APageIsKeptForEachLanguageOfItsOwn) {
  records_.callback.mutable_caller()->clear_language();
  Write();
  const auto in = [this](const std::string& language) {
    HttpRequest request;
    request.method = "GET";
    request.target = "/m/" + token_;
    request.accept_language = language;
    return routes_->Handle(request).body;
  };
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(in("en"), HasSubstr("<html lang=\"en\">"));
    EXPECT_THAT(in("de"), HasSubstr("<html lang=\"de\">"));
    EXPECT_THAT(in("fr"), HasSubstr("<html lang=\"de\">")) << "the team's";
  }
}

TEST_F(RoutesTest, ThePromiseIsACalendarEntry) {
  const HttpResponse response = Get("/m/" + token_ + "/promise.ics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/calendar; charset=utf-8");
  EXPECT_THAT(HeaderOf(response, "Content-Disposition"), HasSubstr("Rueckruf.ics"));
  EXPECT_THAT(response.body, AllOf(HasSubstr(absl::StrCat("UID:", kCallbackId, "@hansen.example")),
                                   HasSubstr("DTSTART:20261123T120000Z"), HasSubstr("Anna Schmidt")));
  clock_.Set(Berlin(23, 15));
  EXPECT_EQ(Get("/m/" + token_ + "/promise.ics").status, 404) << "a time that is over is no appointment";
}

TEST_F(RoutesTest, TheScriptIsKeptByBrowsersForItsNameIsItsContents) {
  const HttpResponse response = Get("/m/ui/" + ScriptName());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_THAT(HeaderOf(response, "Cache-Control"), HasSubstr("immutable"));
  EXPECT_EQ(response.body, ScriptText());
  EXPECT_EQ(Get("/m/ui/page.js").status, 404);
}

TEST_F(RoutesTest, AKnownEtagIsNotSentAgain) {
  HttpRequest request;
  request.method = "GET";
  request.target = "/m/" + token_ + "/voice.mp3";
  request.if_none_match = HeaderOf(Get(request.target), "ETag");
  EXPECT_EQ(routes_->Handle(request).status, 304);
}

TEST_F(RoutesTest, ATakeThatIsNotReadyOrGoneIsNotFound) {
  records_.recording->set_state(record::RecordingRecord::STATE_RECEIVED);
  Write();
  EXPECT_EQ(Get("/m/" + token_ + "/voice.mp3").status, 404);
  EXPECT_THAT(Get("/m/" + token_).body, Not(HasSubstr("<audio")));
  records_.recording->set_state(record::RecordingRecord::STATE_READY);
  Write();
  ASSERT_TRUE(blobs_->Delete(records_.recording->mp3_blob()).ok());
  EXPECT_EQ(Get("/m/" + token_ + "/voice.mp3").status, 404);
}

TEST_F(RoutesTest, AnotherTeamsTakeNeverLeaves) {
  records_.recording->set_team_id("tm07bbbbbbbbbbbb");
  Write();
  EXPECT_EQ(Get("/m/" + token_ + "/voice.mp3").status, 404);
}

TEST_F(RoutesTest, AStoreThatFailsIsNotTheVisitorsFault) {
  store_->failure = absl::UnavailableError("secret detail");
  const HttpResponse response = Get("/m/" + token_);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "60");
  EXPECT_THAT(response.body, Not(HasSubstr("secret detail")));
}

TEST_F(RoutesTest, OtherMethodsAreRefusedWithTheRightOnes) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"}) {
    for (const std::string& target : {"/m/" + token_, "/m/" + token_ + "/voice.mp3", "/m/" + token_ + "/promise.ics",
                                      "/m/ui/" + ScriptName(), std::string("/healthz"), std::string("/metrics")}) {
      const HttpResponse response = Ask(method, target);
      EXPECT_EQ(response.status, 405) << method << target;
      EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD");
    }
    if (std::string(method) == "POST") continue;
    const HttpResponse response = Ask(method, "/m/" + token_ + "/off");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD, POST");
  }
}

TEST_F(RoutesTest, EverythingElseIsNotFound) {
  for (const std::string& target :
       {std::string("/"), std::string("*"), std::string(""), std::string("/m"), std::string("/healthz/"),
        "/m/" + token_ + "/", "/m/" + token_ + "/voice.wav", "/m/" + token_ + "/voice.mp3/..", "/M/" + token_,
        std::string("/m/../../etc/passwd"), std::string("//m/x")}) {
    EXPECT_EQ(Get(target).status, 404) << target;
  }
}

TEST_F(RoutesTest, TheOperatorsPagesAreServedToo) {
  ready_ = absl::UnavailableError("the disk is full");
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").body, "the disk is full\n");
  EXPECT_EQ(Get("/metrics").body, "ringback_up 1\n");
}

}  // namespace
}  // namespace ringback::web
