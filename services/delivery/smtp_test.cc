// The SMTP transport against Postfix's smtp-sink, against a TLS server with login, and against a server that misbehaves
// to the letter of a script.
#include "delivery/smtp_curl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <barrier>
#include <memory>
#include <mutex>
#include <semaphore>
#include <set>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "core/base/test_peers.h"
#include "delivery/mail_message.h"

namespace ringback::delivery {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kDeadline = absl::Seconds(20);

class Sink {
 public:
  // Keeps the mails in `dir`, where it writes as nobody: a file each ("-d"), or all in one ("-D").
  explicit Sink(const TempDir& dir, const std::string& how = "-d") : Sink({how, dir.File("mail.")}) {
    std::filesystem::permissions(dir.path(), std::filesystem::perms::all);
  }
  explicit Sink(std::vector<std::string> options = {}) : port_(FreePort()) {
    std::vector<std::string> command = {"/usr/sbin/smtp-sink"};
    if (geteuid() == 0) command.insert(command.end(), {"-u", "nobody"});
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {absl::StrCat("127.0.0.1:", port_), "64"});
    child_ = std::make_unique<Child>(command, port_);
  }
  int port() const { return port_; }

 private:
  const int port_;
  std::unique_ptr<Child> child_;
};

std::unique_ptr<MailTransport> Transport(int port, MailTransportOptions options = {}) {
  if (!absl::StrContains(options.url, "://")) options.url = absl::StrCat("smtp://127.0.0.1:", port);
  absl::StatusOr<std::unique_ptr<MailTransport>> transport = NewMailTransport(options);
  EXPECT_TRUE(transport.ok()) << transport.status();
  return *std::move(transport);
}

const Envelope kEnvelope{"bounce+dl07@muster.example", "mueller@example.com", "dl07.0@muster.example"};
const std::string kMail = "Message-ID: <dl07.0@muster.example>\r\nSubject: x\r\n\r\n.\r\n..dots\r\nend\r\n";

SendOutcome SendTo(int port, const BeforeData& before = {}, absl::Duration deadline = kDeadline) {
  return Transport(port)->Send(kMail, kEnvelope, deadline, before);
}

TEST(Smtp, AMailArrivesByteForByteWithItsEnvelope) {
  TempDir dir;
  Sink sink(dir);
  const SendOutcome outcome = SendTo(sink.port());
  EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
  EXPECT_EQ(outcome.reply_code, 250);
  std::string dump;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) dump += FileText(entry.path());
  EXPECT_THAT(dump, HasSubstr("X-Mail-Args: <bounce+dl07@muster.example>"));
  EXPECT_THAT(dump, HasSubstr("X-Rcpt-Args: <mueller@example.com>"));
  EXPECT_THAT(dump, HasSubstr(absl::StrReplaceAll(kMail, {{"\r\n", "\n"}})));
}

TEST(Smtp, TheNullReturnPathIsSentAsSuch) {
  TempDir dir;
  Sink sink(dir);
  const SendOutcome outcome =
      Transport(sink.port())->Send(kMail, {"", "mueller@example.com", "id@example.com"}, kDeadline, {});
  EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
  std::string dump;
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) dump += FileText(entry.path());
  EXPECT_THAT(dump, HasSubstr("X-Mail-Args: <>"));
}

TEST(Smtp, TheServersWordDecidesAndIsKeptAsTheReason) {
  struct Case {
    std::vector<std::string> options;
    SendResult result;
    bool transport_fault;
    int code;
  };
  for (const Case& c : {
           Case{{"-f", "RCPT"}, SendResult::kPermanent, false, 500},
           Case{{"-f", "MAIL"}, SendResult::kPermanent, false, 500},
           Case{{"-f", "DATA"}, SendResult::kPermanent, false, 500},
           Case{{"-f", "."}, SendResult::kPermanent, false, 500},
           Case{{"-r", "RCPT"}, SendResult::kTemporary, false, 450},
           Case{{"-r", "."}, SendResult::kTemporary, false, 450},
           Case{{"-Q", "RCPT"}, SendResult::kTemporary, false, 421},
           Case{{"-Q", "."}, SendResult::kTemporary, false, 421},
           Case{{"-f", "CONNECT"}, SendResult::kTemporary, true, 500},
           Case{{"-f", "EHLO, HELO"}, SendResult::kTemporary, true, 500},
       }) {
    Sink sink(c.options);
    const SendOutcome outcome = SendTo(sink.port());
    EXPECT_EQ(outcome.result, c.result) << c.options[1] << ": " << outcome.reason;
    EXPECT_EQ(outcome.transport_fault, c.transport_fault) << c.options[1];
    EXPECT_EQ(outcome.reply_code, c.code) << c.options[1];
    EXPECT_THAT(outcome.reason, HasSubstr(absl::StrCat(c.code))) << c.options[1];
  }
}

