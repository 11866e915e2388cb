#include "web/waveform.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ringback::web {
namespace {

TEST(WaveformTest, TwoHundredBinsAreFiftyStrokesWithinTheBox) {
  std::string bins(200, '\0');
  for (size_t i = 0; i < bins.size(); ++i) bins[i] = static_cast<char>(i);
  const std::string path = WavePath(bins);
  EXPECT_EQ(std::count(path.begin(), path.end(), 'M'), 50);
  EXPECT_EQ(path.substr(0, 10), "M4 31v2M12");
  // The loudest fills the height, but for its round ends.
  EXPECT_TRUE(path.ends_with("M396 2v60")) << path;
}

TEST(WaveformTest, SilenceAndQuietTakesArePicturesToo) {
  EXPECT_EQ(WavePath(""), "");
  EXPECT_EQ(WavePath(std::string(4, '\0')), "M200 31v2");
  EXPECT_EQ(WavePath(std::string("\1\1\1\1\2\2", 6)), "M100 17v30M300 2v60");
}

}  // namespace
}  // namespace ringback::web
