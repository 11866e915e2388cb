// What goes wrong between ringback and a real S3 server, told to the letter by s3_faulty_peer.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/blob/s3_blobs.h"
#include "core/blob/s3_test_server.h"

namespace ringback::blob {
namespace {

using ::testing::HasSubstr;

class S3Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = new S3Server; }
  static void TearDownTestSuite() { delete server_; }

  S3Faults() : options_(server_->NewBucket()) {
    straight_ = OpenS3(options_).value();
    options_.call_timeout = absl::Seconds(20);
  }

  // A store whose requests meet `fault`: the first `count` of those that match `pattern`.
  BlobStore& Through(const std::string& fault, int count, const std::string& pattern) {
    const int port = FreePort();
    log_ = dir_.path() + "/log";
    gate_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/bin/env", "python3", S3_FAULTY_PEER, absl::StrCat(port),
                                 absl::StrCat(server_->port()), log_, fault, absl::StrCat(count), pattern},
        port);
    options_.endpoint = absl::StrCat("http://127.0.0.1:", port);
    blobs_ = OpenS3(options_).value();
    return *blobs_;
  }
  // Requests that came through and hold `text`.
  int Requests(const std::string& text) const {
    std::ifstream log(log_);
    int requests = 0;
    for (std::string line; std::getline(log, line);) requests += absl::StrContains(line, text) ? 1 : 0;
    return requests;
  }

  static S3Server* server_;
  TempDir dir_;
  S3Options options_;
  std::unique_ptr<BlobStore> straight_;  // to the server itself
  std::string log_;
  std::unique_ptr<Child> gate_;
  std::unique_ptr<BlobStore> blobs_;
};
S3Server* S3Faults::server_ = nullptr;

TEST_F(S3Faults, AskedToSlowDownItTriesAgain) {
  BlobStore& blobs = Through("answer:503:SlowDown", 3, "PUT");
  EXPECT_TRUE(blobs.Put("07/x", "x").ok());
  EXPECT_EQ(Requests("PUT"), 4);
  EXPECT_EQ(straight_->Get("07/x").value(), "x");
}

TEST_F(S3Faults, TriesAreBounded) {
  BlobStore& blobs = Through("answer:503:SlowDown", 1000, ".");
  const absl::Status put = blobs.Put("07/x", "x");
  EXPECT_EQ(put.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(put.message()), HasSubstr("SlowDown"));
  EXPECT_EQ(Requests("PUT"), options_.tries_max);
}

TEST_F(S3Faults, AnErrorWithoutWordsIsTriedAgainToo) {
  for (const char* status : {"500", "502", "504", "429"}) {
    EXPECT_TRUE(Through(absl::StrCat("answer:", status, ":"), 1, "GET").Get("07/none").status().code() ==
                absl::StatusCode::kNotFound)
        << status;
  }
}

