// A real S3 server for tests: versitygw, as scripts/install-s3-server puts it into the build folder, with a folder below
// as its disk, on a free loopback port. It checks signatures and content hashes.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/test_peers.h"
#include "core/blob/s3_options.h"

namespace ringback::blob {

class S3Server {
 public:
  static constexpr char kAccessKey[] = "ringbacktest";
  static constexpr char kSecretKey[] = "S3cretOfTheTest/+=";
  static constexpr char kRegion[] = "eu-central-1";

  // With `tls` its certificate is for "localhost" and signed by itself: CaFile().
  explicit S3Server(bool tls = false);
  ~S3Server();
  void Start();
  void Kill() { child_.reset(); }
  int port() const { return port_; }

  // Options for a new, empty bucket, path style, with waits short enough for tests.
  S3Options NewBucket();
  std::string CaFile() const { return dir_.path() + "/cert.pem"; }
  // The folder that holds the bucket's objects.
  std::string FolderOf(const S3Options& options) const { return dir_.path() + "/disk/" + options.bucket; }
  // How many parts of uploads that are neither finished nor aborted lie on the disk.
  int PartsLeft(const S3Options& options) const;

 private:
  TempDir dir_;
  const int port_;
  const bool tls_;
  int buckets_ = 0;
  std::unique_ptr<Child> child_;
};

}  // namespace ringback::blob
