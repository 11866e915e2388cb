// The IMAP adapter against servers that are played: those that can little, and those that behave badly. The real one is in
// tests/mailbox.
#include "delivery/mailbox/mailbox_imap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "core/base/mutex.h"
#include "core/base/test_peers.h"

namespace ringback::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// What the played server answers to a command, without its tag; nullopt: what a well-behaved one would. "" says nothing.
using Answers = std::function<std::optional<std::string>(const std::string& command, const std::string& tag)>;

class MailboxImapTest : public ::testing::Test {
 protected:
  MailboxImapTest() {
    signal(SIGPIPE, SIG_IGN);
    settings_.name = "sales";
    settings_.user = "callback@example.com";
    settings_.password_file = dir_.Write("password", "geheim \"quoted\\\"\n");
    chmod(settings_.password_file.c_str(), 0600);
  }

  void Serve(Answers answers, std::string greeting = "* OK ready\r\n") {
    server_ = std::make_unique<ScriptedServer>([this, answers, greeting](Peer& peer) { Talk(peer, answers, greeting); });
    settings_.host = "127.0.0.1";
    settings_.port = server_->port();
  }
  absl::StatusOr<std::unique_ptr<Mailbox>> Open(absl::Duration deadline = absl::Seconds(20)) {
    return OpenImapMailbox(settings_, nullptr, [this] { return stop_.load(); }, deadline);
  }
  // Opens and fetches message 7.
  absl::StatusOr<FetchedMail> FetchSeven(int64_t bytes_max = 50 << 20, absl::Duration deadline = absl::Seconds(20)) {
    auto mailbox = Open(deadline);
    if (!mailbox.ok()) return mailbox.status();
    return (*mailbox)->Fetch(7, bytes_max);
  }
  std::vector<std::string> Commands() {
    MutexLock lock(&mutex_);
    return commands_;
  }
  bool WasSaid(const std::string& part) {
    for (const std::string& command : Commands()) {
      if (absl::StrContains(command, part)) return true;
    }
    return false;
  }

  TempDir dir_;
  MailboxSettings settings_;
  std::string capabilities_ = "IMAP4rev1 AUTH=PLAIN SASL-IR MOVE UIDPLUS";
  std::atomic<bool> stop_{false};

 private:
  void Talk(Peer& peer, const Answers& answers, const std::string& greeting) {
    peer.Say(greeting);
    for (std::string line = peer.Line(); !peer.ended(); line = peer.Line()) {
      const std::pair<std::string, std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 1));
      const auto& [tag, command] = words;
      {
        MutexLock lock(&mutex_);
        commands_.push_back(command);
      }
      std::string answer = tag + " OK done\r\n";
      if (command == "CAPABILITY") answer = "* CAPABILITY " + capabilities_ + "\r\n" + answer;
      if (absl::StartsWith(command, "SELECT") || absl::StartsWith(command, "EXAMINE")) answer = "* OK [UIDVALIDITY 11] \r\n" + answer;
      if (answers != nullptr) {
        if (auto other = answers(command, tag)) answer = *other;
      }
      peer.Say(answer);
      if (absl::StartsWith(answer, "* BYE") || command == "LOGOUT") return;
    }
  }

  Mutex mutex_;
  std::vector<std::string> commands_ RB_GUARDED_BY(mutex_);
  std::unique_ptr<ScriptedServer> server_;
};

std::string Literal(const std::string& text) { return absl::StrCat("{", text.size(), "}\r\n", text); }

Answers OnFetch(std::string answer) {
  return [answer](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (absl::StartsWith(command, "UID FETCH")) return absl::StrReplaceAll(answer, {{"TAG", tag}});
    return std::nullopt;
  };
}

TEST_F(MailboxImapTest, AMessageIsReadWithoutMarkingItAndTheFolderIsOpenedToReadOnly) {
  Serve(OnFetch("* 1 FETCH (UID 3 FLAGS (\\Seen))\r\n* 2 FETCH (UID 7 RFC822.SIZE 5 BODY[]<0> " + Literal("A: b\n") + ")\r\nTAG OK\r\n"));
  const auto mail = FetchSeven();
  ASSERT_TRUE(mail.ok()) << mail.status();
  EXPECT_EQ(mail->raw, "A: b\n");
  EXPECT_EQ(mail->whole_bytes, 0);
  EXPECT_TRUE(WasSaid("BODY.PEEK[]"));
  EXPECT_TRUE(WasSaid("EXAMINE \"INBOX\""));
  EXPECT_FALSE(WasSaid("SELECT"));
  EXPECT_EQ(Commands().back(), "LOGOUT");
}