TEST(Smtp, AConnectionLostBeforeTheFinalDotIsTemporary) {
  for (const char* command : {"CONNECT", "EHLO", "MAIL", "RCPT", "DATA"}) {
    Sink sink({"-q", command});
    const SendOutcome outcome = SendTo(sink.port());
    EXPECT_EQ(outcome.result, SendResult::kTemporary) << command << ": " << outcome.reason;
    EXPECT_TRUE(outcome.transport_fault) << command;
  }
}

TEST(Smtp, AConnectionLostAfterTheFinalDotIsUnknown) {
  Sink sink({"-q", "."});
  const SendOutcome outcome = SendTo(sink.port());
  EXPECT_EQ(outcome.result, SendResult::kUnknown) << outcome.reason;
}

TEST(Smtp, ADeadlineThatPassesAfterTheFinalDotIsUnknown) {
  Sink sink({"-W", ".:30"});
  const SendOutcome outcome = SendTo(sink.port(), {}, absl::Seconds(1));
  EXPECT_EQ(outcome.result, SendResult::kUnknown) << outcome.reason;
}

TEST(Smtp, ADeadlineThatPassesBeforeDataIsTemporary) {
  Sink sink({"-W", "RCPT:30"});
  const SendOutcome outcome = SendTo(sink.port(), {}, absl::Seconds(1));
  EXPECT_EQ(outcome.result, SendResult::kTemporary) << outcome.reason;
}

TEST(Smtp, NobodyListeningIsAFaultOfTheTransport) {
  const SendOutcome outcome = SendTo(FreePort());
  EXPECT_EQ(outcome.result, SendResult::kTemporary);
  EXPECT_TRUE(outcome.transport_fault);
  EXPECT_EQ(outcome.reply_code, 0);
}

TEST(Smtp, TheHookIsAskedAfterDataAndItsNoSendsNothing) {
  std::vector<std::string> said;
  bool dot = false;
  ScriptedServer server([&](Peer& peer) {
    peer.Say("220 hi\r\n");
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      if (line == ".") dot = true;
      said.push_back(line.substr(0, 4));
      peer.Say(line == "DATA" ? "354 go on\r\n" : "250 ok\r\n");
    }
  });
  int asked = 0;
  size_t said_when_asked = 0;
  {
    const SendOutcome outcome = SendTo(server.port(), [&]() -> absl::Status {
      ++asked;
      said_when_asked = said.size();
      return absl::AbortedError("the lease has gone");
    });
    EXPECT_EQ(outcome.result, SendResult::kAborted);
    EXPECT_EQ(outcome.reason, "the lease has gone");
  }
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(said_when_asked, 4u);
  EXPECT_THAT(said, testing::ElementsAre("EHLO", "MAIL", "RCPT", "DATA"));
  EXPECT_FALSE(dot);
}

TEST(Smtp, MultiLineRepliesAreReadWholeAndTheQueueIdIsFound) {
  ScriptedServer server([](Peer& peer) {
    peer.Say("220-welcome\r\n220 hi\r\n");
    bool data = false;
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      if (data && line != ".") continue;
      if (line == "DATA") {
        peer.Say("354 go on\r\n");
        data = true;
      } else if (data) {
        data = false;
        peer.Say("250-thank you\r\n250 2.0.0 Ok: queued as 4XyZ1\r\n");
      } else {
        peer.Say("250 ok\r\n");
      }
    }
  });
  const SendOutcome outcome = SendTo(server.port());
  EXPECT_EQ(outcome.result, SendResult::kAccepted);
  EXPECT_EQ(outcome.reason, "250-thank you 250 2.0.0 Ok: queued as 4XyZ1");
  EXPECT_EQ(outcome.queue_id, "4XyZ1");
}

