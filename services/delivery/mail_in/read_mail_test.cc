// testdata/mails: each NAME.eml with NAME.want: lines that must be among what was understood, and behind a blank line the
// new words. And what is too much for anybody.
#include "delivery/mail_in/read_mail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "delivery/mail_in/mail_signs.h"
#include "delivery/mail_in/mail_text.h"
#include "delivery/mail_in/mail_wire.h"
#include "delivery/mail_in/read_files.h"

namespace ringback::delivery {
namespace {

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

ParsedMail Read(std::string bytes, const MailLimits& limits = {}) {
  static const bool warm = [] {
    WarmUpMailReader();
    return true;
  }();
  (void)warm;
  return ReadMail(std::move(bytes), limits);
}

std::vector<std::string> Understood(const ParsedMail& mail) {
  static const char* const kKinds[] = {"", "reply", "automatic", "bounce", "calendar", "unreadable"};
  std::vector<std::string> lines = {absl::StrCat("kind: ", kKinds[static_cast<int>(mail.kind)]),
                                    absl::StrCat("sender: ", mail.sender),
                                    absl::StrCat("subject: ", mail.subject),
                                    absl::StrCat("message-id: ", mail.message_id),
                                    absl::StrCat("automatic: ", mail.automatic_sign),
                                    absl::StrCat("bounced-recipient: ", mail.bounce.recipient),
                                    absl::StrCat("bounced-status: ", mail.bounce.status),
                                    absl::StrCat("bounced-diagnostic: ", mail.bounce.diagnostic),
                                    absl::StrCat("bounced-message-id: ", mail.bounce.message_id),
                                    absl::StrCat("bounced: ", mail.bounce.permanent ? "for good" : "still tried"),
                                    absl::StrCat("calendar-uid: ", mail.calendar.uid),
                                    absl::StrCat("calendar-participation: ", mail.calendar.participation)};
  for (const std::string& one : mail.recipients) lines.push_back("recipient: " + one);
  for (const std::string& one : mail.in_reply_to) lines.push_back("in-reply-to: " + one);
  for (const std::string& one : mail.remarks) lines.push_back("remark: " + one);
  for (const MailFile& file : mail.files) {
    lines.push_back(file.drop_reason.empty() ? absl::StrCat("file: ", file.file_name, " (", file.media_type, ")")
                                             : absl::StrCat("file: ", file.file_name, " dropped: ", file.drop_reason));
  }
  return lines;
}

TEST(ReadMailTest, EveryMailOfTheCorpusIsUnderstood) {
  int mails = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RINGBACK_MAIL_TESTDATA "/mails")) {
    if (entry.path().extension() != ".eml") continue;
    SCOPED_TRACE(entry.path().filename());
    const std::string bytes = Contents(entry.path());
    std::filesystem::path want_path = entry.path();
    const std::string want = Contents(want_path.replace_extension(".want"));
    ASSERT_FALSE(want.empty());
    std::string dos;
    for (const char c : bytes) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (const std::string& form : {bytes, dos}) {
      // A binary file is no text, whose line ends a mail server would change.
      if (form == dos && want.find("unreadable") != std::string::npos) continue;
      const ParsedMail mail = Read(form);
      const size_t blank = want.find("\n\n");
      const auto understood = Understood(mail);
      for (const absl::string_view line : absl::StrSplit(absl::string_view(want).substr(0, blank), '\n', absl::SkipEmpty())) {
        EXPECT_THAT(understood, testing::Contains(std::string(line)));
      }
      if (blank != std::string::npos) {
        EXPECT_EQ(mail.text + "\n", want.substr(blank + 2));
      }
      const auto again = DecodeMail(EncodeMail(mail));
      ASSERT_TRUE(again.ok()) << again.status();
      EXPECT_EQ(EncodeMail(*again), EncodeMail(mail));
    }
    ++mails;
  }
  EXPECT_GE(mails, 38);
}

const char* const kHead = "From: a@b.example\nTo: c@d.example\nSubject: s\nMessage-ID: <m@b.example>\nDate: x\nMIME-Version: 1.0\n";

