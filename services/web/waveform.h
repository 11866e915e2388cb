// The picture of a voice message: its bins as the path of an SVG, so that it is there before and without any script. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ringback::web {

inline constexpr int kWaveWidth = 400;
inline constexpr int kWaveHeight = 64;

// The data of a path of upright strokes, one for every four bins (the loudest counts), in a box of kWaveWidth x kWaveHeight.
// The loudest stroke fills the height, so that a quiet take is a picture too. "" without bins.
std::string WavePath(std::string_view bins);

}  // namespace ringback::web