TEST(Smtp, ConnectionsAreReusedAndAStaleOneIsReplacedUnnoticed) {
  int mails = 0;
  ScriptedServer server([&](Peer& peer) {
    peer.Say("220 hi\r\n");
    bool data = false;
    int here = 0;
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      if (data && line != ".") continue;
      if (absl::StartsWith(line, "MAIL") && here == 2) return;  // hangs up on the third mail of a connection
      if (data) ++mails, ++here;
      data = line == "DATA";
      peer.Say(data ? "354 go on\r\n" : "250 ok\r\n");
    }
  });
  {
    const std::unique_ptr<MailTransport> transport = Transport(server.port());
    for (int i = 0; i < 4; ++i) {
      const SendOutcome outcome = transport->Send(kMail, kEnvelope, kDeadline, {});
      EXPECT_EQ(outcome.result, SendResult::kAccepted) << i << ": " << outcome.reason;
    }
  }
  EXPECT_EQ(mails, 4);
  EXPECT_EQ(server.connections(), 2);
}

// A server that owes the answer to a first mail gives it when the next one is about to begin on the same connection.
TEST(Smtp, ALateAnswerIsNeverTakenForTheNextMails) {
  std::atomic<bool> first{true};
  ScriptedServer server([&](Peer& peer) {
    peer.Say("220 hi\r\n");
    bool data = false;
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      if (data && line != ".") continue;
      if (data && first.exchange(false)) {
        peer.Line();
        peer.Say("550 the first one was not wanted\r\n");
        return;
      }
      data = line == "DATA";
      peer.Say(data ? "354 go on\r\n" : "250 ok\r\n");
    }
  });
  {
    const std::unique_ptr<MailTransport> transport = Transport(server.port());
    EXPECT_EQ(transport->Send(kMail, kEnvelope, absl::Seconds(1), {}).result, SendResult::kUnknown);
    const SendOutcome next = transport->Send(kMail, kEnvelope, kDeadline, {});
    EXPECT_EQ(next.result, SendResult::kAccepted) << next.reason;
  }
  EXPECT_EQ(server.connections(), 2);
}

TEST(Smtp, AMailThatTheHookStoppedLeavesNoConnectionInItsMiddle) {
  std::binary_semaphore gone{0};
  ScriptedServer server([&](Peer& peer) {
    peer.Say("220 hi\r\n");
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      peer.Say(line == "DATA" ? "354 go on\r\n" : "250 ok\r\n");
    }
    gone.release();
  });
  const std::unique_ptr<MailTransport> transport = Transport(server.port());
  const auto no = [] { return absl::AbortedError("the lease has gone"); };
  EXPECT_EQ(transport->Send(kMail, kEnvelope, kDeadline, no).result, SendResult::kAborted);
  EXPECT_TRUE(gone.try_acquire_for(std::chrono::seconds(10)));
}

TEST(Smtp, AServerThatHangsDoesNotHoldUpTheShutdown) {
  std::atomic<bool> hangs{false};
  ScriptedServer server([&](Peer& peer) {
    peer.Say("220 hi\r\n");
    bool data = false;
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      if (hangs || (data && line != ".")) continue;
      data = line == "DATA";
      peer.Say(data ? "354 go on\r\n" : "250 ok\r\n");
    }
  });
  std::unique_ptr<MailTransport> transport = Transport(server.port());
  EXPECT_EQ(transport->Send(kMail, kEnvelope, kDeadline, {}).result, SendResult::kAccepted);
  hangs = true;
  const absl::Time begin = absl::Now();
  transport.reset();
  EXPECT_LT(absl::Now() - begin, kDeadline / 4);
}

