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
    const size_t n = std::min(count, state_.window.size() - state_.filled);
    std::memcpy(state_.window.data() + state_.filled, samples, n * sizeof(float));
    state_.filled += n;
    samples += n;
    count -= n;
    if (state_.filled == state_.window.size()) Examine();
  }
}

void PeakWatch::Examine() {
  const float* chunk = state_.window.data() + kTruePeakMargin;
  float peak = 0;
  for (int i = 0; i <= kChunk; ++i) peak = std::max(peak, std::fabs(chunk[i]));
  // Speech overshoots its samples by far less than a factor of 1.6.
  if (peak > level_ / 1.6f) peak = TruePeak(chunk, kChunk);
  if (peak > level_) {
    report_(state_.chunk_start / kChunk, peak);
  } else {
    state_.peak = std::max(state_.peak, peak);
  }
  state_.chunk_start += kChunk;
  std::memmove(state_.window.data(), state_.window.data() + kChunk, 2 * kTruePeakMargin * sizeof(float));
  state_.filled = 2 * kTruePeakMargin;
}

void PeakWatch::Finish() {
  if (state_.filled <= kTruePeakMargin) return;
  std::fill(state_.window.begin() + static_cast<long>(state_.filled), state_.window.end(), 0.0f);
  state_.filled = state_.window.size();
  Examine();
  state_.filled = kTruePeakMargin;
}

}  // namespace ringback::transcode
