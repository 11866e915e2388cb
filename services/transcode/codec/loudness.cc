#include "transcode/codec/loudness.h"

#include <algorithm>
#include <cmath>

#include "transcode/codec/take.h"

namespace ringback::transcode {
namespace {

// Energy of `slices` milliseconds to LUFS, as one channel.
double Lufs(double energy, double slices) {
  if (energy <= 0) return kSilent_lufs;
  return std::max(kSilent_lufs, -0.691 + 10 * std::log10(energy / (slices * kSlice)));
}

double FromLufs(double lufs, double slices) { return std::pow(10, (lufs + 0.691) / 10) * slices * kSlice; }

}  // namespace

double IntegratedLoudness(std::span<const float> energies, std::span<const float> gains, int slice_samples) {
  const double scale = static_cast<double>(kSlice) / slice_samples;
  constexpr size_t kHop = 100;
  constexpr double kBlock = 400;
  std::vector<double> hops;
  hops.reserve(energies.size() / kHop + 1);
  double total = 0;
  for (size_t at = 0; at < energies.size(); at += kHop) {
    const size_t end = std::min(at + kHop, energies.size());
    double sum = 0;
    if (gains.empty()) {
      for (size_t i = at; i < end; ++i) sum += energies[i];
    } else {
      for (size_t i = at; i < end; ++i) sum += energies[i] * gains[i] * gains[i];
    }
    sum *= scale;
    total += sum;
    if (end - at == kHop) hops.push_back(sum);
  }
  if (hops.size() < 4) return Lufs(total, static_cast<double>(std::max<size_t>(energies.size(), 1)));

  std::vector<double> blocks;
  blocks.reserve(hops.size());
  for (size_t i = 0; i + 4 <= hops.size(); ++i) blocks.push_back(hops[i] + hops[i + 1] + hops[i + 2] + hops[i + 3]);
  const auto gated_mean = [&](double threshold) {
    double sum = 0;
    size_t n = 0;
    for (double block : blocks) {
      if (block >= threshold) sum += block, ++n;
    }
    return n == 0 ? 0.0 : sum / static_cast<double>(n);
  };
  const double absolute = FromLufs(-70, kBlock);
  const double ungated = gated_mean(absolute);
  return Lufs(gated_mean(std::max(absolute, ungated / 10)), kBlock);
}

SpeechMap FindSpeech(std::span<const float> energies, double loudness_lufs) {
  constexpr size_t kFrame = 10, kWindow = 10;  // Frames of 10 ms, judged over 100 ms for the noise floor.
  SpeechMap map;
  std::vector<double> frames;
  for (size_t at = 0; at + kFrame <= energies.size(); at += kFrame) {
    double sum = 0;
    for (size_t i = at; i < at + kFrame; ++i) sum += energies[i];
    frames.push_back(sum);
  }
  if (frames.empty() || loudness_lufs <= kSilent_lufs) return map;

  std::vector<double> windows;
  for (size_t i = 0; i + kWindow <= frames.size(); i += kWindow) {
    double sum = 0;
    for (size_t k = i; k < i + kWindow; ++k) sum += frames[k];
    windows.push_back(sum);
  }
  if (!windows.empty()) {
    const size_t fifth_percentile = windows.size() / 20;
    std::nth_element(windows.begin(), windows.begin() + static_cast<long>(fifth_percentile), windows.end());
    map.noise_floor_db = Lufs(windows[fifth_percentile], kFrame * kWindow);
  }
  // Above the noise, but never so high that quiet words of a steady speaker fall out, nor so low that breath counts.
  const double threshold_db = std::clamp(map.noise_floor_db + 8, loudness_lufs - 26, loudness_lufs - 8);
  const double threshold = FromLufs(threshold_db, kFrame);

  size_t first = frames.size(), last = 0, speech = 0;
  double speech_energy = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (frames[i] < threshold) continue;
    ++speech;
    speech_energy += frames[i];
    // A single loud frame is a click; speech lasts.
    size_t company = 0;
    for (size_t k = i; k < std::min(i + 8, frames.size()); ++k) company += frames[k] >= threshold;
    if (first == frames.size() && company >= 4) first = i;
    company = 0;
    for (size_t k = i < 7 ? 0 : i - 7; k <= i; ++k) company += frames[k] >= threshold;
    if (company >= 4) last = i;
  }
  map.speech_s = static_cast<double>(speech) * 0.01;
  if (speech > 0) map.speech_level_db = Lufs(speech_energy, static_cast<double>(speech * kFrame));
  if (first <= last) {
    map.begin = first * kFrame;
    map.end = (last + 1) * kFrame;
  }
  return map;
}

}  // namespace ringback::transcode