TEST_F(S3Faults, AFullServerIsResourceExhaustedAtOnce) {
  BlobStore& blobs = Through("answer:507:", 1000, "PUT");
  EXPECT_EQ(blobs.Put("07/x", "x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Requests("PUT"), 1);
  EXPECT_EQ(Through("answer:403:QuotaExceeded", 1, "PUT").Put("07/x", "x").code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(S3Faults, ADeniedKeyIsToldWhatItNeeds) {
  const absl::Status put = Through("answer:403:AccessDenied", 1, "PUT").Put("07/x", "x");
  EXPECT_EQ(put.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(put.message()), HasSubstr("s3:PutObject"));
}

TEST_F(S3Faults, WhatIsNoS3ServerIsNamedAsSuch) {
  EXPECT_THAT(std::string(Through("html", 1000, ".").List("", "", 1).status().message()), HasSubstr("s3.endpoint"));
  const absl::Status got = Through("answer:404:", 1000, ".").Get("07/x").status();
  EXPECT_EQ(got.code(), absl::StatusCode::kFailedPrecondition) << "a recording is not gone because a stranger says so";
  EXPECT_THAT(std::string(got.message()), HasSubstr("s3.endpoint"));
}

TEST_F(S3Faults, ASlowAnswerEndsWithTheDeadline) {
  options_.call_timeout = absl::Milliseconds(300);
  BlobStore& blobs = Through("hang", 1000, ".");
  const absl::Time before = absl::Now();
  EXPECT_EQ(blobs.Put("07/x", "x").code(), absl::StatusCode::kUnavailable);
  const absl::Duration took = absl::Now() - before;
  EXPECT_GE(took, absl::Milliseconds(250));
  EXPECT_LT(took, absl::Seconds(5));
}

TEST_F(S3Faults, AStalledTransferIsTriedAgainBeforeTheDeadline) {
  options_.stall_timeout = absl::Seconds(1);
  BlobStore& blobs = Through("hang", 1, "PUT");
  EXPECT_TRUE(blobs.Put("07/x", "x").ok());
  EXPECT_EQ(Requests("PUT"), 2);
}

TEST_F(S3Faults, APutWhoseAnswerIsLostIsRepeatedWithoutHarm) {
  BlobStore& blobs = Through("lose-answer", 1, "PUT");
  EXPECT_TRUE(blobs.Put("07/x", "once").ok());
  EXPECT_EQ(Requests("PUT"), 2);
  EXPECT_EQ(straight_->Get("07/x").value(), "once");
  EXPECT_EQ(straight_->List("", "", 10).value().size(), 1u);
}

TEST_F(S3Faults, AnUploadWhoseCompletionIsLostIsKnownAsDone) {
  BlobStore& blobs = Through("lose-answer", 1, "^POST .*uploadId=");
  auto writer = blobs.Create("07/x").value();
  const std::string bytes(options_.part_bytes + 100, 'x');
  ASSERT_TRUE(writer->Append(bytes).ok());
  const absl::Status finished = writer->Finish();
  EXPECT_TRUE(finished.ok()) << finished;
  writer.reset();
  EXPECT_TRUE(straight_->Get("07/x").value() == bytes);
}

TEST_F(S3Faults, AnUploadThatSomebodyElseAbortedIsNotTakenForDone) {
  ASSERT_TRUE(straight_->Put("07/x", "old").ok());
  BlobStore& blobs = Through("answer:404:NoSuchUpload", 1000, "^POST .*uploadId=");
  auto writer = blobs.Create("07/x").value();
  ASSERT_TRUE(writer->Append(std::string(options_.part_bytes + 100, 'x')).ok());
  EXPECT_FALSE(writer->Finish().ok());
  writer.reset();
  EXPECT_EQ(server_->PartsLeft(options_), 0);
  EXPECT_EQ(straight_->Get("07/x").value(), "old");
}

TEST_F(S3Faults, ACompletionThatFailsBehindItsTwoHundredIsNoSuccess) {
  BlobStore& blobs = Through("answer:200:InternalError", 1, "^POST .*uploadId=");
  auto writer = blobs.Create("07/x").value();
  const std::string bytes(options_.part_bytes + 100, 'x');
  ASSERT_TRUE(writer->Append(bytes).ok());
  const absl::Status finished = writer->Finish();
  EXPECT_TRUE(finished.ok()) << finished;
  EXPECT_EQ(Requests("?uploadId="), 2) << "the first one's answer held an error";
  EXPECT_TRUE(straight_->Get("07/x").value() == bytes);
}

TEST_F(S3Faults, ATruncatedAnswerIsNotTakenForTheBlob) {
  const std::string bytes(100'000, 'x');
  ASSERT_TRUE(straight_->Put("07/x", bytes).ok());
  EXPECT_EQ(Through("cut-answer", 1, "GET").Get("07/x").value(), bytes);
  EXPECT_EQ(Through("cut-answer", 1000, "GET").Get("07/x").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Through("cut-answer", 1000, "GET").GetRange("07/x", 10, 1000).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(S3Faults, AByteFlippedOnTheWayUpIsNotStored) {
  const std::string bytes(100'000, 'x');
  EXPECT_TRUE(Through("flip-request", 1, "PUT").Put("07/x", bytes).ok());
  EXPECT_EQ(Requests("PUT"), 2);
  EXPECT_EQ(straight_->Get("07/x").value(), bytes);
  EXPECT_EQ(Through("flip-request", 1000, "PUT").Put("07/y", bytes).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(straight_->Get("07/y").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(S3Faults, AByteFlippedOnTheWayDownIsNotReturned) {
  const std::string bytes(100'000, 'x');
  ASSERT_TRUE(straight_->Put("07/x", bytes).ok());
  EXPECT_EQ(Through("flip-answer", 1, "GET").Get("07/x").value(), bytes);
  EXPECT_EQ(Through("flip-answer", 1000, "GET").Get("07/x").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace ringback::blob