TEST_F(MailboxImapTest, ALargeMessageComesInPieces) {
  const std::string body(2'500'000, 'x');
  Serve([&](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (!absl::StartsWith(command, "UID FETCH")) return std::nullopt;
    const size_t at = std::stoul(command.substr(command.find('<') + 1));
    return absl::StrCat("* 1 FETCH (UID 7 RFC822.SIZE 999 BODY[]<", at, "> ", Literal(body.substr(at, 1 << 20)), ")\r\n", tag, " OK\r\n");
  });
  EXPECT_EQ(FetchSeven()->raw, body);
  const auto cut = FetchSeven(2'000'000);
  ASSERT_TRUE(cut.ok()) << cut.status();
  EXPECT_EQ(cut->raw, body.substr(0, 1 << 20)) << "whatever size the server claims";
  EXPECT_GT(cut->whole_bytes, 2'000'000);
}

TEST_F(MailboxImapTest, OfATooLargeMessageOnlyTheFirstPieceTravels) {
  const std::string piece(1 << 20, 'x');
  Serve(OnFetch("* 1 FETCH (UID 7 RFC822.SIZE 60000000 BODY[]<0> " + Literal(piece) + ")\r\nTAG OK\r\n"));
  const auto cut = FetchSeven();
  EXPECT_EQ(cut->raw.size(), piece.size());
  EXPECT_EQ(cut->whole_bytes, 60'000'000);
}

TEST_F(MailboxImapTest, NewUidsAreThoseBehindTheLastOne) {
  Serve([](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (command == "UID SEARCH UID 8:*") return "* SEARCH 7\r\n" + tag + " OK\r\n";  // the last one there is
    if (command == "UID SEARCH UID 1:7 UNDELETED SINCE 30-Nov-2026") return "* SEARCH 9 3 2 3\r\n" + tag + " OK\r\n";
    return std::nullopt;
  });
  auto mailbox = Open().value();
  EXPECT_EQ(mailbox->uid_validity(), 11u);
  EXPECT_THAT(mailbox->Uids({.after = 7}).value(), ElementsAre());
  const absl::Time day = absl::FromCivil(absl::CivilDay(2026, 12, 1), absl::UTCTimeZone());
  EXPECT_THAT(mailbox->Uids({.up_to = 7, .since = day, .deleted_too = false}).value(), ElementsAre(2, 3));
  EXPECT_THAT(mailbox->Uids({.after = UINT32_MAX}).value(), ElementsAre());
}

TEST_F(MailboxImapTest, AMoveIsACopyAndADeletionWhereTheServerCannotMove) {
  settings_.done_folder = "Gelöscht";
  const auto said = [&](const std::string& capabilities) {
    capabilities_ = capabilities;
    Serve(nullptr);
    EXPECT_TRUE(Open().value()->MoveToDone(7).ok());
    return std::vector<bool>{WasSaid("UID MOVE 7 \"Gel&APY-scht\""), WasSaid("UID COPY 7 \"Gel&APY-scht\""),
                             WasSaid("UID STORE 7 +FLAGS.SILENT (\\Deleted)"), WasSaid("UID EXPUNGE 7"), WasSaid("SELECT \"INBOX\"")};
  };
  // In this order: what was said stays said.
  EXPECT_THAT(said("IMAP4rev1 SASL-IR AUTH=PLAIN"), ElementsAre(false, true, true, false, true)) << "an expunge would take others' messages";
  EXPECT_THAT(said("IMAP4rev1 SASL-IR AUTH=PLAIN uidplus"), ElementsAre(false, true, true, true, true));
  EXPECT_THAT(said("IMAP4rev1 SASL-IR AUTH=PLAIN UIDPLUS MOVE"), ElementsAre(true, true, true, true, true));
}

TEST_F(MailboxImapTest, ARefusalIsTheServersWordAndTheTalkGoesOn) {
  settings_.done_folder = "Done";
  Serve([](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (absl::StartsWith(command, "UID MOVE")) return tag + " NO [TRYCREATE] callback@example.com has no such folder\r\n";
    return std::nullopt;
  });
  auto mailbox = Open().value();
  const absl::Status moved = mailbox->MoveToDone(7);
  EXPECT_TRUE(absl::IsFailedPrecondition(moved)) << moved;
  EXPECT_THAT(std::string(moved.message()), HasSubstr("cannot be moved to Done: [TRYCREATE] the user has no such folder"));
  EXPECT_TRUE(mailbox->Uids({}).ok());
}

TEST_F(MailboxImapTest, ALoginThatIsRefusedSaysWhy) {
  Serve([](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (absl::StartsWith(command, "AUTH") || absl::StartsWith(command, "LOGIN")) {
      return tag + " NO [AUTHENTICATIONFAILED] no, callback@example.com\r\n";
    }
    return std::nullopt;
  });
  const absl::Status status = Open().status();
  EXPECT_TRUE(absl::IsUnauthenticated(status)) << status;
  EXPECT_EQ(status.message(), "login refused: [AUTHENTICATIONFAILED] no, the user");
  chmod(settings_.password_file.c_str(), 0644);
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("chmod 600"));
}

