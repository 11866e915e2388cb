#include "transcode/codec/true_peak.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace ringback::transcode {
namespace {

constexpr int kTaps = 2 * kTruePeakMargin;

// Windowed sinc at a quarter, a half and three quarters between two samples.
struct Phases {
  float tap[3][kTaps];
  Phases() {
    for (int p = 0; p < 3; ++p) {
      const double at = (p + 1) / 4.0;
      double sum = 0;
      for (int k = 0; k < kTaps; ++k) {
        const double x = k - (kTruePeakMargin - 1) - at;
        const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * x / (kTruePeakMargin + 0.5));
        const double value = std::sin(std::numbers::pi * x) / (std::numbers::pi * x) * window;
        tap[p][k] = static_cast<float>(value);
        sum += value;
      }
      for (float& value : tap[p]) value = static_cast<float>(value / sum);
    }
  }
};

}  // namespace

float TruePeak(const float* samples, int count) {
  static const Phases phases;
  float peak = 0;
  for (int i = 0; i <= count; ++i) peak = std::max(peak, std::fabs(samples[i]));
  float between[64];
  for (const auto& tap : phases.tap) {
    std::fill(between, between + count, 0.0f);
    for (int k = 0; k < kTaps; ++k) {
      const float* in = samples + k - (kTruePeakMargin - 1);
      for (int i = 0; i < count; ++i) between[i] += tap[k] * in[i];
    }
    for (int i = 0; i < count; ++i) peak = std::max(peak, std::fabs(between[i]));
  }
  return peak;
}

PeakWatch::PeakWatch(float level, std::function<void(size_t, float)> report)
    : level_(level), report_(std::move(report)) {}

void PeakWatch::Push(const float* samples, size_t count) {
  while (count > 0) {
    const size_t n = std::min(count, window_.size() - filled_);
    std::memcpy(window_.data() + filled_, samples, n * sizeof(float));
    filled_ += n;
    samples += n;
    count -= n;
    if (filled_ == window_.size()) Examine();
  }
}

void PeakWatch::Examine() {
  const float* chunk = window_.data() + kTruePeakMargin;
  float peak = 0;
  for (int i = 0; i <= kChunk; ++i) peak = std::max(peak, std::fabs(chunk[i]));
  // Speech overshoots its samples by far less than a factor of 1.6.
  if (peak > level_ / 1.6f) peak = TruePeak(chunk, kChunk);
  if (peak > level_) {
    report_(chunk_start_ / kChunk, peak);
  } else {
    peak_ = std::max(peak_, peak);
  }
  chunk_start_ += kChunk;
  std::memmove(window_.data(), window_.data() + kChunk, 2 * kTruePeakMargin * sizeof(float));
  filled_ = 2 * kTruePeakMargin;
}

void PeakWatch::Restart(size_t at) {
  window_.fill(0);
  filled_ = kTruePeakMargin;
  chunk_start_ = at;
}

void PeakWatch::Finish() {
  if (filled_ <= kTruePeakMargin) return;
  std::fill(window_.begin() + static_cast<long>(filled_), window_.end(), 0.0f);
  filled_ = window_.size();
  Examine();
  filled_ = kTruePeakMargin;
}

}  // namespace ringback::transcode
