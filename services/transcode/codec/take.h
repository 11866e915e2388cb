// A decoded take in memory, with what the later steps need to know of every millisecond. Bounded: 2 bytes per sample,
// so ten minutes at 48 kHz are 58 MB.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "transcode/codec/decoder.h"

namespace ringback::transcode {

// One slice is one millisecond: the resolution of trimming and of the limiter.
inline constexpr int kSlice = kRate / 1000;

// K-weighting of ITU-R BS.1770-4.
class KFilter {
 public:
  explicit KFilter(int rate = kRate);
  // Sum of the squares of the filtered samples.
  double Energy(const float* samples, int count);

 private:
  struct Stage {
    double b0, b1, b2, a1, a2;
  };
  Stage shelf_, high_pass_;
  double a1_ = 0, a2_ = 0, b1_ = 0, b2_ = 0;
};

class Take {
 public:
  void Push(const float* samples, size_t count);
  // After the last Push. The last slice is filled up with silence.
  void Finish();

  size_t slices() const { return peaks_.size(); }
  double seconds() const { return static_cast<double>(samples_) / kRate; }
  // Per slice: highest sample, and K-weighted energy (sum of squares).
  const std::vector<float>& peaks() const { return peaks_; }
  const std::vector<float>& energies() const { return energies_; }

  // Samples [from, from + count); silence outside the take. Exact to 16 bits of the loudest sample nearby.
  void Read(int64_t from, int count, float* out) const;
  // Highest true peak of one slice.
  float SliceTruePeak(size_t slice) const;

 private:
  // Blocks of 10 ms share a scale, so that quiet takes keep their resolution and overs of lossy formats survive.
  static constexpr int kBlock = 10 * kSlice;
  static constexpr size_t kBlocksPerChunk = 1000;
  using Chunk = std::array<int16_t, kBlock * kBlocksPerChunk>;

  void StoreBlock();

  std::array<float, kBlock> block_;
  int filled_ = 0;
  KFilter filter_;
  int64_t samples_ = 0;
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::vector<float> scales_;  // Per block.
  std::vector<float> peaks_, energies_;
};

}  // namespace ringback::transcode
