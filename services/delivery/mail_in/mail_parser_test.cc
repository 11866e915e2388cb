#include "delivery/mail_in/mail_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace ringback::delivery {
namespace {

MailParserOptions With(const char* program) {
  MailParserOptions options;
  options.program = program;
  return options;
}

TEST(MailParserTest, TheWholeCorpusReadsInTheSandbox) {
  MailParser parser(With(RINGBACK_MAIL_PARSER));
  int mails = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RINGBACK_MAIL_TESTDATA "/mails")) {
    if (entry.path().extension() != ".eml") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    const auto mail = parser.Parse(bytes.str());
    ASSERT_TRUE(mail.ok()) << entry.path() << mail.status();
    const bool unreadable = entry.path().filename().string().find("unreadable") == 0;
    EXPECT_EQ(mail->kind == MailKind::kUnreadable, unreadable) << entry.path();
    for (const std::string& remark : mail->remarks) EXPECT_EQ(remark.find("reading it failed"), std::string::npos) << remark;
    ++mails;
  }
  EXPECT_GE(mails, 38);
  EXPECT_EQ(parser.ChildPids().size(), 1u);
}

TEST(MailParserTest, CharsetsAreThereThoughNoFileCanBeOpened) {
  MailParser parser(With(RINGBACK_MAIL_PARSER));
  for (const char* charset : {"iso-8859-15", "windows-1251", "koi8-r", "gb18030", "euc-kr", "iso-2022-jp", "utf-16", "big5"}) {
    const auto mail = parser.Parse(absl::StrCat("From: a@b.example\nSubject: s\nMIME-Version: 1.0\nContent-Type: text/plain; charset=", charset, "\n\nabcd\n"));
    ASSERT_TRUE(mail.ok());
    EXPECT_THAT(mail->remarks, testing::IsEmpty()) << charset;
  }
}

TEST(MailParserTest, WhateverTheChildDoesTheMailIsUnreadableAndTheNextOneReads) {
  MailParserOptions options = With(RINGBACK_MISBEHAVING_CHILD);
  MailParser misbehaving(options);
  for (const char* what : {"crash", "abort", "exit", "spin", "hog", "throw", "pid"}) {
    const auto mail = misbehaving.Parse(absl::StrCat("From: a@b.example\n\nplease ", what));
    ASSERT_TRUE(mail.ok()) << what << mail.status();
    EXPECT_EQ(mail->kind, MailKind::kUnreadable) << what;
    ASSERT_EQ(mail->remarks.size(), 1u) << what;
    EXPECT_THAT(mail->remarks[0], testing::HasSubstr("reading it failed")) << what;
  }
}

TEST(MailParserTest, AChildThatHangsCostsItsPatienceAndNoMore) {
  MailParserOptions options = With(RINGBACK_MISBEHAVING_CHILD);
  options.patience = absl::Milliseconds(300);
  MailParser misbehaving(options);
  const auto mail = misbehaving.Parse("From: a@b.example\n\nplease hang");
  ASSERT_TRUE(mail.ok()) << mail.status();
  EXPECT_EQ(mail->kind, MailKind::kUnreadable);
}

TEST(MailParserTest, WhatIsNotTheMailsFaultIsAskedAgainLater) {
  MailParser missing(With("/nonexistent/ringback-mail-parser"));
  EXPECT_EQ(missing.Parse("From: a@b.example\n\nHallo").status().code(), absl::StatusCode::kUnavailable);
  MailParser misbehaving(With(RINGBACK_MISBEHAVING_CHILD));
  EXPECT_EQ(misbehaving.Parse("From: a@b.example\n\nplease killed").status().code(), absl::StatusCode::kUnavailable);
}

TEST(MailParserTest, AMillionPartsUseUpTheLimitsAndLeaveTheHeaders) {
  MailParser parser(With(RINGBACK_MAIL_PARSER));
  std::string mail = "From: a@b.example\nTo: c@d.example\nSubject: viele\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n";
  for (int i = 0; i < 1'000'000; ++i) mail += "--b\n\n";
  const auto read = parser.Parse(mail);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->sender, "a@b.example");
  EXPECT_EQ(read->subject, "viele");
  EXPECT_THAT(read->remarks, testing::Not(testing::IsEmpty()));
  const auto next = parser.Parse("From: a@b.example\nSubject: s\n\nHallo");
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(next->text, "Hallo");
}

TEST(MailParserTest, FiftyMegabytesReadWithinTheLimits) {
  MailParser parser(With(RINGBACK_MAIL_PARSER));
  std::string mail = "From: a@b.example\nSubject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nGross.\n--b\n"
                     "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n";
  const std::string line = std::string(76, 'A') + "\n";
  while (mail.size() + 100 < 50 << 20) mail += line;
  mail += "--b--\n";
  const auto read = parser.Parse(mail);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->kind, MailKind::kReply);
  EXPECT_EQ(read->text, "Gross.");
  ASSERT_EQ(read->files.size(), 1u);
  EXPECT_EQ(read->files[0].drop_reason, "size");
}

}  // namespace
}  // namespace ringback::delivery
