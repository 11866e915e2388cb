#include "delivery/mailbox/mailboxes_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/temp_dir.h"

namespace ringback::delivery {
namespace {

using ::testing::HasSubstr;

constexpr char kGood[] =
    "[[mailbox]]\n"
    "name = \"sales\"\n"
    "url = \"imaps://mail.example.com\"\n"
    "user = \"callback@example.com\"\n"
    "password_file = \"/etc/password\"\n"
    "team = \"tm070000000000000\"\n";

class MailboxesFileTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<MailboxSettings>> Read(const std::string& text) {
    std::ofstream(file_) << text;
    return ReadMailboxes(file_);
  }
  std::string Error(const std::string& text) {
    const auto read = Read(text);
    EXPECT_TRUE(absl::IsInvalidArgument(read.status())) << read.status() << "\n" << text;
    return std::string(read.status().message());
  }

  const TempDir dir_;
  const std::string file_ = dir_.File("mailboxes.toml");
};

TEST_F(MailboxesFileTest, WhatIsLeftOutHasADefault) {
  const auto boxes = Read(kGood).value();
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].name, "sales");
  EXPECT_EQ(boxes[0].host, "mail.example.com");
  EXPECT_EQ(boxes[0].port, 993);
  EXPECT_TRUE(boxes[0].implicit_tls);
  EXPECT_EQ(boxes[0].folder, "INBOX");
  EXPECT_EQ(boxes[0].done_folder, "");
  EXPECT_EQ(boxes[0].first_days, 30);
  EXPECT_TRUE(Read("# nothing yet\n")->empty());
}

TEST_F(MailboxesFileTest, TheUrlSaysHostPortAndHowItIsProtected) {
  const auto read = [&](const std::string& url, const std::string& more = "") {
    return Read(absl::StrReplaceAll(kGood, {{"imaps://mail.example.com", url}}) + more).value()[0];
  };
  EXPECT_EQ(read("imaps://a:1").port, 1);
  EXPECT_EQ(read("imaps://[2001:db8::1]:9").host, "2001:db8::1");
  EXPECT_EQ(read("imaps://[2001:db8::1]").port, 993);
  EXPECT_EQ(read("imap://a/").port, 143);
  EXPECT_FALSE(read("imap://a").implicit_tls);
  EXPECT_TRUE(read("imap://a").start_tls) << "without it the password travels in clear";
  for (const char* const loopback : {"imap://127.0.0.1", "imap://localhost:1430", "imap://[::1]"}) EXPECT_FALSE(read(loopback).start_tls);
  EXPECT_FALSE(read("imap://a", "allow_plain = true\n").start_tls);
  EXPECT_TRUE(read("imap://localhost.example.com").start_tls);
}

