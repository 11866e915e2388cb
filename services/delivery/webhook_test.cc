// Webhooks and SMS against a small scripted HTTP server.
#include "delivery/webhook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/test_peers.h"
#include "delivery/sms_gateway.h"

namespace ringback::delivery {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr absl::Duration kDeadline = absl::Seconds(20);
const char kSecret[] = "0123456789abcdef";

struct Request {
  std::string first_line;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// Answers each request with `answer`; what it saw is read after the client is done.
class HttpServer {
 public:
  explicit HttpServer(std::string answer)
      : answer_(std::move(answer)), server_([this](Peer& peer) {
          Request request;
          request.first_line = peer.Line();
          for (std::string line = peer.Line(); !line.empty(); line = peer.Line()) {
            const size_t colon = line.find(':');
            request.headers[absl::AsciiStrToLower(line.substr(0, colon))] = line.substr(colon + 2);
          }
          int size = 0;
          (void)absl::SimpleAtoi(request.headers["content-length"], &size);
          request.body = peer.Bytes(static_cast<size_t>(size));
          requests_.push_back(request);
          peer.Say(answer_);
        }) {}
  std::string url() const { return absl::StrCat("http://127.0.0.1:", server_.port(), "/hook"); }
  const std::vector<Request>& requests() const { return requests_; }