TEST(ReadMailTest, WhatIsDeeperThanTwentyIsCutAndSaid) {
  std::string mail = kHead;
  for (int i = 0; i < 10000; ++i) absl::StrAppend(&mail, "Content-Type: multipart/mixed; boundary=b", i, "\n\n--b", i, "\n");
  mail += "Content-Type: text/plain\n\ntief\n";
  const ParsedMail read = Read(mail);
  EXPECT_EQ(read.kind, MailKind::kReply);
  EXPECT_EQ(read.sender, "a@b.example");
  EXPECT_THAT(read.remarks, testing::ElementsAre("its parts are nested deeper than 20; what is deeper was not read"));
}

TEST(ReadMailTest, WhatStandsAboveTheDepthIsKept) {
  std::string mail = absl::StrCat(kHead, "Content-Type: multipart/mixed; boundary=top\n\n--top\nContent-Type: text/plain\n\nMein Anliegen.\n--top\n");
  for (int i = 0; i < 30; ++i) absl::StrAppend(&mail, "Content-Type: multipart/mixed; boundary=b", i, "\n\n--b", i, "\n");
  const ParsedMail read = Read(mail);
  EXPECT_EQ(read.text, "Mein Anliegen.");
  EXPECT_EQ(read.remarks.size(), 1u);
}

TEST(ReadMailTest, OfTenThousandPartsTheFirstHundredCount) {
  std::string mail = absl::StrCat(kHead, "Content-Type: multipart/mixed; boundary=b\n\n");
  for (int i = 0; i < 10000; ++i) absl::StrAppend(&mail, "--b\nContent-Type: text/plain\n\nTeil ", i, "\n");
  mail += "--b--\n";
  const ParsedMail read = Read(mail);
  EXPECT_NE(read.text.find("Teil 98"), std::string::npos);
  EXPECT_EQ(read.text.find("Teil 99"), std::string::npos);  // the multipart itself is one
  EXPECT_THAT(read.remarks, testing::ElementsAre("it has more than 100 parts; the rest was not read"));
}

TEST(ReadMailTest, AFloodOfHeadersIsCutAndTheBodyIsKept) {
  std::string mail = kHead;
  while (mail.size() < 5 << 20) mail += "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
  mail += "To: c+pg07h3k9x2m4q8w1h3k9x2m4q8w1ab@d.example\n\nHallo.\n";
  const ParsedMail read = Read(mail);
  EXPECT_EQ(read.text, "Hallo.");
  EXPECT_THAT(read.recipients, testing::ElementsAre("c@d.example"));
  EXPECT_THAT(read.remarks, testing::ElementsAre("its headers are longer than 64 KiB; the rest of them was not read"));
  // One header without an end.
  const ParsedMail endless = Read(std::string("From: a@b.example\nSubject: ") + std::string(3 << 20, 'x') + "\n\nHallo.\n");
  EXPECT_EQ(endless.sender, "a@b.example");
  EXPECT_EQ(endless.text, "Hallo.");
}

TEST(ReadMailTest, FilesAboveTheLimitAreNamedAndDropped) {
  const std::string pdf = absl::Base64Escape("%PDF-1.4 " + std::string(100000, 'x'));
  const std::string part = absl::StrCat("--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n", pdf, "\n");
  const std::string mail = absl::StrCat(kHead, "Content-Type: multipart/mixed; boundary=b\n\n", part, part, part, "--b--\n");
  MailLimits limits;
  limits.file_bytes_max = 90000;
  for (const MailFile& file : Read(mail, limits).files) {
    EXPECT_EQ(file.drop_reason, "size");
    EXPECT_EQ(file.bytes, "");
  }
  limits.file_bytes_max = 100009;
  limits.all_files_bytes_max = 250000;
  const ParsedMail read = Read(mail, limits);
  ASSERT_EQ(read.files.size(), 3u);
  EXPECT_EQ(read.files[1].bytes.size(), 100009u);
  EXPECT_EQ(read.files[2].drop_reason, "size");
}

TEST(ReadMailTest, AMailWithoutItsBodyKeepsItsHeaders) {
  MailLimits limits;
  limits.headers_only = true;
  const ParsedMail read = Read(absl::StrCat(kHead, "Content-Type: text/plain\n\nHallo.\n"), limits);
  EXPECT_EQ(read.kind, MailKind::kUnreadable);
  EXPECT_EQ(read.sender, "a@b.example");
  EXPECT_EQ(read.text, "");
}

