// Integrated loudness (ITU-R BS.1770-4, EBU R 128) from the K-weighted energies of milliseconds. Since a limiter's gain
// hardly moves within a millisecond, the loudness after it follows from the same energies, without filtering again.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ringback::transcode {

inline constexpr double kSilent_lufs = -120;

// In LUFS, with both gates; kSilent_lufs when nothing passes the absolute gate. `gains` is empty or one factor per
// energy; a slice has `slice_samples`. Shorter than 400 ms: taken as one block.
double IntegratedLoudness(std::span<const float> energies, std::span<const float> gains = {}, int slice_samples = 48);

// Where the speech is, in slices.
struct SpeechMap {
  size_t begin = 0, end = 0;   // From the first to the last speech; equal when there is none.
  double speech_s = 0;
  double noise_floor_db = -120;   // K-weighted level of the quietest tenth of a second in twenty.
  double speech_level_db = -120;  // K-weighted mean level of the speech.
};
SpeechMap FindSpeech(std::span<const float> energies, double loudness_lufs);

}  // namespace ringback::transcode
