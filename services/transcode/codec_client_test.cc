// The codec as the service uses it: the real child program, real speech in every format, and every kind of bad input.
#include "transcode/codec_client.h"

#include <ebur128.h>
#include <ogg/ogg.h>
#include <signal.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "transcode/codec/decoder.h"

namespace ringback::transcode {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// A sanitizer's codec runs without a limit on its memory (core/sandbox/serve.cc), has shadow beside it, and is slow.
constexpr bool kSanitized = true;
constexpr absl::Duration kLong = absl::Minutes(10);
#else
constexpr bool kSanitized = false;
constexpr absl::Duration kLong = absl::Seconds(60);
#endif
constexpr long kMemoryMax_kb = 256 << 10;

std::string Speech(const std::string& name) {
  std::ifstream in(std::string(RINGBACK_SPEECH_DIR) + "/" + name, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(bytes.empty()) << name;
  return bytes;
}

// As a listener hears a rendition, judged by libebur128 and not by our own meters.
struct Heard {
  double seconds = 0, lufs = 0, true_peak_dbtp = 0;
};

Heard Listen(const std::string& rendition) {
  std::vector<float> samples;
  DecodeOwn(rendition, [&](const float* s, size_t n) { samples.insert(samples.end(), s, s + n); });
  const bool opus = rendition.compare(0, 4, "OggS") == 0;
  const unsigned long rate = opus ? 48000 : 32000;
  ebur128_state* meter = ebur128_init(1, rate, EBUR128_MODE_I | EBUR128_MODE_TRUE_PEAK);
  ebur128_set_channel(meter, 0, EBUR128_LEFT);
  ebur128_add_frames_float(meter, samples.data(), samples.size());
  Heard heard;
  heard.seconds = static_cast<double>(samples.size()) / static_cast<double>(rate);
  double peak = 0;
  ebur128_loudness_global(meter, &heard.lufs);
  ebur128_true_peak(meter, 0, &peak);
  heard.true_peak_dbtp = 20 * std::log10(peak);
  ebur128_destroy(&meter);
  return heard;
}

// Peak resident memory of a process, 0 when it is gone.
long PeakMemory_kb(int pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  long kb = 0;
  while (status >> word) {
    if (word == "VmHWM:") status >> kb;
  }
  return kb;
}

void PutLe(std::string* out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out->push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

std::string Wav(uint16_t channels, uint32_t claimed_bytes, const std::string& data) {
  std::string wav = "RIFF";
  PutLe(&wav, claimed_bytes + 36, 4);
  wav += "WAVEfmt ";
  PutLe(&wav, 16, 4);
  PutLe(&wav, 1, 2);
  PutLe(&wav, channels, 2);
  PutLe(&wav, 48000, 4);
  PutLe(&wav, 48000u * 2 * channels, 4);
  PutLe(&wav, 2u * channels, 2);
  PutLe(&wav, 16, 2);
  wav += "data";
  PutLe(&wav, claimed_bytes, 4);
  return wav + data;
}

// Ogg Opus whose packets are one byte each: 60 ms of silence. 2.75 MB of it last for a day.
std::string DecompressionBomb(size_t bytes) {
  ogg_stream_state stream;
  ogg_stream_init(&stream, 1);
  std::string out;
  int64_t granule = 0, number = 0;
  const auto put = [&](std::string data, bool flush) {
    ogg_packet packet{};
    packet.packet = reinterpret_cast<unsigned char*>(data.data());
    packet.bytes = static_cast<long>(data.size());
    packet.b_o_s = number == 0;
    packet.packetno = number++;
    packet.granulepos = granule;
    ogg_stream_packetin(&stream, &packet);
    ogg_page page;
    while (flush ? ogg_stream_flush(&stream, &page) : ogg_stream_pageout(&stream, &page)) {
      out.append(reinterpret_cast<char*>(page.header), static_cast<size_t>(page.header_len));
      out.append(reinterpret_cast<char*>(page.body), static_cast<size_t>(page.body_len));
    }
  };
  std::string head = "OpusHead\x01\x01";
  PutLe(&head, 312, 2);
  PutLe(&head, 48000, 4);
  PutLe(&head, 0, 3);
  put(head, true);
  put(std::string("OpusTags") + std::string(8, '\0'), true);
  while (out.size() < bytes) {
    granule += 2880;
    put(std::string(1, '\x18'), false);
  }
  ogg_stream_clear(&stream);
  return out;
}

class CodecTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_EQ(std::system(RINGBACK_MAKE_SPEECH " " RINGBACK_SPEECH_DIR), 0);
    codec_ = new Codec({.program = RINGBACK_CODEC, .limits = {.cpu_per_job = kLong}});
  }
  static void TearDownTestSuite() {
    delete codec_;
    codec_ = nullptr;
  }

  TranscodeResult Run(std::string_view bytes, const TranscodeSettings& settings = {}) {
    auto result = codec_->Transcode(bytes, settings, kLong);
    EXPECT_TRUE(result.ok()) << result.status();
    for (int pid : codec_->ChildPids()) {
      const long kb = PeakMemory_kb(pid);
      if (!kSanitized) {
        EXPECT_LT(kb, kMemoryMax_kb);
      }
      peak_kb_ = std::max(peak_kb_, kb);
    }
    return result.ok() ? *result : TranscodeResult();
  }

  void ExpectFatal(std::string_view bytes, FindingCode code, const TranscodeSettings& settings = {}) {
    const TranscodeResult result = Run(bytes, settings);
    EXPECT_FALSE(result.ok());
    const Finding* finding = result.Find(code);
    ASSERT_NE(finding, nullptr) << FindingName(code) << " expected, found "
                                << (result.findings.empty() ? "nothing" : FindingName(result.findings[0].code));
    EXPECT_EQ(finding->severity, Severity::kFatal);
    EXPECT_TRUE(result.opus.empty() && result.mp3.empty() && result.waveform.empty());
  }

  static void ExpectGoodRenditions(const TranscodeResult& result) {
    ASSERT_TRUE(result.ok());
    for (const std::string* rendition : {&result.opus, &result.mp3}) {
      const Heard heard = Listen(*rendition);
      EXPECT_NEAR(heard.lufs, -16, 0.5);
      EXPECT_LE(heard.true_peak_dbtp, -1);
      EXPECT_NEAR(heard.seconds, result.measurements.duration_out_s, 0.05);
    }
    EXPECT_NEAR(result.measurements.loudness_out_lufs, -16, 0.5);
    EXPECT_LE(result.measurements.true_peak_out_dbtp, -1);
    EXPECT_EQ(result.waveform.size(), static_cast<size_t>(kWaveformBins));
    EXPECT_EQ(static_cast<uint8_t>(*std::max_element(result.waveform.begin(), result.waveform.end(),
                                                     [](uint8_t a, uint8_t b) { return a < b; })),
              255);
  }

  static Codec* codec_;
  long peak_kb_ = 0;
};
Codec* CodecTest::codec_ = nullptr;

struct Format {
  const char* file;
  const char* name;
  int rate, channels;
};

TEST_F(CodecTest, EveryFormatBecomesRenditionsAtOneLoudness) {
  for (const Format& format : {Format{"speech.wav", "wav", 48000, 1}, Format{"s24.wav", "wav", 48000, 1},
                               Format{"f32.wav", "wav", 48000, 1}, Format{"alaw.wav", "wav", 8000, 1},
                               Format{"stereo44.wav", "wav", 44100, 2}, Format{"six_channels.wav", "wav", 48000, 6},
                               Format{"speech.flac", "flac", 48000, 1}, Format{"speech.mp3", "mp3", 48000, 1},
                               Format{"speech.ogg", "ogg", 48000, 1}, Format{"speech.webm", "webm", 48000, 1},
                               Format{"live.webm", "webm", 48000, 1}, Format{"speech.m4a", "mp4", 48000, 1},
                               Format{"index_last.m4a", "mp4", 48000, 1}, Format{"speech.amr", "amr", 8000, 1}}) {
    SCOPED_TRACE(format.file);
    const TranscodeResult result = Run(Speech(format.file));
    EXPECT_EQ(result.input_format, format.name);
    EXPECT_EQ(result.measurements.sample_rate_in, format.rate);
    EXPECT_EQ(result.measurements.channels_in, format.channels);
    EXPECT_NEAR(result.measurements.duration_in_s, 12, 0.1);
    EXPECT_TRUE(result.findings.empty()) << FindingName(result.findings[0].code);
    ExpectGoodRenditions(result);
  }
}

TEST_F(CodecTest, PeakySpeechMeetsLoudnessAndTruePeak) {
  for (const char* file : {"peaky.wav", "bench_10.wav", "bench_60.webm"}) {
    SCOPED_TRACE(file);
    const TranscodeResult result = Run(Speech(file));
    ExpectGoodRenditions(result);
    EXPECT_GT(result.measurements.limited_share, 0.001);
  }
}

TEST_F(CodecTest, RealVoicesMeetLoudnessAndTruePeak) {
  for (const char* file : {"bench_real.wav", "bench_real_peaky.wav"}) {
    SCOPED_TRACE(file);
    const TranscodeResult result = Run(Speech(file));
    EXPECT_TRUE(result.findings.empty()) << FindingName(result.findings[0].code);
    ExpectGoodRenditions(result);
  }
}

TEST_F(CodecTest, TheSameBytesGiveTheSameRenditions) {
  const std::string take = Speech("stereo44.wav");
  const TranscodeResult first = Run(take), second = Run(take);
  EXPECT_EQ(first.opus, second.opus);
  EXPECT_EQ(first.mp3, second.mp3);
  EXPECT_EQ(first.waveform, second.waveform);
}

TEST_F(CodecTest, AMinuteOfMp3IsUnderAMegabyte) {
  const TranscodeResult result = Run(Speech("bench_60.wav"));
  EXPECT_LT(result.mp3.size(), 1'000'000u);
  EXPECT_LT(result.opus.size(), 400'000u);
}

TEST_F(CodecTest, SilenceAroundTheSpeechIsTrimmed) {
  const TranscodeResult plain = Run(Speech("speech.wav")), padded = Run(Speech("padded.wav"));
  EXPECT_NEAR(padded.measurements.duration_in_s, 19, 0.1);
  EXPECT_LT(padded.measurements.duration_out_s, 12.5);
  EXPECT_GT(padded.measurements.duration_out_s, plain.measurements.duration_out_s - 0.5);
  EXPECT_NEAR(padded.measurements.speech_s, plain.measurements.speech_s, 0.3);
  ExpectGoodRenditions(padded);
}

TEST_F(CodecTest, AQuietTakeIsRaisedAndSaid) {
  const TranscodeResult result = Run(Speech("quiet.wav"));
  ExpectGoodRenditions(result);
  ASSERT_NE(result.Find(FindingCode::kTooQuiet), nullptr);
  EXPECT_EQ(FindingText(*result.Find(FindingCode::kTooQuiet), "de"), "leise: näher ans Mikrofon");
}

TEST_F(CodecTest, AClippedTakeIsSaid) {
  const TranscodeResult result = Run(Speech("clipped.wav"));
  ExpectGoodRenditions(result);
  EXPECT_NE(result.Find(FindingCode::kClipped), nullptr);
  EXPECT_GT(result.measurements.clipped_share, 0.01);
}

TEST_F(CodecTest, ANoisyTakeIsSaid) {
  const TranscodeResult result = Run(Speech("noisy.wav"));
  // Hiss over 16 kHz is missing in the MP3, and still both have the loudness.
  ExpectGoodRenditions(result);
  EXPECT_NE(result.Find(FindingCode::kNoisy), nullptr);
  EXPECT_GT(result.measurements.noise_floor_dbfs, -50);
}

TEST_F(CodecTest, SilenceIsNoMessage) { ExpectFatal(Speech("silence.wav"), FindingCode::kNoSpeech); }

TEST_F(CodecTest, WhatIsNotAudioIsRefused) {
  ExpectFatal("", FindingCode::kNotAudio);
  ExpectFatal("x", FindingCode::kNotAudio);
  ExpectFatal(Speech("text.txt"), FindingCode::kNotAudio);
  ExpectFatal(std::string(100'000, '\0'), FindingCode::kNotAudio);
  ExpectFatal("#EXTM3U\nfile:///etc/passwd\n", FindingCode::kNotAudio);
}

TEST_F(CodecTest, AHeaderWithNothingBehindItIsRefused) {
  for (const char* file : {"speech.wav", "speech.flac", "speech.ogg", "speech.webm", "speech.m4a", "speech.amr"}) {
    SCOPED_TRACE(file);
    for (size_t size : {12u, 20u, 44u}) {
      const TranscodeResult result = Run(Speech(file).substr(0, size));
      EXPECT_FALSE(result.ok());
    }
  }
}

TEST_F(CodecTest, ATruncatedTakeIsRefusedAndSaysWhereItBreaksOff) {
  for (const char* file : {"speech.wav", "speech.flac", "speech.mp3", "speech.ogg", "speech.webm", "speech.m4a"}) {
    SCOPED_TRACE(file);
    const std::string whole = Speech(file);
    const TranscodeResult result = Run(whole.substr(0, whole.size() * 6 / 10 + 7));
    EXPECT_FALSE(result.ok());
    ASSERT_NE(result.Find(FindingCode::kTruncated), nullptr);
    EXPECT_NEAR(result.Find(FindingCode::kTruncated)->value, 7, 2.5);
  }
}

TEST_F(CodecTest, AWavStreamedThroughAPipeIsWhole) {
  const std::string data = Speech("speech.wav").substr(44);
  for (const uint32_t placeholder : {0u, 0xFFFFFFFFu, 0x7FFFFFFFu, 0x80000000u, 0x7FFFF000u}) {
    const TranscodeResult result = Run(Wav(1, placeholder, data));
    EXPECT_TRUE(result.ok()) << placeholder;
    EXPECT_EQ(result.Find(FindingCode::kTruncated), nullptr) << placeholder;
  }
}

TEST_F(CodecTest, ATruncatedTakeUnderTheMinimumFails) {
  ExpectFatal(Speech("speech.wav").substr(0, 100'000), FindingCode::kTooShort);
}

TEST_F(CodecTest, AnMp4WithoutItsIndexFails) {
  const std::string whole = Speech("index_last.m4a");
  ExpectFatal(whole.substr(0, whole.size() / 2), FindingCode::kDecodeError);
}

TEST_F(CodecTest, OneSampleIsTooShort) {
  ExpectFatal(Wav(1, 2, std::string(2, '\x40')), FindingCode::kTooShort);
  ExpectFatal(Speech("short.wav"), FindingCode::kTooShort);
}

TEST_F(CodecTest, TheMinimumIsASetting) {
  TranscodeSettings settings;
  settings.duration_min_s = 0.5;
  EXPECT_TRUE(Run(Speech("short.wav"), settings).ok());
}

TEST_F(CodecTest, TwoHundredChannelsAreTooMany) {
  const std::string data(200 * 2 * 4800, '\x11');
  const std::string wav = Wav(200, static_cast<uint32_t>(data.size()), data);
  ExpectFatal(wav, FindingCode::kTooManyChannels);
  EXPECT_EQ(Run(wav).Find(FindingCode::kTooManyChannels)->value, 200);
}

TEST_F(CodecTest, AHeaderThatClaimsGigabytesIsRefused) {
  const std::string data = Speech("speech.wav").substr(44);
  ExpectFatal(Wav(1, 3'500'000'000u, data), FindingCode::kTruncated);
  ExpectFatal(Wav(1, 3'500'000'000u, ""), FindingCode::kTooShort);
}

TEST_F(CodecTest, TheCapHoldsForWhatIsDecoded) {
  const std::string bomb = DecompressionBomb(2'750'000);
  ExpectFatal(bomb, FindingCode::kTooLong);
  TranscodeSettings settings;
  settings.duration_max_s = 10;
  ExpectFatal(Speech("speech.wav"), FindingCode::kTooLong, settings);
  settings.duration_max_s = 12;
  EXPECT_TRUE(Run(Speech("speech.wav"), settings).ok());
}

TEST_F(CodecTest, TheLargestUploadStaysUnderTheMemoryLimit) {
  // Ten minutes in stereo: 115 MB of request beside the decoded take.
  const std::string mono = Speech("ten_minutes.wav").substr(44);
  std::string stereo;
  stereo.reserve(mono.size() * 2);
  for (size_t i = 0; i + 2 <= mono.size(); i += 2) stereo.append(mono, i, 2).append(mono, i, 2);
  const TranscodeResult result = Run(Wav(2, static_cast<uint32_t>(stereo.size()), stereo));
  EXPECT_TRUE(result.ok()) << FindingName(result.findings.at(0).code);
  RecordProperty("codec_peak_memory_kb", static_cast<int>(peak_kb_));
  std::printf("peak memory of the codec, ten minutes of stereo WAV: %ld kB\n", peak_kb_);
}

TEST_F(CodecTest, DamagedFilesNeverTakeTheParentDown) {
  uint64_t random = 88172645463325252ull;
  const auto next = [&random] {
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    return random;
  };
  for (const char* file : {"speech.wav", "speech.flac", "speech.mp3", "speech.ogg", "live.webm", "speech.m4a",
                           "speech.amr"}) {
    SCOPED_TRACE(file);
    const std::string whole = Speech(file);
    for (int round = 0; round < 6; ++round) {
      std::string damaged = whole.substr(0, std::min<size_t>(whole.size(), 60'000));
      // The first bytes stay, so that the demuxer and not the sniffer meets the damage.
      for (int i = 0; i < 40; ++i) {
        const size_t range = round % 2 == 0 ? std::min<size_t>(damaged.size(), 400) : damaged.size();
        damaged[12 + next() % (range - 12)] = static_cast<char>(next());
      }
      const auto result = codec_->Transcode(damaged, {}, kLong);
      EXPECT_TRUE(result.ok()) << result.status() << " in round " << round;
    }
  }
  EXPECT_TRUE(Run(Speech("speech.wav")).ok());
}

TEST_F(CodecTest, FloatsThatAreNoNumbersAreSilence) {
  std::string take = Speech("f32.wav");
  const float bad[] = {std::nanf(""), INFINITY, -INFINITY, 1e30f};
  for (size_t i = 0; i < 400; ++i) std::memcpy(take.data() + 2000 + i * 5000 / 4 * 4, &bad[i % 4], sizeof(float));
  const TranscodeResult result = Run(take);
  ASSERT_TRUE(result.ok());
  EXPECT_NEAR(result.measurements.loudness_out_lufs, -16, 0.6);
}

TEST(CodecFaultTest, ACrashIsAFindingAndTheNextJobGetsAnotherChild) {
  CodecOptions options{.program = RINGBACK_MISBEHAVING_CHILD};
  options.limits.memory_bytes = 64 << 20;
  options.limits.cpu_per_job = absl::Seconds(1);
  Codec codec(options);
  const auto finding = [&](std::string_view what, absl::Duration timeout) {
    const auto result = codec.Transcode(what, {}, timeout);
    EXPECT_TRUE(result.ok()) << result.status();
    EXPECT_FALSE(result->ok());
    return result->findings.at(0).code;
  };
  EXPECT_EQ(finding(" crash", kLong), FindingCode::kDecoderCrashed);
  EXPECT_EQ(finding(" nonsense for an answer", kLong), FindingCode::kDecoderCrashed);
  EXPECT_EQ(finding(" spin", kLong), FindingCode::kDecoderLimit);
  if (!kSanitized) {
    EXPECT_EQ(finding(" hog", kLong), FindingCode::kDecoderLimit);
  }
  EXPECT_EQ(finding(" exit", kLong), FindingCode::kDecoderCrashed);
}

TEST(CodecFaultTest, AChildKeptFromComputingIsNotTheRecordingsFault) {
  Codec codec({.program = RINGBACK_MISBEHAVING_CHILD});
  EXPECT_EQ(codec.Transcode(" sleep", {}, absl::Milliseconds(100)).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(codec.Transcode(" killed", {}, kLong).status().code(), absl::StatusCode::kUnavailable);
}

TEST(CodecFaultTest, ACodecThatIsNotThereIsAnErrorAndNotTheRecordingsFault) {
  Codec codec({.program = "/does/not/exist"});
  EXPECT_EQ(codec.Transcode("x", {}, kLong).status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace ringback::transcode
