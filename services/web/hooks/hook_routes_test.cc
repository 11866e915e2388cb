#include "web/hooks/hook_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"

namespace ringback::web {
namespace {

namespace record = ::ringback::store::v1;
using Json = nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

// Remembers what it is asked, and answers as told; a request id with another body is refused as the service does it.
class FakeIntake : public Intake {
 public:
  absl::StatusOr<v1::CreateCallbackResponse> Create(std::string_view bearer,
                                                    const v1::CreateCallbackRequest& request) override {
    bearers.emplace_back(bearer);
    created.push_back(request);
    if (!failure.ok()) return failure;
    if (absl::Status known = Once(request.request_id(), request.SerializeAsString()); !known.ok()) return known;
    return answer;
  }
  absl::StatusOr<v1::LogCallResponse> LogCall(std::string_view bearer, const v1::LogCallRequest& request) override {
    bearers.emplace_back(bearer);
    logged.push_back(request);
    if (!failure.ok()) return failure;
    if (absl::Status known = Once(request.request_id(), request.SerializeAsString()); !known.ok()) return known;
    v1::LogCallResponse response;
    response.set_logged(true);
    response.set_callback_id("cb07aaaaaaaaaaaa");
    return response;
  }

  std::vector<std::string> bearers;
  std::vector<v1::CreateCallbackRequest> created;
  std::vector<v1::LogCallRequest> logged;
  v1::CreateCallbackResponse answer;
  absl::Status failure;

 private:
  absl::Status Once(const std::string& id, const std::string& body) {
    const auto [at, is_new] = bodies_.emplace(id, body);
    if (is_new || at->second == body) return absl::OkStatus();
    return domain::InvalidField("request_id", "REQUEST_ID_REUSED", "was used for another request");
  }
  std::map<std::string, std::string> bodies_;
};

class HookRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store::SqliteOptions options;
    options.path = folder_.File("store.db");
    options.clock = &clock_;
    options.random = random_.get();
    store_ = store::OpenSqliteStore(options).value();
    team_ = domain::NewTeam(NewId(id_prefix::kTeam, 7, *random_), "Sales", "Europe/Berlin", "de", clock_.Now());
    record::Member& anna = *team_.add_members();
    anna.set_id("mb07anna");
    anna.set_name("Anna");
    anna.set_role(record::Member::ROLE_ADMIN);
    anna.add_extensions("w0");
    token_ = Token(record::TokenRecord::ROLE_INTAKE);
    WriteTeam();
    intake_.answer.mutable_callback()->set_id("cb07aaaaaaaaaaaa");

    HookParts parts;
    parts.store = store_.get();
    parts.known = &known_;
    parts.clock = &clock_;
    parts.random = random_.get();
    parts.intake = &intake_;
    parts.public_url = "https://calls.example.com";
    parts.region = "DE";
    parts.counted = [this](std::string_view hook, std::string_view result) {
      counted_.push_back(absl::StrCat(std::string(hook), " ", std::string(result)));
    };
    routes_ = std::make_unique<HookRoutes>(std::move(parts));
  }

  std::string Token(record::TokenRecord::Role role) {
    const rpc::NewToken made = rpc::MakeTokenSecret(7, *random_);
    record::TokenRecord token;
    token.set_id(NewId(id_prefix::kToken, 7, *random_));
    token.set_team_id(team_.id());
    token.set_member_id(role == record::TokenRecord::ROLE_MEMBER ? "mb07anna" : "");
    token.set_role(role);
    Write(made.key, token);
    return made.secret;
  }
  void WriteTeam() { Write(store::TeamKey(team_.id()).value(), team_); }
  template <typename Message>
  void Write(const store::Key& key, const Message& message) {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret(id_prefix::kLease, 7, *random_);
    store::Put& put = commit.puts.emplace_back();
    put.key = key;
    put.any_version = true;
    put.value = message.SerializeAsString();
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
  }

