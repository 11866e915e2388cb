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

// Speech keeps everything that matters below 16 kHz, and MPEG-1 plays everywhere. Measured on real voices: at 24 kHz LAME
// costs a fifth less and loses a third more (mel log-spectral distance).
constexpr int kMp3Rate = 32000;
constexpr int kMp3Slice = kMp3Rate / 1000;
// A variable bitrate costs what a constant 64 kb/s without noise shaping does (quality 7: 1.2 ms per second) and comes
// close to one with it (quality 5: 2.3 ms) for as many bytes. Players find duration and places by the Xing tag.
constexpr int kQuality = 7;
constexpr float kVbrQuality = 3;

struct Close {
  void operator()(lame_global_flags* l) const { lame_close(l); }
};

// 48 to 32 kHz, two samples for three: flat to 13.6 kHz, 60 dB down from 17.4 kHz on.
class Thinner {
 public:
  static constexpr int kDelay = 16;  // In output samples.
  static constexpr int kCountMax = 24 * kSlice;

  Thinner() {
    for (int k = -kReach; k <= kReach; ++k) on_.push_back(MakeTap(k, 0));
    for (int k = 1 - kReach; k <= kReach; ++k) between_.push_back(MakeTap(k + 1, 1.5));
    for (auto* taps : {&on_, &between_}) {
      double sum = 0;
      for (const Tap& tap : *taps) sum += tap.weight;
      for (Tap& tap : *taps) tap.weight = static_cast<float>(tap.weight / sum);
      while (taps->size() % 4 != 0) taps->push_back({0, 0, 0});
    }
  }

  // Takes `count` samples (a multiple of three), gives two thirds of them.
  void Process(const float* in, int count, float* out) {
    const int groups = count / 3;
    for (int r = 0; r < 3; ++r) {
      float* stream = stream_[r] + kHistory;
      for (int i = 0; i < groups; ++i) stream[i] = in[3 * i + r];
    }
    float on[kCountMax / 3], between[kCountMax / 3];
    Filter(on_, groups, on);
    Filter(between_, groups, between);
    for (int i = 0; i < groups; ++i) out[2 * i] = on[i], out[2 * i + 1] = between[i];
    for (auto& stream : stream_) std::memmove(stream, stream + groups, kHistory * sizeof(float));
  }

 private:
  static constexpr int kReach = 24;    // Input samples on each side.
  static constexpr int kHistory = 16;  // Groups of three: the reach back from a middle that lies the reach behind.
  struct Tap {
    float weight;
    int stream, offset;
  };

  // Input sample `k` of a group, weighed for an output at `centre`.
  static Tap MakeTap(int k, double centre) {
    const double x = k - centre, r = x / (kReach + 1), cutoff = 2 * 15400.0 / kRate;
    const double window = std::cyl_bessel_i(0.0, 6.0 * std::sqrt(1 - r * r));
    const double sinc = x == 0 ? 1 : std::sin(std::numbers::pi * x * cutoff) / (std::numbers::pi * x * cutoff);
    const int group = (k + 3 * kHistory) / 3 - kHistory;
    return {static_cast<float>(sinc * window), k - 3 * group, group - kHistory / 2};
  }
  // Four taps in a pass, so that the sums seldom go through memory.
  void Filter(const std::vector<Tap>& taps, int groups, float* out) const {
    std::fill(out, out + groups, 0.0f);
    const auto at = [&](const Tap& tap) { return stream_[tap.stream] + kHistory + tap.offset; };
    for (size_t t = 0; t < taps.size(); t += 4) {
      const float *a = at(taps[t]), *b = at(taps[t + 1]), *c = at(taps[t + 2]), *d = at(taps[t + 3]);
      const float wa = taps[t].weight, wb = taps[t + 1].weight, wc = taps[t + 2].weight, wd = taps[t + 3].weight;
      for (int i = 0; i < groups; ++i) out[i] += (wa * a[i] + wb * b[i]) + (wc * c[i] + wd * d[i]);
    }
  }

  std::vector<Tap> on_, between_;
  float stream_[3][kHistory + kCountMax / 3] = {};
};

}  // namespace

Rendition EncodeMp3(const Limiter& source, int bitrate_max_kbps, float true_peak_max) {
  const std::unique_ptr<lame_global_flags, Close> lame(lame_init());
  if (!lame) throw std::bad_alloc();
  lame_set_in_samplerate(lame.get(), kMp3Rate);
  lame_set_out_samplerate(lame.get(), kMp3Rate);
  lame_set_num_channels(lame.get(), 1);
  lame_set_mode(lame.get(), MONO);
  lame_set_VBR(lame.get(), vbr_mtrh);
  lame_set_VBR_quality(lame.get(), kVbrQuality);
  lame_set_VBR_max_bitrate_kbps(lame.get(), bitrate_max_kbps);
  lame_set_quality(lame.get(), kQuality);
  lame_set_bWriteVbrTag(lame.get(), 1);  // Players read the exact duration there.
  lame_set_write_id3tag_automatic(lame.get(), 0);
  lame_set_num_samples(lame.get(), source.slices() * kMp3Slice);
  if (lame_init_params(lame.get()) < 0) throw std::bad_alloc();

  Rendition rendition;
  std::string& out = rendition.bytes;
  const size_t slices = source.slices();
  out.reserve(slices * static_cast<size_t>(bitrate_max_kbps) / 8 + 8192);
  // For some bitrates LAME turns everything down (by 0.44 dB at a constant 64 kb/s), which no target of ours knows of.
  const float undo = 1 / lame_get_scale(lame.get());
  constexpr int kBatch = Thinner::kCountMax / kSlice;
  constexpr int kThinned = kBatch * kMp3Slice;
  Thinner thinner;
  int skip = Thinner::kDelay;
  unsigned char encoded[16384];
  size_t left = slices * kMp3Slice;
  for (size_t slice = 0; left > 0; slice += kBatch) {
    float pcm[kBatch * kSlice];
    for (int s = 0; s < kBatch; ++s) {
      if (slice + s < slices) {
        source.Render(slice + s, pcm + s * kSlice);
      } else {
        std::fill(pcm + s * kSlice, pcm + (s + 1) * kSlice, 0.0f);
      }
    }
    float thinned[kThinned];
    thinner.Process(pcm, kBatch * kSlice, thinned);
    for (float& sample : thinned) sample *= undo;
    const int n = static_cast<int>(std::min<size_t>(left, static_cast<size_t>(kThinned - skip)));
    const int size =
        lame_encode_buffer_ieee_float(lame.get(), thinned + skip, thinned + skip, n, encoded, sizeof encoded);
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

  PeakWatch watch(true_peak_max, [&](size_t chunk, float peak) {
    const size_t first = chunk * PeakWatch::kChunk / kMp3Slice, last = ((chunk + 1) * PeakWatch::kChunk - 1) / kMp3Slice;
    for (size_t slice = first; slice <= last; ++slice) {
      if (slice < slices) rendition.overshoots.push_back({slice, peak / true_peak_max});
    }
  });
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
