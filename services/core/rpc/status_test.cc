#include "core/rpc/status.h"

#include <gtest/gtest.h>

#include "core/base/log.h"
#include "core/domain/input.h"
#include "core/rpc/server.h"
#include "core/rpc/trace.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace ringback::rpc {
namespace {

template <typename Detail>
Detail DetailIn(const grpc::Status& status) {
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  Detail found;
  for (const auto& detail : rich.details()) detail.UnpackTo(&found);
  return found;
}

TEST(StatusTest, AFieldsErrorNamesFieldReasonAndWhatWouldBeRight) {
  const auto status = ToGrpc(domain::InvalidField("caller.email", "EMAIL_INVALID", "must be name@example.com"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  const auto bad = DetailIn<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad.field_violations_size(), 1);
  EXPECT_EQ(bad.field_violations(0).field(), "caller.email");
  EXPECT_EQ(bad.field_violations(0).description(), "must be name@example.com");
  const auto info = DetailIn<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "EMAIL_INVALID");
  EXPECT_EQ(info.domain(), "ringback");
}

TEST(StatusTest, ThereAndBackIsTheSame) {
  for (const absl::Status& status :
       {absl::OkStatus(), absl::NotFoundError("cb07x is not there"),
        domain::InvalidField("caller.email", "EMAIL_INVALID", "must be name@example.com"),
        domain::FieldError(absl::StatusCode::kFailedPrecondition, "", "CLOSED", "the callback is closed"),
        RetryAfter(absl::ResourceExhaustedError("busy"), absl::Milliseconds(1500))}) {
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status) << status;
  }
}

TEST(StatusTest, WhatMayPassByItselfSaysWhenToTryAgain) {
  EXPECT_EQ(RetryAfterOf(FromGrpc(ToGrpc(absl::UnavailableError("gone")))), absl::Seconds(1));
  EXPECT_EQ(RetryAfterOf(FromGrpc(ToGrpc(absl::NotFoundError("no")))), std::nullopt);
}

TEST(StatusTest, InternalWordsStayInTheLogAndTheTraceLeadsThere) {
  const TraceScope trace("4bf92f3577b34da6a3ce929d0e0e4736");
  const auto status = ToGrpc(absl::InternalError("row 5 of table x"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(status.error_message().find("table x"), std::string::npos);
  EXPECT_EQ(status.error_details().find("table x"), std::string::npos);
  EXPECT_NE(status.error_message().find("4bf92f3577b34da6a3ce929d0e0e4736"), std::string::npos);
}

TEST(StatusTest, DetailsThatAreNoneAreIgnored) {
  EXPECT_EQ(FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "no", "\xff\xff")), absl::NotFoundError("no"));
}

TEST(TraceTest, ReadsWhatTheStandardAllows) {
  const std::string id = "4bf92f3577b34da6a3ce929d0e0e4736";
  EXPECT_EQ(TraceIdOf("00-" + id + "-00f067aa0ba902b7-01"), id);
  EXPECT_EQ(TraceIdOf("01-" + id + "-00f067aa0ba902b7-01-more"), id);
  for (const std::string& bad :
       {std::string(), "00-" + id + "-00f067aa0ba902b7-01-more", "ff-" + id + "-00f067aa0ba902b7-01",
        "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01", "00-" + id + "-00F067AA0BA902B7-01",
        std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"), "00-" + id + "-00f067aa0ba902b7-0"}) {
    EXPECT_EQ(TraceIdOf(bad), "") << bad;
  }
}

TEST(TraceTest, WhatItMakesItReads) {
  const auto random = NewSeededRandom(1);
  const std::string id = NewTraceId(*random);
  EXPECT_EQ(TraceIdOf(TraceParent(id, *random)), id);
}

TEST(PagingTest, PageSizes) {
  EXPECT_EQ(PageSize(0).value(), 50);
  EXPECT_EQ(PageSize(1).value(), 1);
  EXPECT_EQ(PageSize(500).value(), 500);
  EXPECT_EQ(PageSize(501).value(), 500);
  EXPECT_EQ(domain::DetailOf(PageSize(-1).status()).field, "page_size");
}

TEST(PagingTest, TokensAreOpaqueAndCheckedWhenTheyComeBack) {
  const std::string after("002026\x1f" "cb07\0x", 13);
  EXPECT_EQ(DecodePageToken(EncodePageToken(after)).value(), after);
  EXPECT_EQ(DecodePageToken("").value(), "");
  for (const char* bad : {"!", "a", "Zm9v=", "Zm9vZh", "ü"}) {
    EXPECT_EQ(domain::DetailOf(DecodePageToken(bad).status()).field, "page_token") << bad;
  }
}

}  // namespace
}  // namespace ringback::rpc
