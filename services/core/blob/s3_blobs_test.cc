// Blobs on a real S3 server: the conformance suite in both styles of address, and what only a server can do: go away, come
// back, know no key or bucket.
#include "core/blob/s3_blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/blob/blob_conformance.h"
#include "core/blob/s3_test_server.h"

namespace ringback::blob {
namespace {

using ::testing::HasSubstr;

// One server for all tests of this program but those that kill theirs.
S3Server& SharedServer() {
  static S3Server server;
  return server;
}

class S3Harness : public BlobHarness {
 public:
  explicit S3Harness(S3Options options) : options_(std::move(options)), blobs_(OpenS3(options_).value()) {}
  BlobStore& blobs() override { return *blobs_; }
  std::unique_ptr<BlobStore> OpenAnother() override { return OpenS3(options_).value(); }
  size_t part_bytes() const override { return options_.part_bytes; }

 private:
  const S3Options options_;
  const std::unique_ptr<BlobStore> blobs_;
};

std::unique_ptr<BlobHarness> PathStyle() { return std::make_unique<S3Harness>(SharedServer().NewBucket()); }

std::unique_ptr<BlobHarness> VirtualHostStyleWithPrefix() {
  S3Options options = SharedServer().NewBucket();
  options.endpoint = absl::StrCat("http://s3.localhost:", SharedServer().port());
  options.path_style = false;
  options.prefix = "ringback/prod";
  return std::make_unique<S3Harness>(options);
}

INSTANTIATE_TEST_SUITE_P(S3PathStyle, BlobConformance, testing::Values(PathStyle));
INSTANTIATE_TEST_SUITE_P(S3VirtualHostStyle, BlobConformance, testing::Values(VirtualHostStyleWithPrefix));

// Both calls of a store whose options are wrong, so that an answer with and one without a body are seen.
void ExpectRefusal(const S3Options& options, const std::string& advice) {
  const auto blobs = OpenS3(options).value();
  for (const absl::Status& status : {blobs->Put("07/x", "x"), blobs->Get("07/x").status(), blobs->Size("07/x").status(),
                                     blobs->Delete("07/x"), blobs->List("", "", 10).status(), blobs->Check()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(advice));
  }
}

TEST(S3Blobs, AnUnknownAccessKeyIsNamedByItsSetting) {
  S3Options options = SharedServer().NewBucket();
  options.access_key = "nobody";
  ExpectRefusal(options, "look at s3.access_key_file");
  options.access_key_source = "AWS_ACCESS_KEY_ID";
  ExpectRefusal(options, "look at AWS_ACCESS_KEY_ID");
}

TEST(S3Blobs, AWrongSecretKeyIsNamedByItsSetting) {
  S3Options options = SharedServer().NewBucket();
  options.secret_key = "guess";
  ExpectRefusal(options, "look at s3.secret_key_file");
}

TEST(S3Blobs, AMissingBucketIsNoMissingBlob) {
  S3Options options = SharedServer().NewBucket();
  options.bucket = "elsewhere";
  ExpectRefusal(options, "there is no bucket elsewhere");
}

TEST(S3Blobs, AWrongRegionIsNamed) {
  S3Options options = SharedServer().NewBucket();
  options.region = "us-west-2";
  ExpectRefusal(options, "s3.region");
}

TEST(S3Blobs, OverTlsTheServersCertificateMustBeTrusted) {
  S3Server server(true);
  S3Options options = server.NewBucket();
  ExpectRefusal(options, "s3.ca_file");
  options.ca_file = server.CaFile();
  const auto blobs = OpenS3(options).value();
  EXPECT_TRUE(blobs->Put("07/x", "x").ok());
  EXPECT_EQ(blobs->Get("07/x").value_or(""), "x");
  options.ca_file = "/nowhere.pem";
  ExpectRefusal(options, "s3.ca_file");
}

TEST(S3Blobs, PrefixesKeepStoresInOneBucketApart) {
  S3Options options = SharedServer().NewBucket();
  options.prefix = "a";
  const auto one = OpenS3(options).value();
  options.prefix = "a/b";
  const auto two = OpenS3(options).value();
  ASSERT_TRUE(one->Put("07/x", "one").ok());
  EXPECT_EQ(two->Get("07/x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(two->List("", "", 10).value().empty());
  EXPECT_EQ(one->List("", "", 10).value()[0].name, "07/x");
}

TEST(S3Blobs, ListsMoreThanAPageHolds) {
  const S3Options options = SharedServer().NewBucket();
  const std::string folder = SharedServer().FolderOf(options) + "/07";
  std::filesystem::create_directory(folder);
  for (int i = 0; i < 2100; ++i) std::ofstream(absl::StrCat(folder, "/", 10000 + i)) << "x";
  std::ofstream(folder + "/NOT-OURS") << "x";
  const auto blobs = OpenS3(options).value();
  const std::vector<BlobInfo> all = blobs->List("", "", 10000).value();
  ASSERT_EQ(all.size(), 2100u);
  for (int i = 0; i < 2100; ++i) EXPECT_EQ(all[i].name, absl::StrCat("07/", 10000 + i));
  EXPECT_EQ(blobs->List("", "07/10999", 1050).value().size(), 1050u);
}

TEST(S3Blobs, AnAbandonedUploadLeavesNoParts) {
  const S3Options options = SharedServer().NewBucket();
  const auto blobs = OpenS3(options).value();
  auto writer = blobs->Create("07/x").value();
  ASSERT_TRUE(writer->Append(std::string(3 * options.part_bytes, 'x')).ok());
  EXPECT_GE(SharedServer().PartsLeft(options), 2);
  writer.reset();
  EXPECT_EQ(SharedServer().PartsLeft(options), 0);
}

TEST(S3Blobs, PartsOfADeadProcessGoOnceTheyAreOldAndThoseOfTheLivingStay) {
  S3Options options = SharedServer().NewBucket();
  options.prefix = "ours";
  const auto blobs = OpenS3(options).value();
  const std::string bytes(options.part_bytes + 10, 'x');
  const pid_t child = fork();
  if (child == 0) {
    const auto theirs = OpenS3(options).value();
    const auto writer = theirs->Create("07/theirs").value();
    _exit(writer->Append(bytes).ok() ? 0 : 1);  // no destructor runs: a crash
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  ASSERT_EQ(SharedServer().PartsLeft(options), 1);
  EXPECT_TRUE(blobs->RemoveLeftOvers().ok());
  EXPECT_EQ(SharedServer().PartsLeft(options), 1) << "a day has not passed";
  options.left_over_age = absl::ZeroDuration();
  options.prefix = "others";
  EXPECT_TRUE(OpenS3(options).value()->RemoveLeftOvers().ok());
  EXPECT_EQ(SharedServer().PartsLeft(options), 1) << "not ours to remove";
  options.prefix = "ours";
  const absl::Status removed = OpenS3(options).value()->RemoveLeftOvers();
  EXPECT_TRUE(removed.ok()) << removed;
  EXPECT_EQ(SharedServer().PartsLeft(options), 0);
}

// Kilobytes that this process has held at most since the last ResetPeak.
long PeakKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmHWM:") {
      status >> word;
      return std::stol(word);
    }
  }
  return 0;
}
void ResetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }  // proc(5)

TEST(S3Blobs, MemoryStaysAtAFewPartsHoweverLongTheRecording) {
  S3Options options = SharedServer().NewBucket();
  options.part_bytes = size_t{8} << 20;
  const auto blobs = OpenS3(options).value();
  const std::string chunk(1 << 20, 'x');
  ASSERT_TRUE(blobs->Put("07/warm", chunk).ok());
  ResetPeak();
  const long before = PeakKilobytes();
  auto writer = blobs->Create("07/x").value();
  for (int i = 0; i < 128; ++i) ASSERT_TRUE(writer->Append(chunk).ok());
  ASSERT_TRUE(writer->Finish().ok());
  writer.reset();
  const long grown = PeakKilobytes() - before;
  EXPECT_GT(before, 0);
  EXPECT_LT(grown, 2 * 8 * 1024 + 2048) << "KiB for a writer of 8 MiB parts";
  RecordProperty("grown_kib", static_cast<int>(grown));
  EXPECT_EQ(blobs->Size("07/x").value(), int64_t{128} << 20);
  EXPECT_EQ(blobs->GetRange("07/x", (int64_t{64} << 20) - 2, 4).value(), "xxxx");
}

TEST(S3Blobs, AServerThatIsGoneIsUnavailableAndMissedByNobodyOnceItIsBack) {
  S3Server server;
  S3Options options = server.NewBucket();
  const auto blobs = OpenS3(options).value();
  ASSERT_TRUE(blobs->Put("07/old", "old").ok());
  auto writer = blobs->Create("07/x").value();
  ASSERT_TRUE(writer->Append(std::string(2 * options.part_bytes + 10, 'x')).ok());
  server.Kill();
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(blobs->Put("07/y", "y").code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(blobs->Get("07/old").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(blobs->Check().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(blobs->Check().message()), HasSubstr("does the server at s3.endpoint run?"));
  server.Start();
  writer.reset();
  EXPECT_EQ(server.PartsLeft(options), 0);
  EXPECT_EQ(blobs->Get("07/old").value(), "old");
  EXPECT_EQ(blobs->Get("07/x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(blobs->Put("07/y", "y").ok());
}

TEST(S3Blobs, AnUploadSurvivesARestartOfTheServerInItsMidst) {
  S3Server server;
  S3Options options = server.NewBucket();
  options.tries_max = 100;
  options.retry_wait = absl::Milliseconds(1);
  const auto blobs = OpenS3(options).value();
  std::string bytes(4 * options.part_bytes, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 + i / 1000);
  auto writer = blobs->Create("07/x").value();
  ASSERT_TRUE(writer->Append(std::string_view(bytes).substr(0, 2 * options.part_bytes + 1)).ok());
  server.Kill();
  std::thread upload([&] {
    const absl::Status rest = writer->Append(std::string_view(bytes).substr(2 * options.part_bytes + 1));
    EXPECT_TRUE(rest.ok()) << rest;
  });
  server.Start();  // by this thread: the server dies with the one that started it
  upload.join();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(blobs->Get("07/x").value() == bytes);
}

}  // namespace
}  // namespace ringback::blob
