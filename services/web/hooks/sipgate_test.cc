#include "web/hooks/sipgate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/domain/input.h"

namespace ringback::web {
namespace {

using Kind = CallEvent::Kind;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kOwnUrl[] = "https://calls.example.com/hooks/v1/rb_tk07abc/sipgate";

// Bodies as sipgate.io's reference shows them.
class SipgateTest : public testing::Test {
 protected:
  HookRequest Request(const std::string& body, std::string_view query = "") {
    http_.content_type = "application/x-www-form-urlencoded";
    http_.body = body;
    return HookRequest{http_, query, kOwnUrl, "", false};
  }
  CallEvent Read(const std::string& body, std::string_view query = "") {
    const auto event = ReadSipgate(Request(body, query));
    EXPECT_TRUE(event.ok()) << event.status();
    return event.ok() ? *event : CallEvent();
  }
  std::string Hangup(const std::string& direction, const std::string& cause) {
    return "event=hangup&cause=" + cause + "&callId=123456&from=492111234567&to=4915791234567&direction=" + direction;
  }
  http::HttpRequest http_;
};

TEST_F(SipgateTest, ANewCallIsNothingYetAndAsksForItsAnswerAndItsEnd) {
  const std::string body =
      "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456&user[]=Alice&userId[]=w0"
      "&fullUserId[]=1234567w0";
  EXPECT_EQ(Read(body).kind, Kind::kNothing);
  const std::string xml = SipgateXml(Request(body));
  EXPECT_THAT(xml, HasSubstr("onAnswer=\"https://calls.example.com/hooks/v1/rb_tk07abc/sipgate?user=w0\""));
  EXPECT_THAT(xml, HasSubstr("onHangup=\"https://calls.example.com/hooks/v1/rb_tk07abc/sipgate?user=w0\""));
}

TEST_F(SipgateTest, ACallToAGroupIsNobodysInParticular) {
  const std::string body =
      "event=newCall&from=492111234567&to=4915791234567&direction=in&callId=123456&user%5B%5D=Alice&user%5B%5D=Bob"
      "&userId%5B%5D=w0&userId%5B%5D=w1";
  EXPECT_THAT(SipgateXml(Request(body)), HasSubstr("onHangup=\"https://calls.example.com/hooks/v1/rb_tk07abc/sipgate\""));
}

TEST_F(SipgateTest, WhatTheReportSaysCannotBreakOutOfTheXml) {
  const std::string body = "event=newCall&from=49211&to=4915&direction=in&callId=1&userId[]=%22%2F%3E%3CReject%2F%3E";
  const std::string xml = SipgateXml(Request(body));
  EXPECT_THAT(xml, testing::Not(HasSubstr("Reject")));
}

TEST_F(SipgateTest, AfterTheFirstEventNothingMoreIsAskedFor) {
  EXPECT_THAT(SipgateXml(Request(Hangup("in", "busy"))), HasSubstr("<Response/>"));
}

TEST_F(SipgateTest, WhatNobodyAnsweredIsMissed) {
  for (const char* cause : {"busy", "cancel", "noAnswer", "congestion", "notFound"}) {
    const CallEvent event = Read(Hangup("in", cause), "user=w0");
    EXPECT_EQ(event.kind, Kind::kMissed) << cause;
    EXPECT_EQ(event.caller.phone(), "+492111234567");
    EXPECT_EQ(event.call_id, "123456");
    EXPECT_THAT(event.extensions, ElementsAre("w0", "4915791234567"));
  }
}

TEST_F(SipgateTest, TheEndOfAConversationAndOfAForwardedCallAreNothing) {
  for (const char* direction : {"in", "out"}) {
    for (const char* cause : {"normalClearing", "forwarded"}) {
      EXPECT_EQ(Read(Hangup(direction, cause)).kind, Kind::kNothing) << direction << cause;
    }
  }
}

TEST_F(SipgateTest, AnAnswerIsAConversationWhoeverRang) {
  const CallEvent in = Read(
      "event=answer&callId=123456&user=John+Doe&userId=w0&fullUserId=1234567w0&from=492111234567&to=4915791234567"
      "&direction=in&answeringNumber=21199999999");
  EXPECT_EQ(in.kind, Kind::kSpoken);
  EXPECT_EQ(in.caller.phone(), "+492111234567");
  EXPECT_EQ(in.extensions.front(), "w0");
  const CallEvent out = Read(
      "event=answer&callId=123456&from=492111234567&to=4915791234567&direction=out&answeringNumber=4915791234567");
  EXPECT_EQ(out.kind, Kind::kSpoken);
  EXPECT_EQ(out.caller.phone(), "+4915791234567");
}

TEST_F(SipgateTest, WhomTheVoicemailAnsweredHasReachedNobody) {
  const CallEvent event = Read(
      "event=answer&callId=123456&user=voicemail&from=492111234567&to=4915791234567&direction=in&answeringNumber=voicemail");
  EXPECT_EQ(event.kind, Kind::kMissed);
}

TEST_F(SipgateTest, ADialThatReachedNobodyIsOne) {
  EXPECT_EQ(Read(Hangup("out", "busy")).outcome, api::ATTEMPT_OUTCOME_BUSY);
  EXPECT_EQ(Read(Hangup("out", "cancel")).outcome, api::ATTEMPT_OUTCOME_NO_ANSWER);
  EXPECT_EQ(Read(Hangup("out", "noAnswer")).kind, Kind::kDialled);
}

TEST_F(SipgateTest, ColleaguesAreNoCallers) {
  for (const char* from : {"12", "1234567w0", "999999"}) {
    EXPECT_EQ(Read(std::string("event=hangup&cause=busy&callId=1&direction=in&to=4915791234567&from=") + from).kind,
              Kind::kNothing)
        << from;
  }
}

TEST_F(SipgateTest, AWithheldNumberStaysOne) {
  const CallEvent event = Read("event=hangup&cause=busy&callId=1&direction=in&to=4915791234567&from=anonymous");
  EXPECT_EQ(event.kind, Kind::kMissed);
  EXPECT_TRUE(IsWithheld(event.caller.phone()));
}

TEST_F(SipgateTest, WhatSipgateDoesNotSendNamesItsField) {
  const auto field_of = [&](const std::string& body) { return domain::DetailOf(ReadSipgate(Request(body)).status()).field; };
  EXPECT_EQ(field_of("event=ring"), "event");
  EXPECT_EQ(field_of(Hangup("sideways", "busy")), "direction");
  EXPECT_EQ(field_of(Hangup("in", "boredom")), "cause");
  EXPECT_EQ(field_of("event=hangup&cause=busy&direction=in&from=492111234567"), "callId");
  HookRequest request = Request(Hangup("in", "busy"));
  http_.content_type = "application/json";
  EXPECT_TRUE(absl::IsInvalidArgument(ReadSipgate(request).status()));
}

}  // namespace
}  // namespace ringback::web
