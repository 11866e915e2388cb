#include "transcode/codec/engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <thread>

#include "transcode/codec/decoder.h"
#include "transcode/codec/encoders.h"
#include "transcode/codec/limiter.h"
#include "transcode/codec/loudness.h"
#include "transcode/codec/take.h"
#include "transcode/codec/true_peak.h"

namespace ringback::transcode {
namespace {

// Kept before the first and after the last speech.
constexpr size_t kPadBefore = 150, kPadAfter = 250;
// Under the permitted true peak, for what the encoders add. Where they add more, Opus repairs the place, and for MP3
// Lower and a second encoding follow. Every 0.1 dB less of it saves a peaky take a twentieth of its limiting.
constexpr double kHeadroom_db = 0.65;
constexpr int kEncodingsMax = 4;
// On top of an overshoot, so that a second encoding is the last one.
constexpr float kRepair = 0.95f;
// Meters interpolate a little differently (libebur128 showed up to 0.03 dB more than ours on a few minutes of speech); a
// reader's must not show more than is permitted.
constexpr double kMeterTolerance_db = 0.1;
// Of the half LU of tolerance around the target a peaky take may use this much, which spares it a fifth of its limiting.
// As a share of the loudness that the limiter costs, so that even speech stays on the target. The rest of the tolerance
// is for the encoders (0.00 to 0.05 LU) and for Opus' repairs (up to 0.05).
constexpr double kGiveWayMax_lu = 0.32, kGiveWay = 0.5;
// A take full of hiss loses more in MP3, which ends at 16 kHz: when its rendition is further under the target than this,
// both are encoded again, louder.
constexpr double kUnderMax_lu = 0.42;

constexpr double kNoSpeech_lufs = -60;
constexpr double kNoSpeech_s = 0.2;
constexpr double kTooQuiet_lufs = -38;
constexpr double kClipped_share = 0.0005;
constexpr double kNoisy_db = 15;

using SteadyClock = std::chrono::steady_clock;

double MillisSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - begin).count();
}

double Db(double linear) { return linear <= 1e-6 ? -120 : 20 * std::log10(linear); }
float Linear(double db) { return static_cast<float>(std::pow(10, db / 20)); }

double InputTruePeak(const Take& take) {
  float highest = 0;
  for (float peak : take.peaks()) highest = std::max(highest, peak);
  float result = highest;
  for (size_t i = 0; i < take.slices(); ++i) {
    if (take.peaks()[i] * 1.3f > result) result = std::max(result, take.SliceTruePeak(i));
  }
  return Db(result);
}

std::string Waveform(const Limiter& source) {
  float bins[kWaveformBins] = {};
  float highest = 1e-9f;
  for (int b = 0; b < kWaveformBins; ++b) {
    const size_t from = source.slices() * static_cast<size_t>(b) / kWaveformBins;
    const size_t to = std::max(from + 1, source.slices() * static_cast<size_t>(b + 1) / kWaveformBins);
    for (size_t i = from; i < std::min(to, source.slices()); ++i) bins[b] = std::max(bins[b], source.PeakAfter(i));
    highest = std::max(highest, bins[b]);
  }
  std::string bytes;
  for (float bin : bins) bytes.push_back(static_cast<char>(std::lround(255 * bin / highest)));
  return bytes;
}

// Both renditions at the same time where there are two cores; only those that are asked for.
void EncodeBoth(const Limiter& source, const TranscodeSettings& settings, Rendition* opus, Rendition* mp3) {
  const float limit = Linear(settings.true_peak_max_dbtp - kMeterTolerance_db);
  std::exception_ptr failure;
  std::thread other;
  if (mp3 != nullptr) {
    other = std::thread([&] {
      try {
        *mp3 = EncodeMp3(source, settings.mp3_bitrate_max_kbps, limit);
      } catch (...) {
        failure = std::current_exception();
      }
    });
  }
  try {
    if (opus != nullptr) *opus = EncodeOpus(source, settings.opus_bitrate, limit);
  } catch (...) {
    if (other.joinable()) other.join();
    throw;
  }
  if (other.joinable()) other.join();
  if (failure) std::rethrow_exception(failure);
}

// Solves for the loudness that is asked for, or for a little less where that costs a peaky take much limiting. Returns
// what was solved for.
double SolveFor(double target_lufs, float ceiling, Limiter* limiter) {
  limiter->Solve(target_lufs, ceiling);
  const double less = std::min(kGiveWayMax_lu, limiter->taken_lu() * kGiveWay);
  if (less < 0.05) return target_lufs;
  limiter->Solve(target_lufs - less, ceiling);
  return target_lufs - less;
}

