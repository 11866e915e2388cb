// Where blobs are on an S3 server, with which keys, and how long a call may take.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::blob {

struct S3Options {
  std::string bucket;
  std::string prefix;    // "" or "ringback/prod": every object's key is this, a slash, and the blob's name
  std::string endpoint;  // "https://s3.example.com", "http://127.0.0.1:9000"; "": AWS's own for the region
  std::string region = "us-east-1";
  bool path_style = false;  // https://host/bucket/key instead of https://bucket.host/key
  bool allow_plain = false;  // http beyond loopback
  std::string access_key;
  std::string secret_key;
  std::string session_token;  // of temporary keys; "": none
  // What errors call them, so that whoever reads one knows where to look.
  std::string access_key_source = "s3.access_key_file";
  std::string secret_key_source = "s3.secret_key_file";
  std::string ca_file;  // PEM; "": the system's

  absl::Duration connect_timeout = absl::Seconds(5);
  // A transfer that moves nothing for so long is broken off and tried again. Whole seconds.
  absl::Duration stall_timeout = absl::Seconds(10);
  // One call of the store with all its tries. It must fit a part of `part_bytes` on the slowest line.
  absl::Duration call_timeout = absl::Seconds(60);
  int tries_max = 5;
  // Before the second try, plus or minus half; doubled for each further one. A Retry-After beyond it is heeded.
  absl::Duration retry_wait = absl::Milliseconds(100);
  // Up to so many bytes go up as one object, more in parts of this size; what a writer holds in memory. S3 takes parts
  // of 5 MiB and more, at most 10,000 of them.
  size_t part_bytes = size_t{8} << 20;
  // An upload in parts that began so long ago (by the server's clock) has no living writer any more.
  absl::Duration left_over_age = absl::Hours(24);
};

// Fills bucket and prefix from "s3://bucket" or "s3://bucket/some/prefix". INVALID_ARGUMENT says what is right.
absl::Status ParseS3Address(const std::string& address, S3Options* options);

// The URL of the bucket without a slash at its end ("https://bucket.s3.eu-central-1.amazonaws.com",
// "http://127.0.0.1:9000/bucket"). INVALID_ARGUMENT for an endpoint that is no http or https address or has a path,
// plain http to another machine without allow_plain, and a style that the endpoint or the bucket's name cannot have.
absl::StatusOr<std::string> S3BucketUrl(const S3Options& options);

// Whether the server is on this machine, where no proxy leads.
bool S3IsOnLoopback(const S3Options& options);

}  // namespace ringback::blob
