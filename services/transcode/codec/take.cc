#include "transcode/codec/take.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "transcode/codec/true_peak.h"

namespace ringback::transcode {

// The standard gives coefficients for 48 kHz only; these are the analogue prototypes behind them, as libebur128 and
// others use them. At 48 kHz they are the standard's to its last digit.
KFilter::KFilter(int rate) {
  {
    const double k = std::tan(std::numbers::pi * 1681.974450955533 / rate), q = 0.7071752369554196;
    const double vh = std::pow(10.0, 3.999843853973347 / 20), vb = std::pow(vh, 0.4996667741545416);
    const double a0 = 1 + k / q + k * k;
    shelf_ = {(vh + vb * k / q + k * k) / a0, 2 * (k * k - vh) / a0, (vh - vb * k / q + k * k) / a0,
              2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0};
  }
  const double k = std::tan(std::numbers::pi * 38.13547087602444 / rate), q = 0.5003270373238773;
  const double a0 = 1 + k / q + k * k;
  high_pass_ = {1, -2, 1, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0};
}

double KFilter::Energy(const float* samples, int count) {
  const Stage s = shelf_, h = high_pass_;
  double a1 = a1_, a2 = a2_, b1 = b1_, b2 = b2_;
  double energy = 0;
  for (int i = 0; i < count; ++i) {
    // The tiny offset keeps digital silence out of the slow range of floating point.
    const double x = samples[i] + 1e-18;
    const double y = s.b0 * x + a1;
    a1 = a2 + s.b1 * x - s.a1 * y;
    a2 = s.b2 * x - s.a2 * y;
    const double z = y + b1;
    b1 = b2 - 2 * y - h.a1 * z;
    b2 = y - h.a2 * z;
    energy += z * z;
  }
  a1_ = a1, a2_ = a2, b1_ = b1, b2_ = b2;
  return energy;
}

void Take::Push(const float* samples, size_t count) {
  samples_ += static_cast<int64_t>(count);
  while (count > 0) {
    const size_t n = std::min(count, static_cast<size_t>(kBlock - filled_));
    std::memcpy(block_.data() + filled_, samples, n * sizeof(float));
    filled_ += static_cast<int>(n);
    samples += n;
    count -= n;
    if (filled_ == kBlock) StoreBlock();
  }
}

void Take::Finish() {
  if (filled_ == 0) return;
  std::fill(block_.begin() + filled_, block_.end(), 0.0f);
  StoreBlock();
}

void Take::StoreBlock() {
  float block_peak = 0;
  for (int s = 0; s < kBlock; s += kSlice) {
    float peak = 0;
    for (int i = 0; i < kSlice; ++i) peak = std::max(peak, std::fabs(block_[s + i]));
    peaks_.push_back(peak);
    energies_.push_back(static_cast<float>(filter_.Energy(block_.data() + s, kSlice)));
    block_peak = std::max(block_peak, peak);
  }
  const size_t index = scales_.size();
  if (index % kBlocksPerChunk == 0) chunks_.push_back(std::make_unique_for_overwrite<Chunk>());
  const float scale = block_peak / 32767;
  const float inverse = block_peak > 1e-9f ? 32767 / block_peak : 0;
  int16_t* out = chunks_.back()->data() + index % kBlocksPerChunk * kBlock;
  // Truncation of a positive number rounds and vectorises; lrintf does not.
  for (int i = 0; i < kBlock; ++i) {
    out[i] = static_cast<int16_t>(static_cast<int32_t>(block_[i] * inverse + 32768.5f) - 32768);
  }
  scales_.push_back(scale);
  filled_ = 0;
}

void Take::Read(int64_t from, int count, float* out) const {
  const auto total = static_cast<int64_t>(scales_.size()) * kBlock;
  while (count > 0) {
    if (from < 0 || from >= total) {
      const int64_t gap = from < 0 ? -from : count;
      const int n = static_cast<int>(std::min<int64_t>(gap, count));
      std::fill(out, out + n, 0.0f);
      out += n, from += n, count -= n;
      continue;
    }
    const auto block = static_cast<size_t>(from / kBlock);
    const int offset = static_cast<int>(from % kBlock);
    const int n = std::min(count, kBlock - offset);
    const int16_t* in = chunks_[block / kBlocksPerChunk]->data() + block % kBlocksPerChunk * kBlock + offset;
    const float scale = scales_[block];
    for (int i = 0; i < n; ++i) out[i] = static_cast<float>(in[i]) * scale;
    out += n, from += n, count -= n;
  }
}

float Take::SliceTruePeak(size_t slice) const {
  float window[kSlice + 2 * kTruePeakMargin + 1];
  Read(static_cast<int64_t>(slice) * kSlice - kTruePeakMargin, kSlice + 2 * kTruePeakMargin, window);
  window[kSlice + 2 * kTruePeakMargin] = 0;
  return TruePeak(window + kTruePeakMargin, kSlice);
}

}  // namespace ringback::transcode