// The Opus encoder repairs its own overshoots as it goes. Where a rendition still decodes to more than it may, it is
// encoded again with the ceiling lowered at those places.
void Encode(const TranscodeSettings& settings, Limiter* limiter, TranscodeResult* result) {
  const float ceiling = Linear(settings.true_peak_max_dbtp - kHeadroom_db);
  Rendition opus, mp3;
  double target = SolveFor(settings.target_lufs, ceiling, limiter);
  EncodeBoth(*limiter, settings, &opus, &mp3);
  for (int round = 1; round < kEncodingsMax; ++round) {
    const double under = settings.target_lufs - mp3.loudness_lufs - kUnderMax_lu;
    const bool quiet = under > 0 && round == 1;
    const bool opus_over = !opus.overshoots.empty(), mp3_over = !mp3.overshoots.empty();
    if (!quiet && !opus_over && !mp3_over) break;
    if (quiet) target += under;
    for (const Rendition* rendition : {&opus, &mp3}) {
      for (const Overshoot& over : rendition->overshoots) {
        limiter->Lower(over.slice, limiter->Allowance(over.slice) * kRepair / over.excess);
      }
    }
    limiter->Solve(target, ceiling);
    EncodeBoth(*limiter, settings, quiet || opus_over ? &opus : nullptr, quiet || mp3_over ? &mp3 : nullptr);
  }
  result->opus = std::move(opus.bytes);
  result->mp3 = std::move(mp3.bytes);
  result->waveform = Waveform(*limiter);
  Measurements& m = result->measurements;
  float peak = std::max(opus.true_peak, mp3.true_peak);
  const float limit = Linear(settings.true_peak_max_dbtp);
  for (const Rendition* rendition : {&opus, &mp3}) {
    for (const Overshoot& over : rendition->overshoots) peak = std::max(peak, over.excess * limit);
  }
  m.true_peak_out_dbtp = Db(peak);
  m.loudness_out_lufs = mp3.loudness_lufs;
  m.gain_db = Db(limiter->gain());
  m.limited_share = limiter->limited_share();
  m.duration_out_s = static_cast<double>(limiter->slices()) / 1000;
}

}  // namespace

TranscodeResult Transcode(std::string bytes, size_t skip, const TranscodeSettings& settings) {
  TranscodeResult result;
  Measurements& m = result.measurements;
  const auto find = [&](FindingCode code, Severity severity, double value) {
    result.findings.push_back({code, severity, value});
  };

  const auto begin_decode = SteadyClock::now();
  Take take;
  const DecodeOutcome decoded = Decode(std::string_view(bytes).substr(skip), settings,
                                       [&](const float* samples, size_t count) { take.Push(samples, count); });
  bytes = std::string();
  take.Finish();
  m.decode_ms = MillisSince(begin_decode);
  result.input_format = ContainerName(decoded.container);
  m.sample_rate_in = decoded.sample_rate;
  m.channels_in = decoded.channels;
  m.duration_in_s = decoded.seconds;
  m.clipped_share = decoded.clipped_share;
  if (decoded.fatal) {
    result.findings.push_back(*decoded.fatal);
    return result;
  }
  if (decoded.seconds < settings.duration_min_s) {
    find(FindingCode::kTooShort, Severity::kFatal, decoded.seconds);
    return result;
  }
  // A message that breaks off before the promise is worse than none, and the rep is still there to record it again.
  if (decoded.truncated) {
    find(FindingCode::kTruncated, Severity::kFatal, decoded.seconds);
    return result;
  }

  m.loudness_in_lufs = IntegratedLoudness(take.energies());
  m.true_peak_in_dbtp = InputTruePeak(take);
  const SpeechMap speech = FindSpeech(take.energies(), m.loudness_in_lufs);
  m.speech_s = speech.speech_s;
  m.noise_floor_dbfs = speech.noise_floor_db;
  if (m.loudness_in_lufs < kNoSpeech_lufs || speech.speech_s < kNoSpeech_s || speech.begin == speech.end) {
    find(FindingCode::kNoSpeech, Severity::kFatal, m.loudness_in_lufs);
    return result;
  }
  if (m.loudness_in_lufs < kTooQuiet_lufs) find(FindingCode::kTooQuiet, Severity::kWarning, m.loudness_in_lufs);
  if (m.clipped_share > kClipped_share) find(FindingCode::kClipped, Severity::kWarning, m.clipped_share);
  const double distance_db = speech.speech_level_db - speech.noise_floor_db;
  if (distance_db < kNoisy_db) find(FindingCode::kNoisy, Severity::kWarning, distance_db);

  const size_t begin = speech.begin < kPadBefore ? 0 : speech.begin - kPadBefore;
  const size_t end = std::min(take.slices(), speech.end + kPadAfter);
  const auto begin_encode = SteadyClock::now();
  Limiter limiter(take, begin, end);
  Encode(settings, &limiter, &result);
  m.encode_ms = MillisSince(begin_encode);
  return result;
}

}  // namespace ringback::transcode
