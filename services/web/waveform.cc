#include "web/waveform.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace ringback::web {

namespace {
constexpr size_t kBinsPerStroke = 4;
}

std::string WavePath(std::string_view bins) {
  if (bins.empty()) return "";
  const auto level = [&bins](size_t i) -> int { return i < bins.size() ? static_cast<unsigned char>(bins[i]) : 0; };
  int loudest = 1;
  for (size_t i = 0; i < bins.size(); ++i) loudest = std::max(loudest, level(i));

  constexpr int kMiddle = kWaveHeight / 2;
  constexpr int kMost = kMiddle - 2;  // round ends need room
  const size_t strokes = (bins.size() + kBinsPerStroke - 1) / kBinsPerStroke;
  std::string path;
  path.reserve(strokes * 12);
  for (size_t i = 0; i < strokes; ++i) {
    int level_here = 0;
    for (size_t bin = i * kBinsPerStroke; bin < (i + 1) * kBinsPerStroke; ++bin) level_here = std::max(level_here, level(bin));
    const int half = std::max(1, kMost * level_here / loudest);
    const int x = static_cast<int>((2 * i + 1) * kWaveWidth / (2 * strokes));
    absl::StrAppend(&path, "M", x, " ", kMiddle - half, "v", 2 * half);
  }
  return path;
}

}  // namespace ringback::web
