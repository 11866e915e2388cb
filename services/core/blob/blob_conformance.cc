#include "core/blob/blob_conformance.h"

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/ids.h"

namespace ringback::blob {

std::vector<std::string> BlobConformance::Names(const std::string& prefix, const std::string& after, int limit) {
  std::vector<std::string> names;
  const absl::StatusOr<std::vector<BlobInfo>> found = blobs().List(prefix, after, limit);
  EXPECT_TRUE(found.ok()) << found.status();
  if (found.ok()) {
    for (const BlobInfo& info : *found) names.push_back(info.name);
  }
  return names;
}

std::string BlobConformance::Bytes(size_t size, uint64_t seed) {
  std::string bytes(size, '\0');
  NewSeededRandom(seed)->Fill(bytes.data(), bytes.size());
  return bytes;
}

namespace {

TEST_P(BlobConformance, WhatWasPutIsRead) {
  const std::string bytes("a\0b\xff", 4);
  ASSERT_TRUE(blobs().Put("07/rc07aaaa/original", bytes).ok());
  EXPECT_EQ(blobs().Get("07/rc07aaaa/original").value(), bytes);
  EXPECT_EQ(blobs().Size("07/rc07aaaa/original").value(), 4);
}

TEST_P(BlobConformance, AnEmptyBlobIsABlob) {
  ASSERT_TRUE(blobs().Put("07/x", "").ok());
  EXPECT_EQ(blobs().Get("07/x").value(), "");
  EXPECT_EQ(blobs().Size("07/x").value(), 0);
  EXPECT_EQ(blobs().GetRange("07/x", 0, 10).value(), "");
  EXPECT_EQ(Names("", "", 10), (std::vector<std::string>{"07/x"}));
}

TEST_P(BlobConformance, PutReplaces) {
  ASSERT_TRUE(blobs().Put("07/x", "long text").ok());
  ASSERT_TRUE(blobs().Put("07/x", "new").ok());
  EXPECT_EQ(blobs().Get("07/x").value(), "new");
}

TEST_P(BlobConformance, AnotherProcessSeesWhatWasPut) {
  ASSERT_TRUE(blobs().Put("07/x", "here").ok());
  EXPECT_EQ(harness_->OpenAnother()->Get("07/x").value(), "here");
}

TEST_P(BlobConformance, RangesEndWithTheBlob) {
  ASSERT_TRUE(blobs().Put("07/x", "0123456789").ok());
  EXPECT_EQ(blobs().GetRange("07/x", 0, 1).value(), "0");
  EXPECT_EQ(blobs().GetRange("07/x", 2, 3).value(), "234");
  EXPECT_EQ(blobs().GetRange("07/x", 8, 100).value(), "89");
  EXPECT_EQ(blobs().GetRange("07/x", 0, std::numeric_limits<int64_t>::max()).value(), "0123456789");
  EXPECT_EQ(blobs().GetRange("07/x", 3, std::numeric_limits<int64_t>::max()).value(), "3456789");
  EXPECT_EQ(blobs().GetRange("07/x", 10, 1).value(), "");
  EXPECT_EQ(blobs().GetRange("07/x", 100, 1).value(), "");
  EXPECT_EQ(blobs().GetRange("07/x", 5, 0).value(), "");
  EXPECT_EQ(blobs().GetRange("07/x", -1, 1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(blobs().GetRange("07/x", 0, -1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_P(BlobConformance, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(blobs().Get("07/x").status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(blobs().Put("07/x", "file").ok());
  EXPECT_EQ(blobs().Get("07/x/y").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs().Get("07").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs().Size("08/x").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs().GetRange("08/x", 0, 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs().GetRange("08/x", 0, 0).status().code(), absl::StatusCode::kNotFound);
}

TEST_P(BlobConformance, BadNamesAreRefusedEverywhere) {
  for (const std::string& name :
       {std::string(""), std::string("/etc/passwd"), std::string("../x"), std::string("a/../b"), std::string("a//b"),
        std::string("a/"), std::string("A"), std::string("a b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string(".tmp/x"), std::string("a/.b"), std::string("."), std::string(201, 'a'), std::string("ä"),
        std::string("a?b"), std::string("a%2fb"), std::string("a#b")}) {
    EXPECT_EQ(blobs().Put(name, "x").code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(blobs().Create(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(blobs().Get(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(blobs().GetRange(name, 0, 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(blobs().Size(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(blobs().Delete(name).code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(Names("", "", 10).empty());
}

TEST_P(BlobConformance, AWriterThatIsNotFinishedLeavesNothing) {
  for (const size_t size : {size_t{4}, 2 * harness_->part_bytes() + 4}) {
    {
      auto writer = blobs().Create("07/x").value();
      ASSERT_TRUE(writer->Append(Bytes(size)).ok());
      EXPECT_EQ(blobs().Get("07/x").status().code(), absl::StatusCode::kNotFound);
    }
    EXPECT_EQ(blobs().Get("07/x").status().code(), absl::StatusCode::kNotFound);
    EXPECT_TRUE(Names("", "", 10).empty());
  }
}

TEST_P(BlobConformance, AppendsAddUpAndFinishPublishesOnce) {
  auto writer = blobs().Create("07/x").value();
  ASSERT_TRUE(writer->Append("one ").ok());
  ASSERT_TRUE(writer->Append("").ok());
  ASSERT_TRUE(writer->Append("two").ok());
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_EQ(writer->Finish().code(), absl::StatusCode::kFailedPrecondition);
  writer.reset();
  EXPECT_EQ(blobs().Get("07/x").value(), "one two");
}

TEST_P(BlobConformance, EverySizeAroundAPartComesBackWhole) {
  const size_t part = std::max<size_t>(harness_->part_bytes(), 1 << 20);
  for (const size_t size : {part - 1, part, part + 1, 2 * part, 2 * part + 12345}) {
    const std::string bytes = Bytes(size, size);
    auto writer = blobs().Create("07/x").value();
    // Pieces that do not fit the parts.
    for (size_t at = 0; at < size; at += 300'007) {
      ASSERT_TRUE(writer->Append(std::string_view(bytes).substr(at, 300'007)).ok());
    }
    ASSERT_TRUE(writer->Finish().ok()) << size;
    EXPECT_TRUE(blobs().Get("07/x").value() == bytes) << size;
    EXPECT_EQ(blobs().Size("07/x").value(), static_cast<int64_t>(size));
    EXPECT_TRUE(blobs().GetRange("07/x", static_cast<int64_t>(part) - 10, 20).value() == bytes.substr(part - 10, 20)) << size;
    ASSERT_TRUE(blobs().Put("07/at-once", bytes).ok());
    EXPECT_TRUE(blobs().Get("07/at-once").value() == bytes) << size;
  }
}

TEST_P(BlobConformance, DeleteRemovesOneBlobAndMayBeRepeated) {
  ASSERT_TRUE(blobs().Put("07/rc07aaaa/original", "x").ok());
  ASSERT_TRUE(blobs().Put("07/rc07aaaa/mp3", "y").ok());
  EXPECT_TRUE(blobs().Delete("07/rc07aaaa/original").ok());
  EXPECT_EQ(blobs().Get("07/rc07aaaa/original").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(blobs().Get("07/rc07aaaa/mp3").value(), "y");
  EXPECT_TRUE(blobs().Delete("07/rc07aaaa/original").ok());
  EXPECT_TRUE(blobs().Delete("07/rc07aaaa").ok());
  EXPECT_TRUE(blobs().Delete("07/rc07aaaa/mp3/deeper").ok());
  EXPECT_EQ(blobs().Get("07/rc07aaaa/mp3").value(), "y");
  EXPECT_TRUE(blobs().Delete("07/rc07aaaa/mp3").ok());
  EXPECT_TRUE(Names("", "", 10).empty());
}

TEST_P(BlobConformance, ListsInTheOrderOfNamesAndPages) {
  // '-' and '.' sort before '/': a walk by folders alone would get these wrong.
  const std::vector<std::string> sorted = {"07/a-b", "07/a.b", "07/a/1", "07/a/2", "07/a0", "08/a"};
  for (const std::string& name : {sorted[3], sorted[5], sorted[0], sorted[4], sorted[1], sorted[2]}) {
    ASSERT_TRUE(blobs().Put(name, name).ok());
  }
  EXPECT_EQ(Names("", "", 100), sorted);
  EXPECT_EQ(Names("07/a/", "", 100), (std::vector<std::string>{"07/a/1", "07/a/2"}));
  EXPECT_EQ(Names("07/a", "07/a/1", 2), (std::vector<std::string>{"07/a/2", "07/a0"}));
  EXPECT_EQ(Names("07/a", "07/a/1", 100), (std::vector<std::string>{"07/a/2", "07/a0"}));
  EXPECT_EQ(Names("08", "07/zzz", 100), (std::vector<std::string>{"08/a"}));
  EXPECT_EQ(Names("", "07/a/", 1), (std::vector<std::string>{"07/a/1"})) << "`after` need not exist";
  EXPECT_TRUE(Names("09", "", 100).empty());
  EXPECT_TRUE(Names("", "08/a", 100).empty());
  EXPECT_TRUE(Names("", "", 0).empty());
  std::vector<std::string> paged;
  for (std::vector<std::string> page = Names("", "", 1); !page.empty(); page = Names("", page[0], 1)) {
    paged.push_back(page[0]);
  }
  EXPECT_EQ(paged, sorted);
  EXPECT_EQ(blobs().List("08", "", 1).value()[0].size, 4);
}

TEST_P(BlobConformance, ListTellsWhenABlobWasWritten) {
  // S3 gives whole seconds at times.
  const absl::Time before = absl::Now() - absl::Seconds(2);
  ASSERT_TRUE(blobs().Put("07/x", "x").ok());
  const std::vector<BlobInfo> found = blobs().List("", "", 10).value();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_GE(found[0].modified, before);
  EXPECT_LE(found[0].modified, absl::Now() + absl::Seconds(2));
}

TEST_P(BlobConformance, AWriterNeitherShowsNorHidesAnythingUntilItIsFinished) {
  ASSERT_TRUE(blobs().Put("07/x", "old").ok());
  auto writer = blobs().Create("07/x").value();
  const std::string bytes = Bytes(harness_->part_bytes() + 1000);
  ASSERT_TRUE(writer->Append(bytes).ok());
  EXPECT_EQ(blobs().Get("07/x").value(), "old");
  EXPECT_EQ(Names("", "", 10), (std::vector<std::string>{"07/x"}));
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(blobs().Get("07/x").value() == bytes);
}

TEST_P(BlobConformance, CheckIsOkAndLeavesNoBlob) {
  EXPECT_TRUE(blobs().Check().ok());
  EXPECT_TRUE(Names("", "", 10).empty());
}

TEST_P(BlobConformance, TheSameBytesMayBePutByManyAtTheSameTime) {
  const std::string bytes = Bytes(100'000);
  ASSERT_TRUE(blobs().Put("07/x", bytes).ok());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 10; ++n) {
        if (i % 2 == 0) {
          const absl::Status put = blobs().Put("07/x", bytes);
          EXPECT_TRUE(put.ok()) << put;
        } else {
          const absl::StatusOr<std::string> got = blobs().Get("07/x");
          EXPECT_TRUE(got.ok()) << got.status();
          EXPECT_TRUE(got.value_or("") == bytes) << "a half-written blob was read";
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Names("", "", 10), (std::vector<std::string>{"07/x"}));
}

}  // namespace
}  // namespace ringback::blob
