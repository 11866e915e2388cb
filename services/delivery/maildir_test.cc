// The Maildir transport on a real file system.
#include "delivery/maildir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/test_peers.h"

namespace ringback::delivery {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const Envelope kEnvelope{"bounce@muster.example", "mueller@example.com", "dl07.0@muster.example"};

size_t Count(const fs::path& folder) { return std::distance(fs::directory_iterator(folder), fs::directory_iterator()); }

class MaildirTest : public testing::Test {
 protected:
  MaildirTest() : folder_(dir_.path() + "/outbox"), transport_(*NewMaildirTransport(folder_)) {}
  SendOutcome Send(const std::string& mail, const Envelope& envelope = kEnvelope, const BeforeData& before = {}) {
    return transport_->Send(mail, envelope, absl::Seconds(5), before);
  }
  TempDir dir_;
  const std::string folder_;
  const std::unique_ptr<MailTransport> transport_;
};

TEST_F(MaildirTest, AMailIsOneFileInNewWithItsEnvelope) {
  const SendOutcome outcome = Send("Subject: x\r\n\r\nbody\r\n");
  ASSERT_EQ(outcome.result, SendResult::kAccepted) << outcome.reason;
  EXPECT_EQ(FileText(fs::path(folder_) / "new" / outcome.queue_id),
            "Return-Path: <bounce@muster.example>\nDelivered-To: mueller@example.com\nSubject: x\n\nbody\n");
  EXPECT_EQ(Count(folder_ + "/tmp"), 0u);
}

TEST_F(MaildirTest, ARepeatIsTheSameFileAndAnotherRecipientIsNot) {
  Send("first\r\n");
  Send("second\r\n");
  EXPECT_EQ(Count(folder_ + "/new"), 1u);
  Envelope other = kEnvelope;
  other.recipient = "anna@muster.example";
  Send("second\r\n", other);
  EXPECT_EQ(Count(folder_ + "/new"), 2u);
}

TEST_F(MaildirTest, AMailThatWasReadIsNotDeliveredASecondTime) {
  const std::string name = Send("first\r\n").queue_id;
  fs::rename(folder_ + "/new/" + name, folder_ + "/cur/" + name + ":2,RS");
  EXPECT_EQ(Send("first\r\n").result, SendResult::kAccepted);
  EXPECT_EQ(Count(folder_ + "/new"), 0u);
}

TEST_F(MaildirTest, TheHooksNoLeavesNothing) {
  const SendOutcome outcome = Send("x\r\n", kEnvelope, [] { return absl::AbortedError("lease lost"); });
  EXPECT_EQ(outcome.result, SendResult::kAborted);
  EXPECT_EQ(Count(folder_ + "/new"), 0u);
}

TEST_F(MaildirTest, AFullDiskIsTemporaryAndLeavesNothingHalfWritten) {
  // A limit on file sizes fails writes just as a full disk does, with EFBIG for ENOSPC.
  signal(SIGXFSZ, SIG_IGN);
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const SendOutcome full = Send(std::string(20000, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(full.result, SendResult::kTemporary);
  EXPECT_TRUE(full.transport_fault);
  EXPECT_EQ(Count(folder_ + "/tmp") + Count(folder_ + "/new"), 0u);
  EXPECT_EQ(Send(std::string(20000, 'x')).result, SendResult::kAccepted) << "recovers by itself";
}

TEST_F(MaildirTest, AFolderThatVanishedIsTemporary) {
  fs::remove_all(folder_);
  const SendOutcome outcome = Send("x\r\n");
  EXPECT_EQ(outcome.result, SendResult::kTemporary);
  EXPECT_TRUE(outcome.transport_fault);
}

TEST_F(MaildirTest, ErasureRemovesEveryCopyReadOrNotAndNothingElse) {
  Send("one\r\n");
  const std::string read = Send("two\r\n", {"", "anna@muster.example", kEnvelope.message_id}).queue_id;
  fs::rename(folder_ + "/new/" + read, folder_ + "/cur/" + read + ":2,S");
  Send("other\r\n", {"", "mueller@example.com", "dl08.0@muster.example"});
  ASSERT_TRUE(RemoveFromMaildir(folder_, {kEnvelope.message_id}).ok());
  EXPECT_EQ(Count(folder_ + "/new"), 1u);
  EXPECT_EQ(Count(folder_ + "/cur"), 0u);
  EXPECT_TRUE(RemoveFromMaildir(folder_ + "/nowhere", {kEnvelope.message_id}).ok());
}

TEST(Maildir, AFolderThatCannotBeMadeIsRefusedAtStart) {
  EXPECT_FALSE(NewMailTransport({.url = "maildir:/proc/nowhere/outbox"}).ok());
  EXPECT_EQ(NewMailTransport({.url = "maildir:"}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ringback::delivery
