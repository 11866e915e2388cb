// Recording bytes to mono PCM at 48 kHz, block by block, through libavformat and libavcodec with fixed lists of what is
// allowed and no input but memory. The only file that knows libav. What the sound is like is take.h's business.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "transcode/codec/sniff.h"
#include "transcode/transcode_result.h"

namespace ringback::transcode {

inline constexpr int kRate = 48000;

struct DecodeOutcome {
  Container container = Container::kUnknown;
  std::optional<Finding> fatal;  // Then nothing else is worth anything.
  bool truncated = false;        // The file ends before its own claim.
  int sample_rate = 0;
  int channels = 0;
  double seconds = 0;
  double clipped_share = 0;
};

// Samples, nominally -1 to 1; lossy formats may go over, nothing goes beyond ±32.
using PcmSink = std::function<void(const float* samples, size_t count)>;

// Decodes once, from start to end or to `duration_max_s`, whichever comes first. Throws std::bad_alloc.
DecodeOutcome Decode(std::string_view bytes, const TranscodeSettings& settings, const PcmSink& sink);

// A rendition that we made ourselves, at its own rate and without limits.
void DecodeOwn(std::string_view bytes, const PcmSink& sink);

// Loads what the first Decode would load, so that a child does it before it gives up opening files.
void WarmUpDecoder();

}  // namespace ringback::transcode
