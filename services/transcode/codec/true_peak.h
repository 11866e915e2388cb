// True peaks (ITU-R BS.1770-4 annex 2): the highest value between the samples too, by fourfold interpolation. Run only
// where the samples come near the level of interest, which makes it cheap.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

namespace ringback::transcode {

// Samples needed before the first and after the last one whose surroundings are examined.
inline constexpr int kTruePeakMargin = 8;

// Highest absolute value of the band-limited signal between samples[0] and samples[count]. `samples` must be readable
// from -kTruePeakMargin to count + kTruePeakMargin. `count` at most 64.
float TruePeak(const float* samples, int count);

// Watches a signal that arrives in pieces, in chunks of 48 samples.
class PeakWatch {
 public:
  static constexpr int kChunk = 48;
  // Calls `report(chunk index, true peak)` for every chunk whose true peak is over `level`.
  PeakWatch(float level, std::function<void(size_t, float)> report);

  void Push(const float* samples, size_t count);
  // Forgets what was pushed last and not yet examined; the next sample is number `at`.
  void Restart(size_t at);
  void Finish();
  // Highest of the chunks that were not reported; those well below `level` count with their sample peak.
  float peak() const { return peak_; }

 private:
  void Examine();

  const float level_;
  const std::function<void(size_t, float)> report_;
  std::array<float, kChunk + 2 * kTruePeakMargin> window_{};
  size_t filled_ = kTruePeakMargin;  // The margin before the first sample is silence.
  size_t chunk_start_ = 0;
  float peak_ = 0;
};

}  // namespace ringback::transcode
