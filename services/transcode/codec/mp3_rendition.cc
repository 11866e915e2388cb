#include <lame/lame.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <numbers>

#include "transcode/codec/decoder.h"
#include "transcode/codec/encoders.h"
#include "transcode/codec/loudness.h"
#include "transcode/codec/take.h"
#include "transcode/codec/true_peak.h"

namespace ringback::transcode {
namespace {

// Speech keeps everything that matters below 12 kHz, and LAME costs half at half the rate.
constexpr int kMp3Rate = kRate / 2;
constexpr int kQuality = 7;

struct Close {
  void operator()(lame_global_flags* l) const { lame_close(l); }
};

// 48 to 24 kHz by a half-band filter: flat to 10.8 kHz, 80 dB down from 13.2 kHz on. Every other tap is zero.
class Halver {
 public:
  static constexpr int kSide = 24;                 // Non-zero taps on each side of the middle.
  static constexpr int kReach = 2 * kSide - 1;     // Samples the filter looks back and ahead.

  Halver() {
    double sum = 0;
    for (int i = 0; i < kSide; ++i) {
      const double x = 2 * i + 1;
      const double r = x / (kReach + 1);
      const double window = std::cyl_bessel_i(0.0, 8.0 * std::sqrt(1 - r * r)) / std::cyl_bessel_i(0.0, 8.0);
      tap_[i] = static_cast<float>(std::sin(std::numbers::pi * x / 2) / (std::numbers::pi * x) * window);
      sum += 2 * tap_[i];
    }
    for (float& tap : tap_) tap = static_cast<float>(tap * 0.5 / sum);
  }

  // Takes `count` samples (even), gives count / 2, delayed by kReach + 1 samples of the input.
  void Process(const float* in, int count, float* out) {
    const int half = count / 2;
    for (int i = 0; i < half; ++i) {
      even_[kHistory + i] = in[2 * i];
      odd_[kHistory + i] = in[2 * i + 1];
    }
    // Centre on an even sample: its neighbours at odd distances are all odd samples.
    const float* centre = even_ + kHistory - kSide;
    const float* around = odd_ + kHistory - kSide;
    for (int i = 0; i < half; ++i) out[i] = 0.5f * centre[i];
    for (int t = 0; t < kSide; ++t) {
      for (int i = 0; i < half; ++i) out[i] += tap_[t] * (around[i + t] + around[i - 1 - t]);
    }
    std::memmove(even_, even_ + half, kHistory * sizeof(float));
    std::memmove(odd_, odd_ + half, kHistory * sizeof(float));
  }
  static constexpr int kDelay = kSide;  // In output samples.

 private:
  static constexpr int kHistory = 2 * kSide + 1;
  static constexpr int kHalfMax = 1024;
  float tap_[kSide];
  float even_[kHistory + kHalfMax] = {}, odd_[kHistory + kHalfMax] = {};
};

}  // namespace

Rendition EncodeMp3(const Limiter& source, int bitrate_kbps, float true_peak_max) {
  const std::unique_ptr<lame_global_flags, Close> lame(lame_init());
  if (!lame) throw std::bad_alloc();
  lame_set_in_samplerate(lame.get(), kMp3Rate);
  lame_set_out_samplerate(lame.get(), kMp3Rate);
  lame_set_num_channels(lame.get(), 1);
  lame_set_mode(lame.get(), MONO);
  lame_set_brate(lame.get(), bitrate_kbps);
  lame_set_quality(lame.get(), kQuality);
  lame_set_bWriteVbrTag(lame.get(), 1);  // Players read the exact duration there.
  lame_set_write_id3tag_automatic(lame.get(), 0);
  lame_set_num_samples(lame.get(), source.slices() * (kSlice / 2));
  if (lame_init_params(lame.get()) < 0) throw std::bad_alloc();

  Rendition rendition;
  std::string& out = rendition.bytes;
  const size_t slices = source.slices();
  out.reserve(slices * static_cast<size_t>(bitrate_kbps) / 8 + 8192);
  constexpr int kBatch = 24;  // Slices; 24 ms is one MP3 frame.
  Halver halver;
  int skip = Halver::kDelay;
  unsigned char encoded[16384];
  size_t left = slices * (kSlice / 2);
  for (size_t slice = 0; left > 0; slice += kBatch) {
    float pcm[kBatch * kSlice];
    for (int s = 0; s < kBatch; ++s) {
      if (slice + s < slices) {
        source.Render(slice + s, pcm + s * kSlice);
      } else {
        std::fill(pcm + s * kSlice, pcm + (s + 1) * kSlice, 0.0f);
      }
    }
    float halved[kBatch * kSlice / 2];
    halver.Process(pcm, kBatch * kSlice, halved);
    const int n = static_cast<int>(std::min<size_t>(left, static_cast<size_t>(kBatch * kSlice / 2 - skip)));
    const int size = lame_encode_buffer_ieee_float(lame.get(), halved + skip, halved + skip, n, encoded, sizeof encoded);
    if (size < 0) throw std::bad_alloc();
    out.append(reinterpret_cast<char*>(encoded), static_cast<size_t>(size));
    left -= static_cast<size_t>(n);
    skip = 0;
  }
  const int size = lame_encode_flush(lame.get(), encoded, sizeof encoded);
  if (size > 0) out.append(reinterpret_cast<char*>(encoded), static_cast<size_t>(size));
  // The first frame was left empty for the tag, which needs the whole file's counts.
  const size_t tag = lame_get_lametag_frame(lame.get(), encoded, sizeof encoded);
  if (tag > 0 && tag <= sizeof encoded && tag <= out.size()) std::memcpy(out.data(), encoded, tag);

  // Two slices to a chunk, as the rendition has half the rate.
  PeakWatch watch(true_peak_max, [&](size_t chunk, float peak) {
    for (size_t slice : {2 * chunk, 2 * chunk + 1}) {
      if (slice < slices) rendition.overshoots.push_back({slice, peak / true_peak_max});
    }
  });
  constexpr int kMp3Slice = kMp3Rate / 1000;
  KFilter filter(kMp3Rate);
  std::vector<float> energies;
  energies.reserve(slices + 64);
  std::array<float, kMp3Slice> pending;
  size_t filled = 0;
  DecodeOwn(out, [&](const float* samples, size_t count) {
    watch.Push(samples, count);
    while (count > 0) {
      const size_t n = std::min(count, pending.size() - filled);
      std::copy_n(samples, n, pending.begin() + static_cast<long>(filled));
      filled += n, samples += n, count -= n;
      if (filled < pending.size()) break;
      energies.push_back(static_cast<float>(filter.Energy(pending.data(), kMp3Slice)));
      filled = 0;
    }
  });
  watch.Finish();
  rendition.loudness_lufs = IntegratedLoudness(energies, {}, kMp3Slice);
  rendition.true_peak = watch.peak();
  return rendition;
}

}  // namespace ringback::transcode
