// One suite for every blob store: what blob_store.h promises, as tests with sentences for names. A store joins by a harness
// and one INSTANTIATE_TEST_SUITE_P line; what only one technology has is tested beside it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/blob/blob_store.h"

namespace ringback::blob {

// A fresh, empty place for blobs.
class BlobHarness {
 public:
  virtual ~BlobHarness() = default;
  virtual BlobStore& blobs() = 0;
  // One more store on the same bytes, as another process would have it.
  virtual std::unique_ptr<BlobStore> OpenAnother() = 0;
  // How many bytes make the store change its way of writing; 0 when there is only one.
  virtual size_t part_bytes() const { return 0; }
};

using BlobHarnessFactory = std::unique_ptr<BlobHarness> (*)();

class BlobConformance : public testing::TestWithParam<BlobHarnessFactory> {
 protected:
  void SetUp() override { harness_ = GetParam()(); }

  BlobStore& blobs() { return harness_->blobs(); }
  std::vector<std::string> Names(const std::string& prefix, const std::string& after, int limit);
  // Bytes that repeat nowhere, so that what is exchanged, lost or doubled shows.
  static std::string Bytes(size_t size, uint64_t seed = 1);

  std::unique_ptr<BlobHarness> harness_;
};

}  // namespace ringback::blob