 private:
  const std::string answer_;
  std::vector<Request> requests_;
  ScriptedServer server_;
};

std::string Answer(int status, const std::string& headers = "", const std::string& body = "") {
  return absl::StrCat("HTTP/1.1 ", status, " X\r\nConnection: close\r\n", headers, "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

WebhookEvent Sample() {
  WebhookEvent event;
  event.id = "dl07abc";
  event.type = "callback.overdue";
  event.time = absl::FromUnixSeconds(1795435500);
  event.team_id = "tm07";
  event.callback_id = "cb07abc";
  event.title = "Überfällig: Herr Müller";
  event.text = "<!channel> & *fett* \"quote\"";
  event.facts = {{"caller", "Herr Müller"}, {"due", "2026-11-23T12:00:00Z"}};
  event.link_url = "https://ring.example/cb07abc";
  event.link_words = "Öffnen";
  return event;
}

class WebhookTest : public testing::Test {
 protected:
  SendOutcome Send(const std::string& url, const BeforeData& before = {}, absl::Duration deadline = kDeadline) {
    return WebhookSender(http_.get(), &clock_).Send({url, kSecret, WebhookFormat::kEvent}, Sample(), deadline, before);
  }
  FakeClock clock_{absl::FromUnixSeconds(1795435501)};
  const std::unique_ptr<HttpSender> http_ = NewHttpSender({.allow_private_addresses = true});
};

TEST_F(WebhookTest, AnEventIsPostedSignedAndTheReceiverCanTell) {
  HttpServer server(Answer(200, "", "thanks"));
  const SendOutcome outcome = Send(server.url());
  EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
  EXPECT_EQ(outcome.reply_code, 200);
  ASSERT_EQ(server.requests().size(), 1u);
  const Request& request = server.requests()[0];
  EXPECT_EQ(request.first_line, "POST /hook HTTP/1.1");
  EXPECT_EQ(request.headers.at("content-type"), "application/json; charset=utf-8");
  EXPECT_EQ(request.headers.at("ringback-event"), "callback.overdue");
  EXPECT_EQ(request.headers.at("ringback-delivery"), "dl07abc");
  const std::string signature = request.headers.at("ringback-signature");
  EXPECT_TRUE(VerifyWebhookSignature(kSecret, request.body, signature, clock_.Now()));
  EXPECT_FALSE(VerifyWebhookSignature("another secret 16", request.body, signature, clock_.Now()));
  EXPECT_FALSE(VerifyWebhookSignature(kSecret, request.body + " ", signature, clock_.Now()));
  EXPECT_FALSE(VerifyWebhookSignature(kSecret, request.body, signature, clock_.Now() + absl::Minutes(6)));
  EXPECT_FALSE(VerifyWebhookSignature(kSecret, request.body, "t=1795435500,v1=", clock_.Now()));
  const Json body = Json::parse(request.body);
  EXPECT_EQ(body["id"], "dl07abc");
  EXPECT_EQ(body["time"], "2026-11-23T12:05:00.000Z");
  EXPECT_EQ(body["data"]["caller"], "Herr Müller");
}

// The digest is what `openssl dgst -sha256 -hmac key` prints for "0." and the body.
TEST(WebhookSignature, IsHmacSha256OfMomentAndBody) {
  EXPECT_EQ(WebhookSignature("key", "The quick brown fox jumps over the lazy dog", absl::FromUnixSeconds(0)),
            "t=0,v1=8511f28f7a1949f0c42772b447d68b2daf760f5f0439a20a17e3b4e7cd395763");
}

TEST_F(WebhookTest, TheStatusDecidesTheOutcome) {
  struct Case { int status; const char* headers; SendResult result; int retry_after_s; };
  for (const Case& c : {Case{202, "", SendResult::kAccepted, 0}, Case{400, "", SendResult::kPermanent, 0},
                        Case{404, "", SendResult::kPermanent, 0}, Case{410, "", SendResult::kPermanent, 0},
                        Case{408, "", SendResult::kTemporary, 0},
                        Case{429, "Retry-After: 17\r\n", SendResult::kTemporary, 17},
                        Case{503, "Retry-After: 99999999\r\n", SendResult::kTemporary, 86400},
                        Case{500, "", SendResult::kTemporary, 0},
                        Case{302, "Location: http://127.0.0.1:1/\r\n", SendResult::kPermanent, 0}}) {
    HttpServer server(Answer(c.status, c.headers, "because"));
    const SendOutcome outcome = Send(server.url());
    EXPECT_EQ(outcome.result, c.result) << c.status;
    EXPECT_EQ(outcome.reply_code, c.status);
    EXPECT_EQ(outcome.retry_after, absl::Seconds(c.retry_after_s)) << c.status;
    EXPECT_FALSE(outcome.transport_fault);
    EXPECT_THAT(outcome.reason, HasSubstr("because"));
  }
}

TEST_F(WebhookTest, AnAnswerThatNeverComesIsUnknownAndNoConnectionIsTemporary) {
  HttpServer silent("");
  EXPECT_EQ(Send(silent.url()).result, SendResult::kUnknown);
  const SendOutcome nobody = Send(absl::StrCat("http://127.0.0.1:", FreePort(), "/"));
  EXPECT_EQ(nobody.result, SendResult::kTemporary);
  EXPECT_TRUE(nobody.transport_fault);
}

TEST_F(WebhookTest, AnEndlessAnswerIsCutAndItsStatusCounts) {
  HttpServer server(Answer(200, "", std::string(1 << 20, 'x')));
  const SendOutcome outcome = Send(server.url());
  EXPECT_EQ(outcome.result, SendResult::kAccepted);
  EXPECT_LE(outcome.reason.size(), 300u);
}

TEST_F(WebhookTest, TheHooksNoSendsNothing) {
  HttpServer server(Answer(200));
  EXPECT_EQ(Send(server.url(), [] { return absl::AbortedError("lease lost"); }).result, SendResult::kAborted);
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(WebhookTest, PrivateAddressesAreRefusedUnlessAllowed) {
  HttpServer server(Answer(200));
  const std::unique_ptr<HttpSender> strict = NewHttpSender({});
  for (const std::string& url : {server.url(), absl::StrCat("http://localhost:", 80, "/")}) {
    const SendOutcome outcome = strict->Post({.url = url, .body = "{}"}, kDeadline, {});
    EXPECT_EQ(outcome.result, SendResult::kPermanent) << outcome.reason;
    EXPECT_THAT(outcome.reason, HasSubstr("private"));
  }
  EXPECT_TRUE(server.requests().empty());
  EXPECT_EQ(Send("http://169.254.169.254/latest/meta-data").result, SendResult::kPermanent);
}

TEST(HttpAddress, EachAddressFallsOnTheRightSide) {
  for (const char* open :
       {"93.184.216.34", "172.32.0.1", "2606:2800:220:1::1", "100.128.0.1", "::ffff:93.184.216.34"}) {
    EXPECT_TRUE(IsAllowedAddress(open, false)) << open;
  }
  for (const char* inside : {"127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
                             "::1", "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(IsAllowedAddress(inside, false)) << inside;
    EXPECT_TRUE(IsAllowedAddress(inside, true)) << inside;
  }
  for (const char* never : {"0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "::", "fe80::1", "ff02::1",
                            "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:a00:1::", "2001::1",
                            "::10.0.0.1", "nonsense"}) {
    EXPECT_FALSE(IsAllowedAddress(never, true)) << never;
  }
}

TEST_F(WebhookTest, UrlsAndSecretsThatCannotWorkArePermanent) {
  for (const char* url : {"", "ftp://host/", "file:///etc/passwd", "host/path", "http://", "http://u:p@host/",
                          "http://host/\r\nX: y"}) {
    EXPECT_EQ(Send(url).result, SendResult::kPermanent) << url;
  }
  WebhookSender sender(http_.get(), &clock_);
  EXPECT_EQ(sender.Send({"http://127.0.0.1:1/", "short", WebhookFormat::kEvent}, Sample(), kDeadline, {}).result,
            SendResult::kPermanent);
}

TEST(WebhookBody, SlackGetsBlocksThatCannotPingAChannel) {
  const Json body = Json::parse(WebhookBody(WebhookFormat::kSlack, Sample()));
  EXPECT_EQ(body["text"], "Überfällig: Herr Müller\n&lt;!channel&gt; &amp; *fett* \"quote\"");
  EXPECT_EQ(body["blocks"][0]["text"]["text"], "Überfällig: Herr Müller");
  EXPECT_EQ(body["blocks"][2]["fields"][0]["text"], "*caller*\nHerr Müller");
  EXPECT_EQ(body["blocks"][3]["elements"][0]["url"], "https://ring.example/cb07abc");
  EXPECT_THAT(body.dump(), Not(HasSubstr("<!channel>")));
}

TEST(WebhookBody, TeamsGetsAnAdaptiveCard) {
  const Json body = Json::parse(WebhookBody(WebhookFormat::kTeams, Sample()));
  EXPECT_EQ(body["type"], "message");
  const Json& card = body["attachments"][0]["content"];
  EXPECT_EQ(body["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
  EXPECT_EQ(card["type"], "AdaptiveCard");
  EXPECT_EQ(card["body"][0]["text"], "Überfällig: Herr Müller");
  EXPECT_EQ(card["body"][2]["facts"][0]["value"], "Herr Müller");
  EXPECT_EQ(card["actions"][0]["url"], "https://ring.example/cb07abc");
}

TEST(WebhookBody, LongAndBrokenTextStaysValidJsonWithinTheLimits) {
  WebhookEvent event = Sample();
  event.title = std::string(139, 'x') + "üüü";
  event.text = std::string(10000, 'y');
  event.facts.assign(20, {"n\xff", std::string(5000, 'z')});
  for (WebhookFormat format : {WebhookFormat::kEvent, WebhookFormat::kSlack, WebhookFormat::kTeams}) {
    EXPECT_TRUE(Json::accept(WebhookBody(format, event)));
  }
  const Json slack = Json::parse(WebhookBody(WebhookFormat::kSlack, event));
  EXPECT_EQ(slack["blocks"][2]["fields"].size(), 10u);
}

class SmsTest : public testing::Test {
 protected:
  std::unique_ptr<SmsGateway> Gateway(const SmsGatewayOptions& options) {
    absl::StatusOr<std::unique_ptr<SmsGateway>> gateway = SmsGateway::Create(options, http_.get());
    EXPECT_TRUE(gateway.ok()) << gateway.status();
    return *std::move(gateway);
  }
  const std::unique_ptr<HttpSender> http_ = NewHttpSender({.allow_private_addresses = true});
  const Sms sms_{"dl07abc", "+4930123456", "Ihr Anruf: \"heute\" um 13:00 Uhr & mehr\nMüller"};
};

TEST_F(SmsTest, AJsonGatewayGetsItsBodyEscapedAndItsAuthorization) {
  HttpServer server(Answer(202));
  TempDir dir;
  const std::unique_ptr<SmsGateway> gateway =
      Gateway({.url = server.url(),
               .body = R"({"to":"{{to}}","from":"{{from}}","text":"{{text}}","ref":"{{id}}"})",
               .authorization_file = dir.Write("auth", "Bearer abc\n"),
               .from = "Muster"});
  const SendOutcome outcome = gateway->Send(sms_, kDeadline, {});
  EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
  const Request& request = server.requests().at(0);
  EXPECT_EQ(request.headers.at("authorization"), "Bearer abc");
  const Json body = Json::parse(request.body);
  EXPECT_EQ(body["to"], "+4930123456");
  EXPECT_EQ(body["text"], sms_.text);
  EXPECT_EQ(body["ref"], "dl07abc");
}

TEST_F(SmsTest, AFormGatewayGetsPercentEncoding) {
  HttpServer server(Answer(200));
  const std::unique_ptr<SmsGateway> gateway = Gateway({.url = absl::StrCat(server.url(), "?ref={{id}}"),
                                                       .body = "to={{to}}&text={{text}}",
                                                       .content_type = "application/x-www-form-urlencoded"});
  EXPECT_EQ(gateway->Send(sms_, kDeadline, {}).result, SendResult::kAccepted);
  EXPECT_EQ(server.requests().at(0).body,
            "to=%2B4930123456&text=Ihr%20Anruf%3A%20%22heute%22%20um%2013%3A00%20Uhr%20%26%20mehr%0AM%C3%BCller");
  EXPECT_EQ(server.requests().at(0).first_line, "POST /hook?ref=dl07abc HTTP/1.1");
}

TEST_F(SmsTest, WhatCannotBeSentIsPermanent) {
  HttpServer server(Answer(200));
  const std::unique_ptr<SmsGateway> gateway = Gateway({.url = server.url(), .body = "{{to}}{{text}}", .parts_max = 2});
  for (const Sms& bad : {Sms{"i", "030123456", "x"}, Sms{"i", "+49 30", "x"}, Sms{"i", "+4930123456", ""},
                         Sms{"i", "+4930123456", "\xff"}, Sms{"i", "+4930123456", std::string(307, 'x')}}) {
    EXPECT_EQ(gateway->Send(bad, kDeadline, {}).result, SendResult::kPermanent) << bad.to;
  }
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(SmsTest, ATemplateThatCannotWorkIsRefusedAtStart) {
  for (const SmsGatewayOptions& bad :
       {SmsGatewayOptions{.url = "https://x.example", .body = "{{to}}"},
        SmsGatewayOptions{.url = "https://x.example", .body = "{{to}}{{text}}{{number}}"},
        SmsGatewayOptions{.url = "https://x.example", .body = "{{to}}{{{text}}}"},
        SmsGatewayOptions{.url = "https://x.example", .body = "{{to}}{{text"},
        SmsGatewayOptions{.url = "x.example", .body = "{{to}}{{text}}"},
        SmsGatewayOptions{.url = "https://x.example", .body = "{{to}}{{text}}", .content_type = "text/xml"}}) {
    EXPECT_EQ(SmsGateway::Create(bad, http_.get()).status().code(), absl::StatusCode::kInvalidArgument) << bad.body;
  }
}

TEST(SmsParts, CountsAsThePhoneNetworkDoes) {
  EXPECT_EQ(SmsParts(""), 0);
  EXPECT_EQ(SmsParts(std::string(160, 'x')), 1);
  EXPECT_EQ(SmsParts(std::string(161, 'x')), 2);
  EXPECT_EQ(SmsParts(std::string(306, 'x')), 2);
  EXPECT_EQ(SmsParts(std::string(307, 'x')), 3);
  EXPECT_EQ(SmsParts(std::string(158, 'x') + "ü"), 1);   // in the GSM alphabet
  EXPECT_EQ(SmsParts(std::string(159, 'x') + "€"), 2);   // counts twice
  EXPECT_EQ(SmsParts(std::string(69, 'x') + "„"), 1);    // not in it: UCS-2
  EXPECT_EQ(SmsParts(std::string(70, 'x') + "„"), 2);
  EXPECT_EQ(SmsParts(std::string(69, 'x') + "😀"), 2);   // two UCS-2 units
}

}  // namespace
}  // namespace ringback::delivery
