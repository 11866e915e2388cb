// The engine's parts against independent references: libebur128 for loudness and true peak, arithmetic for the rest.
#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transcode/codec/decoder.h"
#include "transcode/codec/encoders.h"
#include "transcode/codec/limiter.h"
#include "transcode/codec/loudness.h"
#include "transcode/codec/sniff.h"
#include "transcode/codec/take.h"
#include "transcode/codec/true_peak.h"
#include "transcode/codec/wire.h"

namespace ringback::transcode {
namespace {

// Bursts of a harmonic tone with pauses and rare spikes: loud and quiet, with a high crest, as speech is.
std::vector<float> Bursts(double seconds, double level) {
  std::vector<float> samples(static_cast<size_t>(seconds * kRate));
  uint32_t random = 12345;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / kRate;
    const double word = std::fmod(t, 0.7) < 0.5 ? 0.3 + 0.7 * std::sin(std::numbers::pi * std::fmod(t, 0.7) / 0.5) : 0;
    double value = 0;
    for (int h = 1; h <= 12; ++h) value += std::cos(2 * std::numbers::pi * 140 * h * t) / h;
    random = random * 1664525 + 1013904223;
    value = value * word + (static_cast<double>(random >> 8) / (1 << 24) - 0.5) * 0.01;
    samples[i] = static_cast<float>(level * value);
  }
  return samples;
}

struct Reference {
  double lufs = 0, true_peak = 0;
};
Reference Measure(const std::vector<float>& samples) {
  ebur128_state* state = ebur128_init(1, kRate, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
  ebur128_set_channel(state, 0, EBUR128_LEFT);
  ebur128_add_frames_float(state, samples.data(), samples.size());
  Reference reference;
  ebur128_loudness_global(state, &reference.lufs);
  ebur128_true_peak(state, 0, &reference.true_peak);
  ebur128_destroy(&state);
  return reference;
}

Take TakeOf(const std::vector<float>& samples) {
  Take take;
  // Uneven pieces, as decoders give them.
  for (size_t at = 0, n = 1; at < samples.size(); at += n, n = n * 7 % 1531 + 1) {
    n = std::min(n, samples.size() - at);
    take.Push(samples.data() + at, n);
  }
  take.Finish();
  return take;
}

TEST(LoudnessTest, AgreesWithLibebur128) {
  for (double level : {0.3, 0.02, 0.001}) {
    const std::vector<float> samples = Bursts(9.3, level);
    EXPECT_NEAR(IntegratedLoudness(TakeOf(samples).energies()), Measure(samples).lufs, 0.05) << level;
  }
}

TEST(LoudnessTest, AThousandHertzAtMinus23IsMinus23) {
  // EBU Tech 3341 case 1, one channel: 3 dB less than the same tone on two.
  std::vector<float> tone(20 * kRate);
  for (size_t i = 0; i < tone.size(); ++i) {
    tone[i] = static_cast<float>(std::pow(10, -23 / 20.0) * std::sin(2 * std::numbers::pi * 1000 * i / kRate));
  }
  EXPECT_NEAR(IntegratedLoudness(TakeOf(tone).energies()), -26.0, 0.1);
}

TEST(LoudnessTest, SilenceHasNone) {
  EXPECT_EQ(IntegratedLoudness(TakeOf(std::vector<float>(kRate, 0.0f)).energies()), kSilent_lufs);
  EXPECT_EQ(IntegratedLoudness({}), kSilent_lufs);
}

TEST(TakeTest, KeepsSixteenBitsOfQuietAndOverloadedSound) {
  for (float level : {3.0f, 1.0f, 1e-4f}) {
    const std::vector<float> samples = Bursts(0.5, level);
    const Take take = TakeOf(samples);
    std::vector<float> read(samples.size() + 200);
    take.Read(-100, static_cast<int>(read.size()), read.data());
    for (int i = 0; i < 100; ++i) EXPECT_EQ(read[static_cast<size_t>(i)], 0);
    for (size_t i = 0; i < samples.size(); ++i) ASSERT_NEAR(read[i + 100], samples[i], level * 1.5e-4);
  }
}

TEST(TruePeakTest, FindsThePeakBetweenTheSamples) {
  // A quarter of the rate, sampled at 45 degrees: every sample is 3 dB under the peak.
  std::vector<float> tone(kRate);
  for (size_t i = 0; i < tone.size(); ++i) {
    tone[i] = static_cast<float>(0.5 * std::sin(std::numbers::pi / 2 * static_cast<double>(i) + std::numbers::pi / 4));
  }
  EXPECT_NEAR(TakeOf(tone).SliceTruePeak(500), 0.5, 0.01);
  int reports = 0;
  PeakWatch counting(0.45f, [&](size_t, float) { ++reports; });
  counting.Push(tone.data(), 4800);
  counting.Finish();
  EXPECT_GE(reports, 98);
}

TEST(TruePeakTest, AWatchThatStepsBackForgets) {
  std::vector<float> quiet(1000, 0.1f), loud(1000, 0.4f);
  PeakWatch watch(0.9f, [](size_t, float) { FAIL(); });
  watch.Push(quiet.data(), quiet.size());
  const PeakWatch::State here = watch.state();
  watch.Push(loud.data(), loud.size());
  EXPECT_NEAR(watch.peak(), 0.4f, 0.001);
  watch.StepBack(here);
  watch.Push(quiet.data(), quiet.size());
  EXPECT_NEAR(watch.peak(), 0.1f, 0.001);
}

TEST(LimiterTest, MeetsTheTargetUnderTheCeiling) {
  for (double level : {0.5, 0.05, 0.002}) {
    const Take take = TakeOf(Bursts(8, level));
    Limiter limiter(take, 0, take.slices());
    const float ceiling = 0.75f;
    limiter.Solve(-16, ceiling);
    std::vector<float> out(limiter.slices() * kSlice);
    for (size_t slice = 0; slice < limiter.slices(); ++slice) limiter.Render(slice, out.data() + slice * kSlice);
    const Reference heard = Measure(out);
    EXPECT_NEAR(heard.lufs, -16, 0.15) << level;
    EXPECT_LE(heard.true_peak, ceiling * 1.02) << level;
    EXPECT_GT(limiter.limited_share(), 0.01);
  }
}

TEST(LimiterTest, SaysWhatItCosts) {
  const Take take = TakeOf(Bursts(4, 0.5));
  Limiter idle(take, 0, take.slices()), busy(take, 0, take.slices());
  idle.Solve(-30, 0.9f);
  EXPECT_EQ(idle.limited_share(), 0);
  EXPECT_NEAR(idle.taken_lu(), 0, 0.001);
  busy.Solve(-16, 0.5f);
  EXPECT_GT(busy.taken_lu(), 0.5);
  EXPECT_NEAR(busy.gain() / idle.gain(), std::pow(10, (busy.loudness() - idle.loudness() + busy.taken_lu()) / 20), 0.001);
}

TEST(LimiterTest, LoweringOnePlaceLowersOnlyThatPlace) {
  const Take take = TakeOf(Bursts(4, 0.5));
  Limiter before(take, 0, take.slices()), after(take, 0, take.slices());
  before.Solve(-16, 0.5f);
  after.Solve(-16, 0.5f);
  after.Lower(1000, 0.5f);
  after.Solve(-16, 0.5f);
  EXPECT_LE(after.PeakAfter(1000), 0.26f);
  EXPECT_NEAR(after.PeakAfter(3000), before.PeakAfter(3000), 0.02f);
}

std::vector<float> Listen(const std::string& rendition) {
  std::vector<float> samples;
  EXPECT_FALSE(Decode(rendition, {}, [&](const float* s, size_t n) { samples.insert(samples.end(), s, s + n); }).fatal);
  return samples;
}

TEST(RenditionTest, EncodersKeepTheLoudness) {
  const Take take = TakeOf(Bursts(8, 0.2));
  Limiter limiter(take, 0, take.slices());
  limiter.Solve(-16, 0.85f);
  EXPECT_NEAR(Measure(Listen(EncodeOpus(limiter, 40000, 0.9f).bytes)).lufs, -16, 0.15);
  const Rendition mp3 = EncodeMp3(limiter, 96, 0.9f);
  EXPECT_NEAR(Measure(Listen(mp3.bytes)).lufs, -16, 0.15);
  EXPECT_NEAR(mp3.loudness_lufs, -16, 0.15);
}

TEST(RenditionTest, OpusRepairsWhatItAdds) {
  const Take take = TakeOf(Bursts(8, 0.2));
  Limiter limiter(take, 0, take.slices());
  limiter.Solve(-20, 0.5f);
  // Little headroom: without repairs the encoder goes over many times.
  const float limit = 0.515f;
  const Rendition opus = EncodeOpus(limiter, 40000, limit);
  EXPECT_TRUE(opus.overshoots.empty());
  EXPECT_LE(opus.true_peak, limit);
  const Reference heard = Measure(Listen(opus.bytes));
  EXPECT_LE(heard.true_peak, limit * 1.012);  // Meters differ by 0.1 dB.
  EXPECT_NEAR(heard.lufs, -20, 0.5);
}

TEST(RenditionTest, Mp3SaysWhereItIsOver) {
  const Take take = TakeOf(Bursts(8, 0.2));
  Limiter limiter(take, 0, take.slices());
  limiter.Solve(-16, 0.5f);
  const Rendition mp3 = EncodeMp3(limiter, 96, 0.45f);
  ASSERT_FALSE(mp3.overshoots.empty());
  for (const Overshoot& over : mp3.overshoots) {
    // The limiter's loudest slices are what is over, within what the encoder smears.
    float loudest = 0;
    for (size_t i = over.slice < 4 ? 0 : over.slice - 4; i < std::min(limiter.slices(), over.slice + 5); ++i) {
      loudest = std::max(loudest, limiter.PeakAfter(i));
    }
    EXPECT_GT(loudest, 0.4f) << over.slice;
  }
}

TEST(SpeechTest, FindsBeginAndEndAndTheNoiseBetween) {
  std::vector<float> samples(static_cast<size_t>(2 * kRate), 0.0f);
  const std::vector<float> speech = Bursts(3.2, 0.3);
  samples.insert(samples.end(), speech.begin(), speech.end());
  samples.resize(samples.size() + kRate, 0.0f);
  const Take take = TakeOf(samples);
  const SpeechMap map = FindSpeech(take.energies(), IntegratedLoudness(take.energies()));
  EXPECT_NEAR(static_cast<double>(map.begin), 2000, 60);
  EXPECT_NEAR(static_cast<double>(map.end), 5200, 200);
  EXPECT_LT(map.noise_floor_db, -60);
}

TEST(SniffTest, KnowsTheAllowedContainersOnly) {
  EXPECT_EQ(Sniff(std::string("RIFF....WAVEfmt ")), Container::kWav);
  EXPECT_EQ(Sniff(std::string("RIFF....AVI LIST")), Container::kUnknown);
  EXPECT_EQ(Sniff(std::string("ID3\4\0\0\0\0\0\0..", 12)), Container::kMp3);
  EXPECT_EQ(Sniff(std::string("#!AMR-WB\n.......")), Container::kAmr);
  EXPECT_EQ(Sniff("#EXTM3U\nhttp://example.com"), Container::kUnknown);
  EXPECT_EQ(Sniff("\xFF\xFE a text with a byte order mark"), Container::kUnknown);
  EXPECT_EQ(Sniff(""), Container::kUnknown);
}

TranscodeResult Good() {
  TranscodeResult result;
  result.input_format = "wav";
  result.opus = "OggS";
  result.mp3 = "ID3";
  result.waveform = std::string(kWaveformBins, '\1');
  result.measurements.loudness_in_lufs = -20;
  result.measurements.channels_in = 2;
  result.findings = {{FindingCode::kClipped, Severity::kWarning, 0.25}};
  return result;
}

TEST(WireTest, AResultComesThroughWhole) {
  const auto copy = DecodeResult(EncodeResult(Good()));
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(copy->opus, "OggS");
  EXPECT_EQ(copy->waveform, Good().waveform);
  EXPECT_EQ(copy->measurements.loudness_in_lufs, -20);
  EXPECT_EQ(copy->measurements.channels_in, 2);
  EXPECT_EQ(copy->findings, Good().findings);
}

TEST(WireTest, ARequestComesThroughWhole) {
  TranscodeSettings settings;
  settings.duration_max_s = 120;
  const std::string request = EncodeRequestHeader(settings) + "bytes";
  const auto decoded = DecodeRequest(request);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->settings.duration_max_s, 120);
  EXPECT_EQ(decoded->bytes, "bytes");
  EXPECT_FALSE(DecodeRequest("bytes").has_value());
}

TEST(WireTest, NoPrefixAndNoSuffixOfAResultIsAResult) {
  const std::string bytes = EncodeResult(Good());
  for (size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeResult(bytes.substr(0, size)).ok()) << size;
  EXPECT_FALSE(DecodeResult(bytes + "x").ok());
}

TEST(WireTest, AResultThatContradictsItselfIsRefused) {
  TranscodeResult fatal = Good();
  fatal.findings[0].severity = Severity::kFatal;
  EXPECT_FALSE(DecodeResult(EncodeResult(fatal)).ok());
  TranscodeResult half = Good();
  half.mp3.clear();
  EXPECT_FALSE(DecodeResult(EncodeResult(half)).ok());
  TranscodeResult infinite = Good();
  infinite.measurements.gain_db = INFINITY;
  EXPECT_FALSE(DecodeResult(EncodeResult(infinite)).ok());
}

TEST(FindingTest, EveryFindingHasANameAndWordsInBothLanguages) {
  for (int code = 1; code <= static_cast<int>(FindingCode::kDecoderLimit); ++code) {
    const Finding finding{static_cast<FindingCode>(code), Severity::kWarning, 3};
    EXPECT_NE(FindingName(finding.code), "UNSPECIFIED") << code;
    EXPECT_NE(FindingText(finding, "de"), FindingText(finding, "en")) << code;
    EXPECT_NE(FindingText(finding, "de"), "unbekannter Befund") << code;
  }
}

}  // namespace
}  // namespace ringback::transcode
