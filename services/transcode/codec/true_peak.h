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
  void Finish();
  // Highest of the chunks that were not reported; those well below `level` count with their sample peak.
  float peak() const { return state_.peak; }

  // Where the watch stands, so that it can step back to there.
  struct State {
    std::array<float, kChunk + 2 * kTruePeakMargin> window{};
    size_t filled = kTruePeakMargin;  // The margin before the first sample is silence.
    size_t chunk_start = 0;
    float peak = 0;
  };
  const State& state() const { return state_; }
  void StepBack(const State& state) { state_ = state; }

 private:
  void Examine();

  const float level_;
  const std::function<void(size_t, float)> report_;
  State state_;
};

}  // namespace ringback::transcode