  http::HttpResponse Send(http::HttpRequest request) {
    request.peer = "203.0.113.9";
    auto response = routes_->Handle(request);
    EXPECT_TRUE(response.has_value());
    return response ? *std::move(response) : http::HttpResponse();
  }
  http::HttpResponse Post(const std::string& name, const std::string& body, const std::string& type = "application/json") {
    http::HttpRequest request;
    request.method = "POST";
    request.target = absl::StrCat("/hooks/v1/", token_, "/", name);
    request.content_type = type;
    request.body = body;
    return Send(request);
  }
  http::HttpResponse PostForm(const std::string& name, const std::string& body) {
    return Post(name, body, "application/x-www-form-urlencoded");
  }
  static Json JsonOf(const http::HttpResponse& response) {
    Json json = Json::parse(response.body, nullptr, false);
    EXPECT_TRUE(json.is_object()) << response.body;
    return json;
  }
  static std::string CodeOf(const http::HttpResponse& response) { return JsonOf(response)["error"]["code"]; }
  static std::string FieldOf(const http::HttpResponse& response) { return JsonOf(response)["error"]["field"]; }

  const TempDir folder_;
  FakeClock clock_{absl::FromCivil(absl::CivilSecond(2026, 11, 24, 8), absl::UTCTimeZone())};
  const std::unique_ptr<Random> random_ = NewSeededRandom(7);
  std::unique_ptr<store::Store> store_;
  rpc::KnownTokens known_;
  record::TeamRecord team_;
  std::string token_;
  FakeIntake intake_;
  std::vector<std::string> counted_;
  std::unique_ptr<HookRoutes> routes_;
};

TEST_F(HookRoutesTest, AMissedCallIsTakenInAndTheAnswerSaysWhatCameOfIt) {
  intake_.answer.set_rang_again(true);
  intake_.answer.add_warnings("the note is full");
  const auto response = Post("missed-call",
                             R"({"phone": "030 123456", "name": "Herr Müller", "company": "Müller & Söhne", "email": "m@example.com",
                                 "language": "de", "note": "dringend", "extension": "21", "event_id": "call 17",
                                 "time": "2026-11-24T08:59:30+01:00"})");
  ASSERT_EQ(response.status, 200) << response.body;
  const Json json = JsonOf(response);
  EXPECT_EQ(json["result"], "rang_again");
  EXPECT_EQ(json["callback_id"], "cb07aaaaaaaaaaaa");
  EXPECT_EQ(json["rang_again"], true);
  EXPECT_EQ(json["warnings"], Json({"the note is full"}));
  ASSERT_EQ(intake_.created.size(), 1u);
  const v1::CreateCallbackRequest& request = intake_.created[0];
  EXPECT_EQ(intake_.bearers[0], token_);
  EXPECT_EQ(request.caller().phone(), "030 123456") << "the intake knows the country";
  EXPECT_EQ(request.caller().name(), "Herr Müller");
  EXPECT_EQ(request.caller().company(), "Müller & Söhne");
  EXPECT_EQ(request.caller().email(), "m@example.com");
  EXPECT_EQ(request.caller().language(), "de");
  EXPECT_EQ(request.note(), "dringend");
  EXPECT_EQ(request.extension(), "21");
  EXPECT_EQ(domain::FromProto(request.ring_time()), clock_.Now() - absl::Seconds(30));
  EXPECT_FALSE(request.has_same_ring_within()) << "who names events counts rings themselves";
  EXPECT_THAT(counted_, ElementsAre("missed-call rang_again"));
}

TEST_F(HookRoutesTest, TheSameEventIsTheSameRequestAndAnotherOneIsNot) {
  Post("missed-call", R"({"phone": "030 123456", "event_id": "17"})");
  Post("missed-call", R"({"phone": "030 123456", "event_id": "17"})");
  Post("missed-call", R"({"phone": "030 123456", "event_id": "18"})");
  ASSERT_EQ(intake_.created.size(), 3u);
  EXPECT_EQ(intake_.created[0].request_id(), intake_.created[1].request_id());
  EXPECT_NE(intake_.created[0].request_id(), intake_.created[2].request_id());
  EXPECT_LE(intake_.created[0].request_id().size(), 64u);
}

