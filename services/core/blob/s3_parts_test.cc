// What of S3 needs no server: addresses, the XML, the table of errors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/blob/s3_errors.h"
#include "core/blob/s3_options.h"
#include "core/blob/s3_xml.h"

namespace ringback::blob {
namespace {

using ::testing::HasSubstr;

TEST(S3Options, AddressesAreCheckedAndPutTogether) {
  S3Options options;
  ASSERT_TRUE(ParseS3Address("s3://takes/ringback/prod/", &options).ok());
  EXPECT_EQ(options.bucket, "takes");
  EXPECT_EQ(options.prefix, "ringback/prod");
  ASSERT_TRUE(ParseS3Address("s3://takes", &options).ok());
  EXPECT_EQ(options.prefix, "");
  for (const char* bad : {"s3:takes", "s3://", "s3://ab", "s3://Takes", "s3://a_b", "s3://takes//x", "s3://takes/X",
                          "s3://takes/../x", "s3://user@host/x", "s3://takes..x"}) {
    EXPECT_EQ(ParseS3Address(bad, &options).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  options.region = "eu-central-1";
  EXPECT_EQ(S3BucketUrl(options).value(), "https://takes.s3.eu-central-1.amazonaws.com");
  options.endpoint = "https://S3.example.com:8443/";
  EXPECT_EQ(S3BucketUrl(options).value(), "https://takes.s3.example.com:8443");
  options.path_style = true;
  EXPECT_EQ(S3BucketUrl(options).value(), "https://s3.example.com:8443/takes");
  EXPECT_FALSE(S3IsOnLoopback(options));
  options.endpoint = "http://s3.localhost:9000";
  EXPECT_TRUE(S3IsOnLoopback(options));
}

TEST(S3Options, WhatCannotWorkIsRefusedWithAWayOut) {
  S3Options options;
  ASSERT_TRUE(ParseS3Address("s3://my.takes", &options).ok());
  const auto refused = [&](const std::string& endpoint) {
    options.endpoint = endpoint;
    const auto url = S3BucketUrl(options);
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument) << endpoint;
    return std::string(url.status().message());
  };
  EXPECT_THAT(refused("http://s3.example.com"), HasSubstr("s3.allow_plain"));
  EXPECT_THAT(refused("http://localhost.example.com"), HasSubstr("s3.allow_plain"));
  EXPECT_THAT(refused("http://127.0.0.1.example.com"), HasSubstr("s3.allow_plain"));
  EXPECT_THAT(refused("https://10.0.0.7:9000"), HasSubstr("s3.path_style"));
  EXPECT_THAT(refused("http://[::1]:9000"), HasSubstr("s3.path_style"));
  EXPECT_THAT(refused("https://s3.example.com"), HasSubstr("s3.path_style"));
  for (const char* bad : {"s3.example.com", "ftp://s3.example.com", "https://s3.example.com/path", "https://user:pw@host"}) {
    EXPECT_THAT(refused(bad), HasSubstr("s3.endpoint must be")) << bad;
  }
  options.path_style = true;
  options.allow_plain = true;
  options.endpoint = "http://s3.example.com";
  EXPECT_EQ(S3BucketUrl(options).value(), "http://s3.example.com/my.takes");
}

TEST(S3Xml, AListIsRead) {
  const S3Page page = ParseS3List(R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>takes</Name><IsTruncated>true</IsTruncated>
<Contents><Key>07/a&amp;b</Key><LastModified>2026-11-24T09:00:00.250Z</LastModified><Size>4294967296</Size></Contents>
<Contents><Key>07/c</Key><LastModified>2026-11-24T09:00:01Z</LastModified><Size>0</Size></Contents>
</ListBucketResult>)").value();
  EXPECT_TRUE(page.truncated);
  ASSERT_EQ(page.objects.size(), 2u);
  EXPECT_EQ(page.objects[0].name, "07/a&b");
  EXPECT_EQ(page.objects[0].size, int64_t{1} << 32);
  EXPECT_EQ(absl::ToUnixMillis(page.objects[0].modified), 1795510800250);
  EXPECT_EQ(page.objects[1].size, 0);
}

TEST(S3Xml, WhatIsNoAnswerOfS3IsUnavailable) {
  for (const char* body : {"", "<html></html>", "<ListBucketResult>", "<Error><Code>X</Code></Error>",
                           "<ListBucketResult><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>",
                           "<ListBucketResult><Contents><LastModified>2026-11-24T09:00:01Z</LastModified></Contents></ListBucketResult>"}) {
    EXPECT_EQ(ParseS3List(body).status().code(), absl::StatusCode::kUnavailable) << body;
  }
  EXPECT_EQ(ParseS3UploadId("<InitiateMultipartUploadResult/>").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ParseS3Error("<html>").code, "");
}

TEST(S3Xml, PartsAreNumberedAndTheirTagsEscaped) {
  EXPECT_EQ(S3CompleteBody({"\"a\"", "<b>"}),
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><PartNumber>1</PartNumber>"
            "<ETag>\"a\"</ETag></Part><Part><PartNumber>2</PartNumber><ETag>&lt;b&gt;</ETag></Part>"
            "</CompleteMultipartUpload>");
}

TEST(S3Xml, UnfinishedUploadsAreReadPageByPage) {
  const S3Uploads page = ParseS3Uploads(R"(<ListMultipartUploadsResult><IsTruncated>true</IsTruncated>
<NextKeyMarker>07/x</NextKeyMarker><NextUploadIdMarker>u1</NextUploadIdMarker>
<Upload><Key>07/x</Key><UploadId>u1</UploadId><Initiated>2026-11-24T09:00:00Z</Initiated></Upload>
</ListMultipartUploadsResult>)").value();
  ASSERT_EQ(page.uploads.size(), 1u);
  EXPECT_EQ(page.uploads[0].upload_id, "u1");
  EXPECT_EQ(page.next_key, "07/x");
  EXPECT_EQ(ParseS3Uploads("<ListMultipartUploadsResult/>")->next_key, "");
}

TEST(S3Errors, TheTableTellsWhatPassesFromWhatMustBeMended) {
  struct Case {
    long http;
    const char* code;
    absl::StatusCode status;
    bool retry;
  };
  for (const Case& c : {Case{404, "NoSuchKey", absl::StatusCode::kNotFound, false},
                        Case{404, "NoSuchBucket", absl::StatusCode::kFailedPrecondition, false},
                        Case{404, "", absl::StatusCode::kFailedPrecondition, false},
                        Case{403, "AccessDenied", absl::StatusCode::kFailedPrecondition, false},
                        Case{403, "QuotaExceeded", absl::StatusCode::kResourceExhausted, false},
                        Case{403, "Unheard", absl::StatusCode::kFailedPrecondition, false},
                        Case{403, "RequestTimeTooSkewed", absl::StatusCode::kFailedPrecondition, false},
                        Case{301, "PermanentRedirect", absl::StatusCode::kFailedPrecondition, false},
                        Case{400, "Unheard", absl::StatusCode::kInternal, false},
                        Case{400, "RequestTimeout", absl::StatusCode::kUnavailable, true},
                        Case{429, "", absl::StatusCode::kUnavailable, true},
                        Case{500, "InternalError", absl::StatusCode::kUnavailable, true},
                        Case{503, "SlowDown", absl::StatusCode::kUnavailable, true},
                        Case{501, "NotImplemented", absl::StatusCode::kFailedPrecondition, false},
                        Case{507, "", absl::StatusCode::kResourceExhausted, false}}) {
    const std::string body = std::string("<Error><Code>") + c.code + "</Code><Message>said\nso</Message></Error>";
    const S3Failure failure = FailureOfAnswer({}, "get 07/x", c.http, c.code[0] == '\0' ? "" : body);
    EXPECT_EQ(failure.status.code(), c.status) << c.http << c.code;
    EXPECT_EQ(failure.retry, c.retry) << c.http << c.code;
    EXPECT_THAT(std::string(failure.status.message()), HasSubstr("get 07/x"));
    EXPECT_EQ(failure.status.message().find('\n'), absl::string_view::npos);
  }
  // Whoever else listens there, a web server say, refuses in its own words.
  for (const long http : {404, 405, 501}) {
    EXPECT_THAT(std::string(FailureOfAnswer({}, "put 07/x", http, "<html>").status.message()), HasSubstr("look at s3.endpoint"));
  }
}

}  // namespace
}  // namespace ringback::blob
