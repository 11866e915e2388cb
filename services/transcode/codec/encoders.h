// The renditions: Ogg Opus (RFC 7845) and MP3, each encoded from the limiter's output and checked as a listener will
// decode it. Files by name: opus_rendition.cc knows libopus, mp3_rendition.cc knows LAME.
#pragma once

#include <string>
#include <vector>

#include "transcode/codec/limiter.h"
#include "transcode/transcode_result.h"

namespace ringback::transcode {

// Where a rendition decodes to more than it may.
struct Overshoot {
  size_t slice;   // Of the limiter's kept slices.
  float excess;   // True peak over the permitted one, above 1.
};

struct Rendition {
  std::string bytes;
  float true_peak = 0;  // As decoded, linear, overshoots apart.
  double loudness_lufs = 0;  // As decoded; EncodeMp3 only, which decodes the whole anyway.
  std::vector<Overshoot> overshoots;
};

// Deterministic. `true_peak_max` is linear and holds for the decoded rendition. Throws std::bad_alloc.
Rendition EncodeOpus(const Limiter& source, int bitrate, float true_peak_max);
Rendition EncodeMp3(const Limiter& source, int bitrate_max_kbps, float true_peak_max);

}  // namespace ringback::transcode