TEST_F(HookRoutesTest, AnEventThatSaysSomethingElseTheSecondTimeIsRefusedByName) {
  EXPECT_EQ(Post("missed-call", R"({"phone": "030 123456", "event_id": "17"})").status, 200);
  const auto response = Post("missed-call", R"({"phone": "030 654321", "event_id": "17"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(FieldOf(response), "event_id");
}

TEST_F(HookRoutesTest, WithoutAnEventsNameRingsOfOneMinuteAreOne) {
  Post("missed-call", R"({"phone": "030 123456"})");
  Post("missed-call", R"({"phone": "030 123456"})");
  ASSERT_EQ(intake_.created.size(), 2u);
  EXPECT_NE(intake_.created[0].request_id(), intake_.created[1].request_id());
  EXPECT_EQ(intake_.created[0].same_ring_within().seconds(), 60);
  intake_.answer.set_same_ring(true);
  EXPECT_EQ(JsonOf(Post("missed-call", R"({"phone": "030 123456"})"))["result"], "same_ring");
}

TEST_F(HookRoutesTest, WhoWithholdsTheNumberCannotBeCalledBack) {
  const Json json = JsonOf(Post("missed-call", R"({"phone": "Anonymous"})"));
  EXPECT_EQ(json["result"], "withheld");
  EXPECT_THAT(json["warnings"][0], HasSubstr("withheld"));
  EXPECT_TRUE(intake_.created.empty());
  EXPECT_THAT(counted_, ElementsAre("missed-call withheld"));
  // Who has left an address can be written to.
  EXPECT_EQ(JsonOf(Post("missed-call", R"({"phone": "anonymous", "email": "m@example.com"})"))["result"], "callback");
  EXPECT_EQ(intake_.created.at(0).caller().phone(), "");
}

TEST_F(HookRoutesTest, WhatIsWrongIsSaidWithItsFieldAndWhatWouldBeRight) {
  struct Row {
    const char* body;
    const char* code;
    const char* field;
  };
  for (const Row& row : std::vector<Row>{{"phone=030", "NOT_JSON", ""},
                                         {"[]", "NOT_AN_OBJECT", ""},
                                         {"{}", "MISSING", "phone"},
                                         {R"({"phone": 30123456})", "NOT_TEXT", "phone"},
                                         {R"({"phone": {"a": 1}})", "NOT_TEXT", "phone"},
                                         {R"({"phone": "030 123456", "time": "yesterday"})", "NOT_A_TIME", "time"},
                                         {R"({"phone": "030 123456", "event_id": "a\nb"})", "CONTROL_CHARACTER", "event_id"}}) {
    const auto response = Post("missed-call", row.body);
    EXPECT_EQ(response.status, 400) << row.body;
    EXPECT_EQ(CodeOf(response), row.code) << row.body;
    EXPECT_EQ(FieldOf(response), row.field) << row.body;
  }
  EXPECT_TRUE(intake_.created.empty());
  // The intake's own words come through, with the hook's word for the field.
  intake_.failure = domain::InvalidField("caller.phone", "NOT_A_PHONE_NUMBER", "too short; like +49 30 123456");
  const auto response = Post("missed-call", R"({"phone": "12"})");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(FieldOf(response), "phone");
  EXPECT_EQ(JsonOf(response)["error"]["message"], "too short; like +49 30 123456");
}

TEST_F(HookRoutesTest, AFieldThatMeansNothingIsSaid) {
  const Json json = JsonOf(Post("missed-call", R"({"phone": "030 123456", "phnoe": "1"})"));
  EXPECT_EQ(json["result"], "callback");
  EXPECT_THAT(json["warnings"][0], HasSubstr("phnoe"));
}

TEST_F(HookRoutesTest, EveryBadTokenGetsTheSameAnswerInTheSameTime) {
  const std::string member = Token(record::TokenRecord::ROLE_MEMBER);
  const std::string good = token_;
  std::string first;
  for (const std::string& bad : {std::string("x"), std::string(), std::string("rb_tk07zzzzzzzzzzzzzzzzzzzzzzzzzz"), member}) {
    token_ = bad;
    const auto response = Post("missed-call", R"({"phone": "030 123456"})");
    EXPECT_EQ(response.status, 401) << bad;
    EXPECT_EQ(response.no_sooner, std::chrono::milliseconds(400));
    if (first.empty()) first = response.body;
    EXPECT_EQ(response.body, first);
  }
  EXPECT_TRUE(intake_.created.empty());
  int limited = 0;
  for (int i = 0; i < 40; ++i) {
    token_ = "rb_tk07zzzzzzzzzzzzzzzzzzzzzzzzz0";
    const auto response = Post("missed-call", "{}");
    limited += response.status == 429 ? 1 : 0;
    EXPECT_EQ(response.status == 429, !http::HeaderOf(response, "Retry-After").empty());
  }
  EXPECT_EQ(limited, 24);
  token_ = good;
  EXPECT_EQ(Post("missed-call", R"({"phone": "030 123456"})").status, 200)
      << "a provider's customers share its address: a stranger's bad token must not lock a good one out";
}

TEST_F(HookRoutesTest, OtherMethodsAndOtherPathsAreRefused) {
  http::HttpRequest request;
  request.method = "GET";
  request.target = absl::StrCat("/hooks/v1/", token_, "/missed-call");
  auto response = Send(request);
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(http::HeaderOf(response, "Allow"), "POST");
  for (const std::string& target : {std::string("/hooks/"), std::string("/hooks/v2/x/missed-call"), absl::StrCat("/hooks/v1/", token_),
                                    absl::StrCat("/hooks/v1/", token_, "/asterisk")}) {
    request.target = target;
    EXPECT_EQ(Send(request).status, 404) << target;
  }
  request.target = "/m/pg07";
  EXPECT_FALSE(routes_->Handle(request).has_value());
}

TEST_F(HookRoutesTest, TooMuchIsRefused) {
  EXPECT_EQ(Post("missed-call", "{\"note\": \"" + std::string(40 << 10, 'x') + "\"}").status, 413);
}

TEST_F(HookRoutesTest, WhenTheIntakeIsAwayTheReportIsAskedForAgain) {
  intake_.failure = absl::UnavailableError("connection refused by 10.0.0.7");
  const auto response = Post("missed-call", R"({"phone": "030 123456"})");
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(http::HeaderOf(response, "Retry-After"), "");
  EXPECT_THAT(response.body, testing::Not(HasSubstr("10.0.0.7")));
  EXPECT_THAT(counted_, ElementsAre("missed-call refused"));
}

TEST_F(HookRoutesTest, ACallThatWasMadeIsLogged) {
  const Json json = JsonOf(Post("call", R"({"phone": "030 123456", "outcome": "no-answer", "extension": "w0", "note": "Mailbox voll"})"));
  EXPECT_EQ(json["result"], "logged");
  ASSERT_EQ(intake_.logged.size(), 1u);
  EXPECT_EQ(intake_.logged[0].outcome(), v1::ATTEMPT_OUTCOME_NO_ANSWER);
  EXPECT_EQ(intake_.logged[0].extension(), "w0");
  EXPECT_EQ(intake_.logged[0].note(), "Mailbox voll");
  EXPECT_EQ(FieldOf(Post("call", R"({"phone": "030 123456", "outcome": "great"})")), "outcome");
  Post("call", R"({"phone": "030 123456"})");
  EXPECT_EQ(intake_.logged.back().outcome(), v1::ATTEMPT_OUTCOME_REACHED);
}

TEST_F(HookRoutesTest, SipgateIsAnsweredInXmlAndAskedForWhatFollows) {
  const auto begin = PostForm(
      "sipgate", "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=1&user[]=Anna&userId[]=w0");
  EXPECT_EQ(http::HeaderOf(begin, "Content-Type"), "application/xml");
  EXPECT_THAT(begin.body, HasSubstr(absl::StrCat("onHangup=\"https://calls.example.com/hooks/v1/", token_, "/sipgate?user=w0\"")));
  http::HttpRequest end;
  end.method = "POST";
  end.target = absl::StrCat("/hooks/v1/", token_, "/sipgate?user=w0");
  end.content_type = "application/x-www-form-urlencoded";
  end.body = "event=hangup&cause=cancel&callId=1&from=492111234567&to=4915791234567&direction=in";
  EXPECT_EQ(Send(end).status, 200);
  ASSERT_EQ(intake_.created.size(), 1u);
  EXPECT_EQ(intake_.created[0].caller().phone(), "+492111234567");
  EXPECT_EQ(intake_.created[0].extension(), "w0") << "of two words for the team's end, the one that a member has";
  EXPECT_THAT(counted_, ElementsAre("sipgate nothing", "sipgate callback"));
}

TEST_F(HookRoutesTest, WithoutSipgatesKeyItsSignatureIsNotLookedAt) {
  http::HttpRequest end;
  end.method = "POST";
  end.target = absl::StrCat("/hooks/v1/", token_, "/sipgate");
  end.content_type = "application/x-www-form-urlencoded";
  end.body = "event=hangup&cause=cancel&callId=1&from=492111234567&to=4915791234567&direction=in";
  end.sipgate_signature = "fakeSignature";
  EXPECT_EQ(Send(end).status, 200);
  EXPECT_EQ(intake_.created.size(), 1u);
}

TEST_F(HookRoutesTest, ACallThatOneOfAGroupTookIsNotMissedByTheOthers) {
  const std::string rest = R"(", "number": "+4915112345678", "start": "2026-11-24T07:58:00Z", "end": "2026-11-24T07:59:00Z"})";
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "22", "call_type": "Inbound)" + rest))["result"], "logged");
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "21", "call_type": "Missed)" + rest))["result"], "reported_before");
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "23", "call_type": "Missed)" + rest))["result"], "reported_before");
}

