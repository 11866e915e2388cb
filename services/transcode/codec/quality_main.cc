// ringback-audio-quality: measures a rendition as a listener decodes it. For the bench and for people; nothing in
// production calls it.
//   ringback-audio-quality FILE [REFERENCE]     prints JSON: loudness and true peak (libebur128), and against a
//                                               reference the mel log-spectral distance in dB (lower is better),
//                                               at equal loudness, and of the spectrum's shape alone
#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "transcode/codec/decoder.h"
#include "transcode/codec/take.h"

namespace ringback::transcode {
namespace {

constexpr int kWindow = 2048, kHop = 480, kBands = 64;

std::vector<float> Load(const char* path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  TranscodeSettings settings;
  settings.duration_max_s = 1e6;
  std::vector<float> samples;
  const DecodeOutcome outcome = Decode(bytes, settings, [&](const float* s, size_t n) {
    samples.insert(samples.end(), s, s + n);
  });
  if (outcome.fatal || samples.empty()) {
    std::fprintf(stderr, "ringback-audio-quality: cannot decode %s\n", path);
    std::exit(1);
  }
  return samples;
}

struct Meter {
  double lufs = 0, true_peak_db = 0;
};

Meter Measure(const std::vector<float>& samples) {
  ebur128_state* state = ebur128_init(1, kRate, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
  ebur128_set_channel(state, 0, EBUR128_LEFT);
  ebur128_add_frames_float(state, samples.data(), samples.size());
  Meter meter;
  double peak = 0;
  ebur128_loudness_global(state, &meter.lufs);
  ebur128_true_peak(state, 0, &peak);
  meter.true_peak_db = 20 * std::log10(std::max(peak, 1e-6));
  ebur128_destroy(&state);
  return meter;
}

void Fft(std::vector<std::complex<float>>* data) {
  auto& x = *data;
  const size_t n = x.size();
  for (size_t i = 1, j = 0; i < n; ++i) {
    size_t bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) std::swap(x[i], x[j]);
  }
  for (size_t length = 2; length <= n; length <<= 1) {
    const float angle = -2 * std::numbers::pi_v<float> / static_cast<float>(length);
    for (size_t k = 0; k < length / 2; ++k) {
      const auto w = std::polar(1.0f, angle * static_cast<float>(k));
      for (size_t i = 0; i < n; i += length) {
        const auto u = x[i + k], v = x[i + k + length / 2] * w;
        x[i + k] = u + v;
        x[i + k + length / 2] = u - v;
      }
    }
  }
}

using MelFrame = std::vector<float>;

// Log power in dB in 64 mel bands from 50 Hz to 16 kHz, every 10 ms.
std::vector<MelFrame> MelSpectrum(const std::vector<float>& samples, double gain) {
  const auto mel = [](double hz) { return 1127 * std::log(1 + hz / 700); };
  const double low = mel(50), step = (mel(16000) - low) / kBands;
  std::vector<int> band(kWindow / 2, -1);
  for (int i = 0; i < kWindow / 2; ++i) {
    const double b = (mel(static_cast<double>(i) * kRate / kWindow) - low) / step;
    if (b >= 0 && b < kBands) band[static_cast<size_t>(i)] = static_cast<int>(b);
  }
  std::vector<MelFrame> frames;
  std::vector<std::complex<float>> buffer(kWindow);
  for (size_t at = 0; at + kWindow <= samples.size(); at += kHop) {
    for (int i = 0; i < kWindow; ++i) {
      const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * i / kWindow);
      buffer[static_cast<size_t>(i)] = static_cast<float>(samples[at + static_cast<size_t>(i)] * gain * window);
    }
    Fft(&buffer);
    std::vector<double> power(kBands, 0);
    std::vector<int> count(kBands, 0);
    for (int i = 0; i < kWindow / 2; ++i) {
      const int b = band[static_cast<size_t>(i)];
      if (b < 0) continue;
      power[static_cast<size_t>(b)] += std::norm(buffer[static_cast<size_t>(i)]);
      ++count[static_cast<size_t>(b)];
    }
    MelFrame frame;
    for (int b = 0; b < kBands; ++b) {
      const double mean = power[static_cast<size_t>(b)] / std::max(1, count[static_cast<size_t>(b)]);
      frame.push_back(static_cast<float>(10 * std::log10(mean / kWindow + 1e-9)));
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<double> Envelope(const std::vector<float>& samples) {
  std::vector<double> envelope;
  for (size_t at = 0; at + kSlice <= samples.size(); at += kSlice) {
    double sum = 0;
    for (int i = 0; i < kSlice; ++i) sum += samples[at + static_cast<size_t>(i)] * samples[at + static_cast<size_t>(i)];
    envelope.push_back(std::log10(sum + 1e-6));
  }
  return envelope;
}

// Samples by which the reference runs ahead: renditions are trimmed, and codecs delay.
long Alignment(const std::vector<float>& reference, const std::vector<float>& candidate) {
  const auto a = Envelope(reference), b = Envelope(candidate);
  long best = 0;
  double best_score = -1e300;
  for (long shift = -2000; shift <= 10000; ++shift) {
    double distance = 0;
    long n = 0;
    for (size_t i = 0; i < b.size(); i += 3) {
      const long k = static_cast<long>(i) + shift;
      if (k < 0 || k >= static_cast<long>(a.size())) continue;
      distance += std::fabs(a[static_cast<size_t>(k)] - b[i]);
      ++n;
    }
    if (n < static_cast<long>(b.size()) / 6) continue;
    if (-distance / static_cast<double>(n) > best_score) best_score = -distance / static_cast<double>(n), best = shift;
  }
  const auto correlation = [&](long offset) {
    double sum = 0;
    for (size_t i = 0; i < candidate.size(); i += 2) {
      const long k = static_cast<long>(i) + offset;
      if (k >= 0 && k < static_cast<long>(reference.size())) sum += reference[static_cast<size_t>(k)] * candidate[i];
    }
    return std::fabs(sum);
  };
  long exact = best * kSlice;
  double best_correlation = -1;
  for (long offset = best * kSlice - 144; offset <= best * kSlice + 144; ++offset) {
    const double c = correlation(offset);
    if (c > best_correlation) best_correlation = c, exact = offset;
  }
  return exact;
}

struct Distances {
  double at_equal_loudness = 0;  // Both brought to one integrated loudness: what a listener compares.
  double of_spectrum_shape = 0;  // Each frame brought to one level: what a leveller or limiter does slowly falls out.
};

// Root mean square over the bands, mean over the frames that are not pauses.
Distances Compare(std::vector<float> reference, std::vector<float> candidate, double reference_lufs, double lufs) {
  const long shift = Alignment(reference, candidate);
  if (shift > 0) reference.erase(reference.begin(), reference.begin() + shift);
  if (shift < 0) candidate.erase(candidate.begin(), candidate.begin() - shift);
  const auto a = MelSpectrum(reference, std::pow(10, (-16 - reference_lufs) / 20));
  const auto b = MelSpectrum(candidate, std::pow(10, (-16 - lufs) / 20));
  Distances sum;
  size_t n = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (*std::max_element(a[i].begin(), a[i].end()) < -40) continue;
    double square = 0, mean = 0;
    for (size_t k = 0; k < kBands; ++k) {
      const double d = std::max(a[i][k], -60.0f) - std::max(b[i][k], -60.0f);
      square += d * d / kBands;
      mean += d / kBands;
    }
    sum.at_equal_loudness += std::sqrt(square);
    sum.of_spectrum_shape += std::sqrt(std::max(0.0, square - mean * mean));
    ++n;
  }
  if (n == 0) return {};
  return {sum.at_equal_loudness / static_cast<double>(n), sum.of_spectrum_shape / static_cast<double>(n)};
}

}  // namespace
}  // namespace ringback::transcode

int main(int argc, char** argv) {
  using namespace ringback::transcode;
  if (argc != 2 && argc != 3) {
    std::fprintf(stderr, "usage: ringback-audio-quality FILE [REFERENCE]\n");
    return 2;
  }
  const std::vector<float> samples = Load(argv[1]);
  const Meter meter = Measure(samples);
  std::printf("{\"seconds\": %.3f, \"lufs\": %.2f, \"true_peak_dbtp\": %.2f", static_cast<double>(samples.size()) / kRate,
              meter.lufs, meter.true_peak_db);
  if (argc == 3) {
    const std::vector<float> reference = Load(argv[2]);
    const Distances d = Compare(reference, samples, Measure(reference).lufs, meter.lufs);
    std::printf(", \"mel_log_spectral_distance\": %.3f, \"shape_distance\": %.3f", d.at_equal_loudness,
                d.of_spectrum_shape);
  }
  std::printf("}\n");
}
