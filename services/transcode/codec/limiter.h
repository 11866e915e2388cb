// From a take to the samples that are encoded: the part that is kept, one gain, and a look-ahead limiter that holds true
// peaks under a ceiling while the loudness after it meets the target. Gain goes into the samples, not into a header.
#pragma once

#include <cstddef>
#include <vector>

#include "transcode/codec/take.h"

namespace ringback::transcode {

class Limiter {
 public:
  // Keeps slices [begin, end) of the take, which must outlive this.
  Limiter(const Take& take, size_t begin, size_t end);

  // Finds the gain that brings the limited signal to `target_lufs` with true peaks at or under `ceiling` (linear).
  // Deterministic. May be called again after Lower.
  void Solve(double target_lufs, float ceiling);
  // Lowers the ceiling around one kept slice by a factor below 1: there the encoders overshoot.
  void Lower(size_t slice, float factor);

  float Allowance(size_t slice) const { return allowance_[slice]; }

  size_t slices() const { return end_ - begin_; }
  double gain() const { return gain_; }  // Before limiting, linear.
  double loudness() const { return loudness_; }
  double taken_lu() const;  // Loudness that the limiter costs.
  double limited_share() const;
  // Highest sample of a kept slice after the limiter, about.
  float PeakAfter(size_t slice) const { return peaks_[slice] * SliceGain(slice); }

  // Kept slice `slice` as it is encoded, fades included: kSlice samples.
  void Render(size_t slice, float* out) const;

 private:
  float SliceGain(size_t slice) const { return 0.5f * (nodes_[slice] + nodes_[slice + 1]); }
  void Shape(double gain, float ceiling);

  const Take& take_;
  const size_t begin_, end_;
  std::vector<float> peaks_;        // True peaks where they were needed, else samples' peaks.
  std::vector<bool> is_true_peak_;
  std::vector<float> allowance_;    // Factor on the ceiling, per slice.
  std::vector<float> nodes_;        // Gain at the borders between slices; linear in between.
  std::vector<float> scratch_;
  double gain_ = 1;
  double loudness_ = 0;
  double unlimited_lufs_ = 0;  // At a gain of 1.
};

}  // namespace ringback::transcode