TEST(ReadMailTest, LongWordsAreCutAndSaid) {
  std::string text;
  while (text.size() < 100 << 10) text += "Es geht um ein Wort nach dem anderen, ä.\n";
  const ParsedMail read = Read(absl::StrCat(kHead, "Content-Type: text/plain; charset=utf-8\n\n", text));
  EXPECT_LE(read.text.size(), 16u << 10);
  EXPECT_GT(read.text.size(), 15u << 10);
  EXPECT_EQ(read.remarks.size(), 1u);
  EXPECT_TRUE(IsCleanText(read.text));
}

TEST(ReadMailTest, AnyBeginningOfAMailReads) {
  for (const auto& entry : std::filesystem::directory_iterator(RINGBACK_MAIL_TESTDATA "/mails")) {
    if (entry.path().extension() != ".eml") continue;
    const std::string bytes = Contents(entry.path());
    for (size_t size = 0; size < bytes.size(); size += 37) Read(bytes.substr(0, size));
  }
}

TEST(MailWireTest, WhatAnotherProgramMightAnswerIsRefused) {
  ParsedMail mail = Read(std::string(kHead) + "\nHallo\n");
  const std::string good = EncodeMail(mail);
  EXPECT_TRUE(DecodeMail(good).ok());
  EXPECT_FALSE(DecodeMail("").ok());
  EXPECT_FALSE(DecodeMail(good + "x").ok());
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(DecodeMail(good.substr(0, size)).ok());
  mail.subject = "a\nBcc: x";
  EXPECT_FALSE(DecodeMail(EncodeMail(mail)).ok());
  mail.subject = "\xff";
  EXPECT_FALSE(DecodeMail(EncodeMail(mail)).ok());
  mail.subject = "s";
  mail.kind = static_cast<MailKind>(9);
  EXPECT_FALSE(DecodeMail(EncodeMail(mail)).ok());
  mail.kind = MailKind::kReply;
  mail.files.push_back({"a", "image/png", 5, "xx", ""});
  EXPECT_FALSE(DecodeMail(EncodeMail(mail)).ok());
}

TEST(ReadFilesTest, OnlyWhatItsBytesSayIsKept) {
  const std::string png = "\x89PNG\r\n\x1A\nrest", jpeg = "\xFF\xD8\xFF\xE0", heic = std::string("\0\0\0\x18", 4) + "ftypheic....";
  EXPECT_EQ(KeptType("image/png", "a.png", png), "image/png");
  EXPECT_EQ(KeptType("image/jpeg", "a.jpg", png), "");
  EXPECT_EQ(KeptType("image/jpg", "a.jpg", jpeg), "image/jpeg");
  EXPECT_EQ(KeptType("application/octet-stream", "Foto.JPG", jpeg), "image/jpeg");
  EXPECT_EQ(KeptType("application/octet-stream", "Foto.JPG", png), "");
  EXPECT_EQ(KeptType("application/octet-stream", "Foto", jpeg), "");
  EXPECT_EQ(KeptType("image/heic", "a.heic", heic), "image/heic");
  EXPECT_EQ(KeptType("image/heif", "a.heif", heic), "image/heif");
  EXPECT_EQ(KeptType("image/svg+xml", "a.svg", "<svg/>"), "");
  EXPECT_EQ(KeptType("text/html", "a.html", "<html>"), "");
  EXPECT_EQ(KeptType("application/pdf", "a.pdf", "\n\n%PDF-1.7"), "application/pdf");
  EXPECT_EQ(KeptType("application/pdf", "a.pdf", std::string(2000, ' ') + "%PDF-1.7"), "");
  EXPECT_EQ(CleanFileName("C:\\Users\\max\\foto.jpg"), "foto.jpg");
  EXPECT_EQ(CleanFileName("../../.bashrc"), "bashrc");
  EXPECT_EQ(CleanFileName("a\r\nb\x1b[0m"), "a b[0m");
  EXPECT_EQ(CleanFileName(""), "file");
}

}  // namespace
}  // namespace ringback::delivery