TEST_F(MailboxImapTest, AMissingFolderAndAServerWithoutUidvalidityAreNamed) {
  Serve([](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (absl::StartsWith(command, "EXAMINE")) return tag + " NO Mailbox doesn't exist\r\n";
    return std::nullopt;
  });
  EXPECT_EQ(Open().status().message(), "the folder INBOX cannot be opened: Mailbox doesn't exist");
  Serve([](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (absl::StartsWith(command, "EXAMINE")) return tag + " OK\r\n";
    return std::nullopt;
  });
  EXPECT_THAT(std::string(Open().status().message()), HasSubstr("UIDVALIDITY"));
}

TEST_F(MailboxImapTest, WithoutStarttlsNothingSecretIsSaid) {
  capabilities_ = "IMAP4rev1 AUTH=PLAIN";
  Serve(nullptr);
  settings_.start_tls = true;
  const absl::Status status = Open().status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("STARTTLS"));
  EXPECT_FALSE(WasSaid("AUTH"));
  EXPECT_FALSE(WasSaid("LOGIN"));
}

TEST_F(MailboxImapTest, AServerThatSaysNothingIsLeftAtTheDeadline) {
  const auto silent = [](const std::string& when) {
    return [when](const std::string& command, const std::string& tag) -> std::optional<std::string> {
      if (absl::StartsWith(command, when)) return "";
      return std::nullopt;
    };
  };
  for (const char* const when : {"CAPABILITY", "AUTHENTICATE", "EXAMINE", "UID FETCH"}) {
    Serve(silent(when));
    const auto begin = std::chrono::steady_clock::now();
    const absl::Status status = FetchSeven(1 << 20, absl::Milliseconds(400)).status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << when << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("does not answer in time")) << when;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  }
  Serve(nullptr, "");
  EXPECT_TRUE(absl::IsUnavailable(Open(absl::Milliseconds(400)).status()));
}

TEST_F(MailboxImapTest, AWaitEndsWhenAskedToStop) {
  Serve([this](const std::string& command, const std::string& tag) -> std::optional<std::string> {
    if (!absl::StartsWith(command, "UID FETCH")) return std::nullopt;
    stop_ = true;
    return "";
  });
  EXPECT_TRUE(absl::IsCancelled(FetchSeven(1 << 20, absl::Minutes(5)).status()));
}

TEST_F(MailboxImapTest, AConnectionThatEndsInAMessageGivesNoHalfMessage) {
  for (const std::string answer : {"* 1 FETCH (UID 7 BODY[]<0> {1000}\r\nhalf of it", "* 1 FETCH (UID 7 BODY[]<0> {4}\r\nhalf",
                                    "* 1 FETCH (UID 7 BODY[]<0> {4}\r\nhalf)\r\n"}) {
    Serve([&](const std::string& command, const std::string& tag) -> std::optional<std::string> {
      if (!absl::StartsWith(command, "UID FETCH")) return std::nullopt;
      return answer + "\r\n* BYE shutting down\r\n";
    });
    auto mailbox = Open(absl::Milliseconds(500));
    ASSERT_TRUE(mailbox.ok());
    EXPECT_TRUE(absl::IsUnavailable((*mailbox)->Fetch(7, 1 << 20).status())) << answer;
    // What comes now would belong to the answer before.
    EXPECT_TRUE(absl::IsUnavailable((*mailbox)->Uids({}).status()));
  }
}

TEST_F(MailboxImapTest, WhatIsNoImapAndWhatHasNoEndIsLeft) {
  const std::string endless(40 << 20, 'x');
  for (const std::string& answer : {std::string("HTTP/1.1 400 Bad Request\r\n"), std::string("* 1 FETCH (UID 7 BODY[]<0> {99999999999}\r\n"),
                                    std::string("r99 OK someone else's\r\n"), std::string("+ go on\r\n"), endless,
                                    "* 1 FETCH (UID 7 BODY[]<0> " + Literal(std::string(2 << 20, 'x')) + ")\r\nTAG OK\r\n"}) {
    Serve(OnFetch(answer));
    const absl::Status status = FetchSeven().status();
    EXPECT_TRUE(absl::IsUnavailable(status)) << answer.substr(0, 60) << status;
  }
}

TEST_F(MailboxImapTest, AMessageThatIsGoneIsNotFound) {
  Serve(OnFetch("TAG OK nothing\r\n"));
  EXPECT_TRUE(absl::IsNotFound(FetchSeven().status()));
}

TEST_F(MailboxImapTest, NobodyThereIsSaidWithoutNumbersThatChange) {
  settings_.host = "127.0.0.1";
  settings_.port = FreePort();
  EXPECT_EQ(Open().status().message(), absl::StrCat("no connection to 127.0.0.1:", settings_.port, ": Connection refused"));
}

}  // namespace
}  // namespace ringback::delivery
