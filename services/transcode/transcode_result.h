// What goes into a transcode and what comes out, as plain values. How it is done is in codec/, how the program that
// does it is called in codec_client.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringback::transcode {

struct TranscodeSettings {
  // Of what is decoded, whatever the header says. Longer takes are refused (the team's cap goes here).
  double duration_max_s = 600;
  double duration_min_s = 2;
  int channels_max = 8;
  // Integrated loudness of the renditions (EBU R 128 / ITU-R BS.1770-4) and highest true peak of what they decode to.
  double target_lufs = -16;
  double true_peak_max_dbtp = -1;
  int opus_bitrate = 40000;
  int mp3_bitrate_max_kbps = 96;  // It varies with the sound: 50 to 80 kb/s for speech.
};

enum class Severity : uint8_t {
  kNote = 0,     // Worth knowing.
  kWarning = 1,  // The renditions are there; the take could be better.
  kFatal = 2,    // No renditions.
};

// Stored and sent as numbers: append only.
enum class FindingCode : uint8_t {
  kUnspecified = 0,
  kNotAudio = 1,         // Empty, or no format of the allow-list.
  kDecodeError = 2,      // Damaged beyond use, or a codec outside the allow-list.
  kTruncated = 3,        // The file ends before its own claim; value: seconds decoded.
  kTooShort = 4,         // Value: seconds decoded.
  kTooLong = 5,          // Value: the cap in seconds.
  kTooManyChannels = 6,  // Value: channels.
  kNoSpeech = 7,         // Silence; value: loudness in LUFS.
  kTooQuiet = 8,         // Value: loudness in LUFS.
  kClipped = 9,          // Value: share of samples at full scale, 0 to 1.
  kNoisy = 10,           // Value: distance of speech to noise floor in dB.
  kDecoderCrashed = 11,  // The codec program died on this input.
  kDecoderLimit = 12,    // The codec program ran out of time or memory on this input.
};

struct Finding {
  FindingCode code = FindingCode::kUnspecified;
  Severity severity = Severity::kNote;
  double value = 0;
  bool operator==(const Finding&) const = default;
};

// "TOO_QUIET"
std::string_view FindingName(FindingCode code);
// One line for the rep, in "de" or (any other language) English: "leise: näher ans Mikrofon".
std::string FindingText(const Finding& finding, std::string_view language);

// Of the mono downmix at 48 kHz, unless said otherwise. Loudness that cannot be measured (silence) is -120.
struct Measurements {
  double duration_in_s = 0;   // As decoded.
  double duration_out_s = 0;  // After trimming; the length of each rendition.
  double loudness_in_lufs = -120;
  double loudness_out_lufs = -120;
  double true_peak_in_dbtp = -120;
  double true_peak_out_dbtp = -120;  // Highest of all renditions as decoded, where they were close to the limit.
  double clipped_share = 0;          // Of the input's samples, all channels.
  double speech_s = 0;
  double noise_floor_dbfs = -120;
  double gain_db = 0;          // Before the limiter.
  double limited_share = 0;    // Of the time, with more than 1 dB taken off by the limiter.
  int sample_rate_in = 0;
  int channels_in = 0;
  // What it took, by the codec's own clock: hearing the take, and making the renditions.
  double decode_ms = 0;
  double encode_ms = 0;
};

struct TranscodeResult {
  std::string input_format;  // "wav", "flac", "mp3", "ogg", "webm", "mp4", "amr"; empty when not recognised.
  std::string opus;          // Ogg Opus, mono 48 kHz.
  std::string mp3;           // Mono.
  std::string waveform;      // 200 bytes, 0 to 255, loudest bin 255.
  Measurements measurements;
  std::vector<Finding> findings;

  // Whether there are renditions.
  bool ok() const;
  const Finding* Find(FindingCode code) const;
};

inline constexpr int kWaveformBins = 200;

}  // namespace ringback::transcode
