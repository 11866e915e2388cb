#include "transcode/codec/limiter.h"

#include <algorithm>
#include <cmath>

#include "transcode/codec/loudness.h"

namespace ringback::transcode {
namespace {

constexpr int kLookAhead = 3;          // Slices over which the gain goes down before a peak.
// Time constant with which it comes back. Measured on real and synthetic voices: longer takes more from the quiet sounds
// after a peak and needs more gain for the same loudness (mel log-spectral distance 3 to 9 % higher at 10 ms, 11 to 14 %
// at 30 ms; PESQ prefers 10 ms to 3 by 0.01 to 0.04 at the levels used here). Turning the phases of the low sounds first, as broadcasters do, raised the
// peaks of real voices; limiting only the low sounds cost more than it saved.
constexpr float kRelease_ms = 3;
constexpr int kFadeIn = 5, kFadeOut = 20;
// No sample between two others of speech is higher than this times the higher one.
constexpr float kOvershoot = 1.6f;
constexpr int kRounds = 12;
constexpr double kCloseEnough_lu = 0.02;

}  // namespace

Limiter::Limiter(const Take& take, size_t begin, size_t end)
    : take_(take),
      begin_(begin),
      end_(end),
      peaks_(take.peaks().begin() + static_cast<long>(begin), take.peaks().begin() + static_cast<long>(end)),
      is_true_peak_(end - begin),
      allowance_(end - begin, 1.0f),
      nodes_(end - begin + 1),
      scratch_(end - begin + 1) {}

void Limiter::Solve(double target_lufs, float ceiling) {
  const std::span energies(take_.energies().data() + begin_, slices());
  if (loudness_ == 0) {
    unlimited_lufs_ = IntegratedLoudness(energies);
    gain_ = std::pow(10, (target_lufs - unlimited_lufs_) / 20);
  }
  std::vector<float> gains(slices());
  double last_gain_db = 0, last_loudness = 0;
  for (int round = 0; round < kRounds; ++round) {
    Shape(gain_, ceiling);
    for (size_t i = 0; i < slices(); ++i) gains[i] = SliceGain(i);
    loudness_ = IntegratedLoudness(energies, gains);
    const double missing = target_lufs - loudness_;
    if (std::fabs(missing) < kCloseEnough_lu || round + 1 == kRounds) break;
    // The more is limited, the less a dB of gain gives: the last step says how much.
    const double gain_db = 20 * std::log10(gain_);
    double yield = 0.8;
    if (round > 0 && gain_db != last_gain_db) {
      yield = std::clamp((loudness_ - last_loudness) / (gain_db - last_gain_db), 0.1, 1.0);
    }
    last_gain_db = gain_db;
    last_loudness = loudness_;
    gain_ *= std::pow(10, std::clamp(missing / yield, -10.0, 10.0) / 20);
  }
}

void Limiter::Shape(double gain, float ceiling) {
  const auto g = static_cast<float>(gain);
  const size_t n = slices();
  // Gain each slice may have, relative to `gain`.
  std::vector<float>& need = scratch_;
  for (size_t i = 0; i < n; ++i) {
    const float allowed = ceiling * allowance_[i];
    if (!is_true_peak_[i] && peaks_[i] * g * kOvershoot > allowed) {
      peaks_[i] = take_.SliceTruePeak(begin_ + i);
      is_true_peak_[i] = true;
    }
    need[i] = peaks_[i] * g > allowed ? allowed / (peaks_[i] * g) : 1.0f;
  }
  need[n] = 1;

  // Node k lies between slices k-1 and k, so it heeds both, and what comes within the look-ahead. Release is
  // exponential; the mean over the look-ahead turns the step down into a ramp that ends before the peak.
  const float release = 1 - std::exp(-1 / kRelease_ms);
  float released = 1, sum = kLookAhead;
  float history[kLookAhead];
  std::fill(history, history + kLookAhead, 1.0f);
  for (size_t k = 0; k <= n; ++k) {
    float least = 1;
    const size_t to = std::min(n, k + kLookAhead);
    for (size_t i = k == 0 ? 0 : k - 1; i <= to; ++i) least = std::min(least, need[i]);
    released = std::min(least, released + release * (1 - released));
    float& oldest = history[k % kLookAhead];
    oldest = released;
    sum = 0;
    for (float value : history) sum += value;
    nodes_[k] = g * sum / kLookAhead;
  }
  // At the very start there is no room for a ramp: begin low.
  for (size_t k = 0; k < std::min<size_t>(kLookAhead, n); ++k) {
    float least = 1;
    for (size_t i = k == 0 ? 0 : k - 1; i <= k; ++i) least = std::min(least, need[i]);
    nodes_[k] = std::min(nodes_[k], g * least);
  }
}

void Limiter::Lower(size_t slice, float factor) {
  constexpr size_t kReach = 4;
  const size_t from = slice < kReach ? 0 : slice - kReach;
  const size_t to = std::min(slices(), slice + kReach + 1);
  for (size_t i = from; i < to; ++i) allowance_[i] = std::min(allowance_[i], factor);
}

double Limiter::taken_lu() const { return unlimited_lufs_ + 20 * std::log10(gain_) - loudness_; }

double Limiter::limited_share() const {
  const auto limited = static_cast<float>(gain_ * 0.891);
  const auto count = std::count_if(nodes_.begin(), nodes_.end(), [&](float g) { return g < limited; });
  return static_cast<double>(count) / static_cast<double>(nodes_.size());
}

void Limiter::Render(size_t slice, float* out) const {
  take_.Read(static_cast<int64_t>(begin_ + slice) * kSlice, kSlice, out);
  const float from = nodes_[slice];
  const float step = (nodes_[slice + 1] - from) / kSlice;
  for (int i = 0; i < kSlice; ++i) out[i] *= from + step * static_cast<float>(i);
  const size_t left = slices() - 1 - slice;
  if (slice < kFadeIn || left < kFadeOut) {
    for (int i = 0; i < kSlice; ++i) {
      const float in = (static_cast<float>(slice) + static_cast<float>(i) / kSlice) / kFadeIn;
      const float tail = (static_cast<float>(left) + 1 - static_cast<float>(i) / kSlice) / kFadeOut;
      out[i] *= std::min({1.0f, in, tail});
    }
  }
}

}  // namespace ringback::transcode
