#include "web/hooks/three_cx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "core/domain/input.h"

namespace ringback::web {
namespace {

using Kind = CallEvent::Kind;
using testing::ElementsAre;

// Bodies as three_cx_template.xml makes 3CX write them.
class ThreeCxTest : public testing::Test {
 protected:
  absl::StatusOr<CallEvent> TryRead(const std::string& body) {
    http_.content_type = "application/json";
    http_.body = body;
    return ReadThreeCx(HookRequest{http_, "", "", secret_, false});
  }
  CallEvent Read(const std::string& type, const std::string& number = "+4915112345678", const std::string& agent = "21") {
    const auto event = TryRead("{\"call_type\":\"" + type + "\",\"number\":\"" + number + "\",\"name\":\"Herr Müller\",\"agent\":\"" +
                               agent + "\",\"start\":\"2026-11-24T08:00:00Z\",\"end\":\"2026-11-24T08:03:10Z\"}");
    EXPECT_TRUE(event.ok()) << event.status();
    return event.ok() ? *event : CallEvent();
  }
  http::HttpRequest http_;
  std::string secret_;
};

TEST_F(ThreeCxTest, AMissedCallIsOne) {
  const CallEvent event = Read("Missed");
  EXPECT_EQ(event.kind, Kind::kMissed);
  EXPECT_EQ(event.caller.phone(), "+4915112345678");
  EXPECT_EQ(event.caller.name(), "Herr Müller");
  EXPECT_THAT(event.extensions, ElementsAre("21"));
  EXPECT_EQ(event.time, absl::FromCivil(absl::CivilSecond(2026, 11, 24, 8), absl::UTCTimeZone()));
}

TEST_F(ThreeCxTest, EveryMemberOfARingGroupReportsTheSameCall) {
  EXPECT_EQ(Read("Missed", "+4915112345678", "21").call_id, Read("Inbound", "+4915112345678", "22").call_id);
  EXPECT_NE(Read("Missed", "+4915112345678").call_id, Read("Missed", "+4915187654321").call_id);
}

TEST_F(ThreeCxTest, AConversationCountsByItsEnd) {
  const CallEvent event = Read("Inbound");
  EXPECT_EQ(event.kind, Kind::kSpoken);
  EXPECT_EQ(event.time, absl::FromCivil(absl::CivilSecond(2026, 11, 24, 8, 3, 10), absl::UTCTimeZone()));
  EXPECT_EQ(Read("Outbound").kind, Kind::kSpoken);
}

TEST_F(ThreeCxTest, ADialThatReachedNobodyIsOneByEitherName) {
  EXPECT_EQ(Read("Notanswered").kind, Kind::kDialled);
  EXPECT_EQ(Read("Unanswered").outcome, api::ATTEMPT_OUTCOME_NO_ANSWER);
}

TEST_F(ThreeCxTest, ColleaguesAreNoCallers) { EXPECT_EQ(Read("Missed", "104").kind, Kind::kNothing); }

TEST_F(ThreeCxTest, WhatIsNotFilledInMeansNothing) {
  const auto event = TryRead(
      "{\"call_type\":\"Missed\",\"number\":\"+4915112345678\",\"name\":\"+4915112345678\",\"agent\":\"[Agent]\",\"start\":\"\"}");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->caller.name(), "");
  EXPECT_TRUE(event->extensions.empty());
  EXPECT_EQ(event->call_id, "");
}

TEST_F(ThreeCxTest, ATeamsSecretMustBeShown) {
  secret_ = "sixteen bytes or more";
  const std::string body = "{\"call_type\":\"Missed\",\"number\":\"+4915112345678\"}";
  EXPECT_TRUE(absl::IsPermissionDenied(TryRead(body).status()));
  http_.hook_secret = "sixteen bytes or less";
  EXPECT_TRUE(absl::IsPermissionDenied(TryRead(body).status()));
  http_.hook_secret = secret_;
  EXPECT_TRUE(TryRead(body).ok());
}

TEST_F(ThreeCxTest, WhatThreeCxDoesNotSendNamesItsField) {
  EXPECT_EQ(domain::DetailOf(TryRead("{\"call_type\":\"Odd\"}").status()).field, "call_type");
  EXPECT_EQ(domain::DetailOf(TryRead("no json").status()).reason, "NOT_JSON");
}

TEST_F(ThreeCxTest, TheTemplateSendsWhatIsRead) {
  std::stringstream template_text, adapter_text;
  template_text << std::ifstream(RINGBACK_HOOKS_DIR "/three_cx_template.xml").rdbuf();
  adapter_text << std::ifstream(RINGBACK_HOOKS_DIR "/three_cx.cc").rdbuf();
  const std::string text = template_text.str(), adapter = adapter_text.str();
  const std::regex key("<Value Key=\"([a-z_]+)\"");
  int keys = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), key), end; at != end; ++at, ++keys) {
    EXPECT_NE(adapter.find("\"" + (*at)[1].str() + "\""), std::string::npos) << (*at)[1];
  }
  EXPECT_EQ(keys, 6);
}

}  // namespace
}  // namespace ringback::web