TEST(Smtp, IdleConnectionsThatSomethingOnTheWayForgotCostOneDeadlineAndNotOneEach) {
  constexpr int kIdle = 3;
  std::atomic<int> number{0};
  std::atomic<bool> forgotten{false};
  ScriptedServer server(
      [&](Peer& peer) {
        const bool old = number++ < kIdle;
        peer.Say("220 hi\r\n");
        bool data = false;
        for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
          if ((old && forgotten) || (data && line != ".")) continue;
          data = line == "DATA";
          peer.Say(data ? "354 go on\r\n" : "250 ok\r\n");
        }
      },
      /*together=*/true);
  {
    const std::unique_ptr<MailTransport> transport = Transport(server.port());
    std::barrier<> all(kIdle);
    std::vector<std::thread> threads;
    for (int i = 0; i < kIdle; ++i) {
      threads.emplace_back([&] {
        const SendOutcome outcome = transport->Send(kMail, kEnvelope, kDeadline, [&] {
          all.arrive_and_wait();
          return absl::OkStatus();
        });
        EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(server.connections(), kIdle);
    forgotten = true;
    EXPECT_EQ(transport->Send(kMail, kEnvelope, absl::Seconds(1), {}).result, SendResult::kTemporary);
    const SendOutcome next = transport->Send(kMail, kEnvelope, kDeadline, {});
    EXPECT_EQ(next.result, SendResult::kAccepted) << next.reason;
  }
  EXPECT_EQ(server.connections(), kIdle + 1);
}

TEST(Smtp, ManyThreadsShareOneTransport) {
  TempDir dir;
  Sink sink(dir, "-D");
  const std::unique_ptr<MailTransport> transport = Transport(sink.port());
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const std::string mail = absl::StrCat("Subject: s\r\n\r\nmail-", t, "-", i, ";\r\n");
        const SendOutcome outcome = transport->Send(mail, kEnvelope, kDeadline, {});
        EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
        if (outcome.result == SendResult::kAccepted) ++accepted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 80);
  const std::string all = FileText(dir.File("mail."));
  for (int t = 0; t < 8; ++t) {
    for (int i = 0; i < 10; ++i) EXPECT_THAT(all, HasSubstr(absl::StrCat("mail-", t, "-", i, ";")));
  }
}

TEST(Smtp, AddressesWithLineBreaksNeverReachTheServer) {
  ScriptedServer server([](Peer&) {});
  const std::unique_ptr<MailTransport> transport = Transport(server.port());
  for (const Envelope& bad : {Envelope{"a@b.de", "c@d.de>\r\nRCPT TO:<evil@example.org", "i@d"},
                              Envelope{"a@b.de>\r\nX", "c@d.de", "i@d"}, Envelope{"a@b.de", "", "i@d"}}) {
    EXPECT_EQ(transport->Send(kMail, bad, kDeadline, {}).result, SendResult::kPermanent);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST(Smtp, AServerWithoutStarttlsIsRefusedWhereItIsRequired) {
  TempDir dir;
  Sink sink(dir);
  MailTransportOptions options;
  options.tls = SmtpTls::kRequire;
  const SendOutcome outcome = Transport(sink.port(), options)->Send(kMail, kEnvelope, kDeadline, {});
  EXPECT_EQ(outcome.result, SendResult::kTemporary);
  EXPECT_TRUE(outcome.transport_fault);
  EXPECT_THAT(outcome.reason, HasSubstr("STARTTLS"));
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

class SmtpTlsTest : public testing::TestWithParam<const char*> {
 protected:
  SmtpTlsTest() : port_(FreePort()) {
    const std::string openssl = absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -out ",
        cert(), " -keyout ", dir_.path(), "/key.pem 2>/dev/null");
    EXPECT_EQ(system(openssl.c_str()), 0);
    child_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/env", "python3", SMTP_TLS_PEER, absl::StrCat(port_), cert(),
                                 dir_.path() + "/key.pem", GetParam(), dir_.path() + "/log"},
        port_);
    options_.url = absl::StrCat(GetParam() == std::string("implicit") ? "smtps" : "smtp", "://localhost:", port_);
    options_.tls = SmtpTls::kRequire;
    options_.ca_file = cert();
    options_.user = "anna";
  }
  std::string cert() const { return dir_.path() + "/cert.pem"; }
  std::string Log() const { return FileText(dir_.path() + "/log"); }
  SendOutcome Send(MailTransport& transport) { return transport.Send(kMail, kEnvelope, kDeadline, {}); }

  TempDir dir_;
  const int port_;
  std::unique_ptr<Child> child_;
  MailTransportOptions options_;
};

TEST_P(SmtpTlsTest, SignsInWithAPasswordFromAFile) {
  options_.password_file = dir_.Write("password", "geheim\n");
  const SendOutcome outcome = Send(*Transport(port_, options_));
  EXPECT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason << Log();
  EXPECT_EQ(outcome.queue_id, "TLS1");
  EXPECT_THAT(Log(), HasSubstr("tls\nauth ok\nmail\n"));
}

TEST_P(SmtpTlsTest, SignsInWithATokenAndAsksForANewOneWhenItIsRefused) {
  // The first run prints a token that has expired, the second the right one.
  options_.token_command = absl::StrCat("n=$(cat ", dir_.path(), "/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > ",
                                        dir_.path(), "/n; echo tok-$n");
  const std::unique_ptr<MailTransport> transport = Transport(port_, options_);
  const SendOutcome refused = Send(*transport);
  EXPECT_EQ(refused.result, SendResult::kTemporary) << refused.reason;
  EXPECT_TRUE(refused.transport_fault);
  EXPECT_EQ(Send(*transport).result, SendResult::kAccepted) << Log();
  EXPECT_EQ(Send(*transport).result, SendResult::kAccepted) << Log();
  EXPECT_EQ(FileText(dir_.path() + "/n"), "2\n") << "the token is kept while it works";
}

TEST_P(SmtpTlsTest, AWrongPasswordSaysNothingAboutTheRecipient) {
  options_.password_file = dir_.Write("password", "falsch\n");
  const SendOutcome outcome = Send(*Transport(port_, options_));
  EXPECT_EQ(outcome.result, SendResult::kTemporary) << outcome.reason;
  EXPECT_TRUE(outcome.transport_fault);
  EXPECT_THAT(outcome.reason, HasSubstr("535"));
  EXPECT_THAT(outcome.reason, testing::Not(HasSubstr("falsch")));
}

TEST_P(SmtpTlsTest, ACertificateNobodyVouchesForIsRefused) {
  options_.password_file = dir_.Write("password", "geheim\n");
  options_.ca_file.clear();
  const SendOutcome outcome = Send(*Transport(port_, options_));
  EXPECT_EQ(outcome.result, SendResult::kTemporary);
  EXPECT_TRUE(outcome.transport_fault);
  EXPECT_THAT(Log(), testing::Not(HasSubstr("auth")));
}

TEST_P(SmtpTlsTest, AMissingPasswordFileOrFailingCommandIsAFaultOfTheTransport) {
  options_.password_file = dir_.path() + "/nothing";
  EXPECT_TRUE(Send(*Transport(port_, options_)).transport_fault);
  options_.password_file.clear();
  options_.token_command = "echo secret-output; exit 3";
  const SendOutcome outcome = Send(*Transport(port_, options_));
  EXPECT_TRUE(outcome.transport_fault);
  EXPECT_THAT(outcome.reason, testing::Not(HasSubstr("secret-output")));
}

INSTANTIATE_TEST_SUITE_P(Modes, SmtpTlsTest, testing::Values("starttls", "implicit"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Smtp, OptionsThatCannotWorkAreRefusedByName) {
  struct Case {
    MailTransportOptions options;
    const char* key;
  };
  std::vector<Case> cases(7);
  cases[0] = {{.url = "ftp://x"}, "mail.transport"};
  cases[1] = {{.url = "smtp://u:p@host:25"}, "mail.transport"};
  cases[2] = {{.url = "smtp://host/path"}, "mail.transport"};
  cases[3] = {{.url = "smtp://host", .user = "anna"}, "mail.password_file"};
  cases[4] = {{.url = "smtp://host", .password_file = "/x"}, "mail.user"};
  cases[5] = {{.url = "smtp://host", .user = "a", .password_file = "/x", .token_command = "y"}, "mail.token_command"};
  cases[6] = {{.url = "smtp://host", .hello_name = "a b"}, "mail.hello_name"};
  for (const Case& c : cases) {
    const absl::Status status = NewMailTransport(c.options).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.key;
    EXPECT_TRUE(absl::StartsWith(status.message(), c.key)) << status;
  }
}

}  // namespace
}  // namespace ringback::delivery
