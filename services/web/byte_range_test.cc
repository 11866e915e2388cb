#include "web/byte_range.h"

#include <gtest/gtest.h>

#include <limits>

namespace ringback::web {
namespace {

using Kind = ByteRange::Kind;

struct Case {
  const char* header;
  int64_t total;
  Kind kind;
  int64_t offset = 0;
  int64_t size = 0;
};

TEST(ByteRangeTest, HeadersMeanWhatRfc9110Says) {
  const Case cases[] = {
      {"bytes=0-99", 1000, Kind::kPart, 0, 100},
      {"bytes=0-0", 1000, Kind::kPart, 0, 1},
      {"bytes=500-", 1000, Kind::kPart, 500, 500},
      {"bytes=0-", 1000, Kind::kPart, 0, 1000},
      {"bytes=999-5000", 1000, Kind::kPart, 999, 1},
      {"bytes=-100", 1000, Kind::kPart, 900, 100},
      {"bytes=-5000", 1000, Kind::kPart, 0, 1000},
      {"Bytes=0-1", 1000, Kind::kPart, 0, 2},
      {"bytes=0-99999999999999999999999999", 1000, Kind::kPart, 0, 1000},
      // Unsatisfiable.
      {"bytes=1000-", 1000, Kind::kUnsatisfiable},
      {"bytes=1000-2000", 1000, Kind::kUnsatisfiable},
      {"bytes=99999999999999999999999999-", 1000, Kind::kUnsatisfiable},
      {"bytes=-0", 1000, Kind::kUnsatisfiable},
      {"bytes=0-", 0, Kind::kUnsatisfiable},
      {"bytes=-5", 0, Kind::kUnsatisfiable},
      // Ignored: no range, another unit, malformed, several.
      {"", 1000, Kind::kWhole},
      {"items=0-1", 1000, Kind::kWhole},
      {"bytes=", 1000, Kind::kWhole},
      {"bytes=-", 1000, Kind::kWhole},
      {"bytes=5", 1000, Kind::kWhole},
      {"bytes=9-5", 1000, Kind::kWhole},
      {"bytes=a-b", 1000, Kind::kWhole},
      {"bytes=1-2x", 1000, Kind::kWhole},
      {"bytes=--5", 1000, Kind::kWhole},
      {"bytes=+1-2", 1000, Kind::kWhole},
      {"bytes=0-1,5-6", 1000, Kind::kWhole},
  };
  for (const Case& c : cases) {
    const ByteRange range = ParseRange(c.header, c.total);
    EXPECT_EQ(static_cast<int>(range.kind), static_cast<int>(c.kind)) << c.header;
    if (c.kind != Kind::kPart) continue;
    EXPECT_EQ(range.offset, c.offset) << c.header;
    EXPECT_EQ(range.size, c.size) << c.header;
  }
}

TEST(ByteRangeTest, IfRangeMatchesOnlyTheSameStrongTag) {
  EXPECT_TRUE(RangeStillValid("", "\"a\""));
  EXPECT_TRUE(RangeStillValid("\"a\"", "\"a\""));
  EXPECT_FALSE(RangeStillValid("\"b\"", "\"a\""));
  EXPECT_FALSE(RangeStillValid("W/\"a\"", "\"a\""));
  EXPECT_FALSE(RangeStillValid("Mon, 23 Nov 2026 12:00:00 GMT", "\"a\""));
}

TEST(ByteRangeTest, IfNoneMatchTakesListsWeakTagsAndTheStar) {
  EXPECT_TRUE(NamesEtag("\"x\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(NamesEtag("*", "\"a\""));
  EXPECT_FALSE(NamesEtag("\"x\"", "\"a\""));
  EXPECT_FALSE(NamesEtag("", "\"a\""));
}

}  // namespace
}  // namespace ringback::web
