#include "web/hooks/twilio.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/domain/input.h"

namespace ringback::web {
namespace {

using Kind = CallEvent::Kind;
using testing::ElementsAre;

constexpr char kUrl[] = "https://calls.example.com/hooks/v1/rb_tk07abc/twilio";
constexpr char kToken[] = "0123456789abcdef0123456789abcdef";

class TwilioTest : public testing::Test {
 protected:
  // Signed as Twilio signs it, unless `sign` says otherwise.
  absl::StatusOr<CallEvent> TryRead(const std::string& body, std::string_view query = "", std::string sign = "yes") {
    http_.content_type = "application/x-www-form-urlencoded; charset=UTF-8";
    http_.body = body;
    const std::string url = query.empty() ? kUrl : std::string(kUrl) + "?" + std::string(query);
    if (sign == "yes") sign = TwilioSignature(url, *FormFields::Parse(http_.content_type, body), kToken);
    http_.twilio_signature = sign;
    return ReadTwilio(HookRequest{http_, query, kUrl, secret_, accept_unsigned_});
  }
  CallEvent Read(const std::string& body, std::string_view query = "") {
    const auto event = TryRead(body, query);
    EXPECT_TRUE(event.ok()) << event.status();
    return event.ok() ? *event : CallEvent();
  }
  static std::string ReasonOf(const absl::StatusOr<CallEvent>& event) {
    return event.ok() ? "" : domain::DetailOf(event.status()).reason;
  }
  // The action of <Dial> in a call that came in.
  static std::string Dial(const std::string& status) {
    return "AccountSid=AC123&ApiVersion=2010-04-01&CallSid=CA1234567890ABCDE&CallStatus=in-progress&Called=%2B4930987654"
           "&Caller=%2B4915112345678&DialCallSid=CA99&DialCallStatus=" + status +
           "&Direction=inbound&From=%2B4915112345678&To=%2B4930987654";
  }
  http::HttpRequest http_;
  std::string secret_ = kToken;
  bool accept_unsigned_ = false;
};

// The vector of Twilio's own helper libraries.
TEST_F(TwilioTest, SignsAsTwilioDoes) {
  const auto form = FormFields::ParseQuery(
      "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212&Caller=%2B14158675309");
  EXPECT_EQ(TwilioSignature("https://mycompany.com/myapp.php?foo=1&bar=2", *form, "12345"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  const auto twice = FormFields::ParseQuery("Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234");
  EXPECT_EQ(TwilioSignature("https://mycompany.com/myapp.php?foo=1&bar=2", *twice, "12345"), "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
}

TEST_F(TwilioTest, ADialThatNobodyTookIsAMissedCall) {
  for (const char* status : {"no-answer", "busy", "failed", "canceled"}) {
    const CallEvent event = Read(Dial(status), "extension=21");
    EXPECT_EQ(event.kind, Kind::kMissed) << status;
    EXPECT_EQ(event.caller.phone(), "+4915112345678");
    EXPECT_EQ(event.call_id, "CA1234567890ABCDE");
    EXPECT_THAT(event.extensions, ElementsAre("21", "+4930987654"));
  }
}

TEST_F(TwilioTest, ADialThatSomebodyTookIsAConversation) {
  EXPECT_EQ(Read(Dial("completed")).kind, Kind::kSpoken);
  EXPECT_EQ(Read(Dial("answered")).kind, Kind::kSpoken);
}

TEST_F(TwilioTest, TheStatusOfACallThatCameInTellsOfThoseThatTwimlNeverTook) {
  const auto status = [&](const std::string& word) {
    return Read("CallSid=CA1&Direction=inbound&From=%2B4915112345678&To=%2B4930987654&CallStatus=" + word).kind;
  };
  EXPECT_EQ(status("no-answer"), Kind::kMissed);
  EXPECT_EQ(status("busy"), Kind::kMissed);
  EXPECT_EQ(status("completed"), Kind::kNothing) << "TwiML took it: nobody knows who else did";
  EXPECT_EQ(status("ringing"), Kind::kNothing);
}

TEST_F(TwilioTest, TheStatusOfACallThatWentOutIsAnAttempt) {
  const auto status = [&](const std::string& word) {
    return Read("CallSid=CA1&Direction=outbound-api&From=%2B4930987654&To=%2B4915112345678&CallStatus=" + word);
  };
  EXPECT_EQ(status("completed").kind, Kind::kSpoken);
  EXPECT_EQ(status("completed").caller.phone(), "+4915112345678");
  EXPECT_EQ(status("busy").outcome, api::ATTEMPT_OUTCOME_BUSY);
  EXPECT_EQ(status("no-answer").kind, Kind::kDialled);
}

TEST_F(TwilioTest, ASoftphoneIsNoCaller) {
  EXPECT_EQ(Read("CallSid=CA1&Direction=inbound&From=client%3Aanna&To=%2B4930987654&DialCallStatus=busy").kind,
            Kind::kNothing);
}

TEST_F(TwilioTest, WithheldNumbersAreKnownByTheirDigits) {
  const CallEvent event = Read("CallSid=CA1&Direction=inbound&From=%2B266696687&To=%2B4930987654&DialCallStatus=busy");
  EXPECT_TRUE(IsWithheld(event.caller.phone()));
}

TEST_F(TwilioTest, WhatIsNotSignedWithTheTeamsSecretIsRefused) {
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "", "")), "NOT_SIGNED");
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "", "RSOYDt4T1cUTdK1PDd93/VVr8B8=")), "SIGNATURE_WRONG");
  const std::string good = http_.twilio_signature = TwilioSignature(
      kUrl, *FormFields::Parse("application/x-www-form-urlencoded", Dial("busy")), kToken);
  EXPECT_TRUE(TryRead(Dial("busy"), "", good).ok());
  EXPECT_EQ(ReasonOf(TryRead(Dial("completed"), "", good)), "SIGNATURE_WRONG") << "another body";
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "extension=22", good)), "SIGNATURE_WRONG") << "another address";
  secret_ = "another secret, long enough";
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "", good)), "SIGNATURE_WRONG");
}

TEST_F(TwilioTest, ASignatureOverTheAddressWithItsPortIsAsGood) {
  const std::string body = Dial("busy");
  const std::string with_port = TwilioSignature("https://calls.example.com:443/hooks/v1/rb_tk07abc/twilio",
                                                *FormFields::Parse("application/x-www-form-urlencoded", body), kToken);
  EXPECT_TRUE(TryRead(body, "", with_port).ok());
}

TEST_F(TwilioTest, WithoutASecretOnlyWhoeverSaysSoTakesUnsignedRequests) {
  secret_.clear();
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "", "")), "NO_SECRET");
  accept_unsigned_ = true;
  EXPECT_TRUE(TryRead(Dial("busy"), "", "").ok());
  secret_ = kToken;
  EXPECT_EQ(ReasonOf(TryRead(Dial("busy"), "", "")), "NOT_SIGNED") << "who has a secret means it";
}

TEST_F(TwilioTest, WhatTwilioDoesNotSendNamesItsField) {
  const auto field_of = [&](const std::string& body) { return domain::DetailOf(TryRead(body).status()).field; };
  EXPECT_EQ(field_of("Direction=inbound&CallStatus=busy"), "CallSid");
  EXPECT_EQ(field_of("CallSid=CA1&Direction=inbound"), "CallStatus");
  EXPECT_EQ(field_of("CallSid=CA1&Direction=inbound&DialCallStatus=odd"), "DialCallStatus");
}

}  // namespace
}  // namespace ringback::web