TEST_F(MailboxesFileTest, AMistakeNamesFileLineAndWhatWouldBeRight) {
  const auto with = [](const std::string& from, const std::string& to) { return absl::StrReplaceAll(kGood, {{from, to}}); };
  const struct {
    std::string text, line, right;
  } kCases[] = {
      {std::string(kGood) + "usr = \"x\"\n", ":7: ", "unknown key usr; a mailbox has name, url, user"},
      {"[mailbox]\nname = \"x\"\n", ":1: ", "only [[mailbox]]"},
      {"mailboxes = 1\n", ":1: ", "only [[mailbox]] can stand here, not mailboxes"},
      {"mailbox = [1]\n", ":1: ", "only [[mailbox]]"},
      {"[[mailbox\n", ":1: ", ""},
      {with("name = \"sales\"\n", ""), ":1: ", "needs a name"},
      {with("url = \"imaps://mail.example.com\"\n", ""), ":1: ", "needs a url"},
      {with("team = \"tm070000000000000\"\n", ""), ":1: ", "needs a team"},
      {with("tm070000000000000", "sales"), ":6: ", "a team's id, which begins with tm"},
      {with("\"sales\"", "7"), ":2: ", "name must be a text in quotes"},
      {with("\"sales\"", "\"\""), ":2: ", "1 to 60"},
      {with("\"callback@example.com\"", "\"a\\r\\nr9 LOGOUT\""), ":4: ", "must not hold control characters"},
      {with("imaps://", "https://"), ":3: ", "must be imaps://host"},
      {with("mail.example.com", "user@mail.example.com"), ":3: ", "must be imaps://host"},
      {with("mail.example.com", "mail.example.com:0"), ":3: ", "must be imaps://host"},
      {with("mail.example.com", "mail.example.com/INBOX"), ":3: ", "must be imaps://host"},
      {with("mail.example.com", ""), ":3: ", "must be imaps://host"},
      {with("password_file = \"/etc/password\"\n", ""), ":1: ", "set one of password_file and token_command"},
      {std::string(kGood) + "token_command = \"x\"\n", ":1: ", "set one of password_file and token_command"},
      {std::string(kGood) + "allow_plain = \"yes\"\n", ":7: ", "must be true or false"},
      {std::string(kGood) + "first_days = \"30\"\n", ":7: ", "a whole number without quotes"},
      {std::string(kGood) + "first_days = -1\n", ":7: ", "0 to 3650"},
      {std::string(kGood) + "first_days = 99999999999999\n", ":7: ", "0 to 3650"},
      {std::string(kGood) + "done_folder = \"INBOX\"\n", ":7: ", "another than folder"},
      {std::string(kGood) + kGood, ":7: ", "there is another mailbox named \"sales\""},
  };
  for (const auto& each : kCases) {
    const std::string error = Error(each.text);
    EXPECT_THAT(error, HasSubstr(file_ + each.line)) << each.text;
    EXPECT_THAT(error, HasSubstr(each.right)) << each.text;
  }
  EXPECT_THAT(std::string(ReadMailboxes(dir_.File("none")).status().message()), HasSubstr("cannot read"));
}

TEST_F(MailboxesFileTest, TheExampleFileIsRightAsItIsAndWithItsCommentsTakenOff) {
  std::stringstream example;
  example << std::ifstream(RINGBACK_ROOT "/mailboxes.example.toml").rdbuf();
  ASSERT_FALSE(example.str().empty());
  EXPECT_TRUE(Read(example.str())->empty());
  std::string uncommented;
  for (std::string line; std::getline(example, line);) {
    const bool setting = line.rfind("# ", 0) == 0 && (line.find(" = ") != std::string::npos || line == "# [[mailbox]]");
    uncommented += (setting ? line.substr(2) : line) + "\n";
  }
  const auto boxes = Read(uncommented);
  ASSERT_TRUE(boxes.ok()) << boxes.status();
  ASSERT_EQ(boxes->size(), 2u);
  const MailboxSettings defaults;
  EXPECT_EQ((*boxes)[1].folder, defaults.folder);
  EXPECT_EQ((*boxes)[1].first_days, defaults.first_days);
  // Every key is explained: the two examples together hold them all.
  for (const char* const key : {"name", "url", "user", "password_file", "token_command", "ca_file", "allow_plain", "folder", "done_folder", "team",
                                "first_days"}) {
    EXPECT_THAT(example.str(), HasSubstr(absl::StrCat("\n# ", key, " = "))) << key;
  }
}

TEST_F(MailboxesFileTest, AReasonForTheLogHoldsNoUserAndNoSecondLine) {
  const auto box = Read(kGood).value()[0];
  EXPECT_EQ(WithoutUser("no mailbox of callback@example.com\r\n", box), "no mailbox of the user");
  EXPECT_LE(WithoutUser(std::string(10000, 'x'), box).size(), 300u);
  EXPECT_EQ(WithoutUser("Gel\xF6scht", box), "Gel?scht") << "a record holds UTF-8 or cannot be read";
}

}  // namespace
}  // namespace ringback::delivery