TEST_F(HookRoutesTest, AConversationCountsThoughOthersOfTheGroupReportedTheCallAsMissedBefore) {
  const std::string rest = R"(", "number": "+4915112345678", "start": "2026-11-24T07:58:00Z", "end": "2026-11-24T07:59:00Z"})";
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "21", "call_type": "Missed)" + rest))["result"], "callback");
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "23", "call_type": "Missed)" + rest))["result"], "reported_before");
  EXPECT_EQ(JsonOf(Post("3cx", R"({"agent": "22", "call_type": "Inbound)" + rest))["result"], "logged");
  EXPECT_EQ(intake_.logged.back().outcome(), v1::ATTEMPT_OUTCOME_REACHED);
}

TEST_F(HookRoutesTest, TwilioIsRefusedUnlessItIsSignedAndAnsweredInTwiml) {
  const std::string body = "CallSid=CA1&Direction=inbound&From=%2B4915112345678&To=%2B4930987654&DialCallStatus=busy";
  EXPECT_EQ(CodeOf(PostForm("twilio", body)), "NO_SECRET");
  (*team_.mutable_hook_secrets())["twilio"] = "0123456789abcdef0123456789abcdef";
  WriteTeam();
  const auto unsigned_response = PostForm("twilio", body);
  EXPECT_EQ(unsigned_response.status, 403);
  EXPECT_EQ(CodeOf(unsigned_response), "NOT_SIGNED");
  EXPECT_TRUE(intake_.created.empty());
}

TEST_F(HookRoutesTest, AProvidersClockThatIsAheadLosesNoCaller) {
  Post("3cx", R"({"call_type": "Missed", "number": "+4915112345678", "start": "2026-11-24T10:00:00Z"})");
  ASSERT_EQ(intake_.created.size(), 1u);
  EXPECT_FALSE(intake_.created[0].has_ring_time());
}

}  // namespace
}  // namespace ringback::web
