#include "core/sandbox/fields.h"

#include <gtest/gtest.h>

#include <limits>

namespace ringback::sandbox {
namespace {

std::string Message() {
  FieldWriter w;
  w.Number<int32_t>(-7);
  w.Number(0.5);
  w.Flag(true);
  w.Count(2);
  w.Bytes("one");
  w.Bytes("");
  return w.Take();
}

// Whether all of it was there and right.
bool ReadsWell(std::string_view bytes) {
  FieldReader r(bytes);
  r.Expect(r.Number<int32_t>() == -7);
  r.Expect(r.Real() == 0.5);
  r.Expect(r.Flag());
  r.Expect(r.Count(2) == 2);
  r.Expect(r.Bytes() == "one");
  r.Expect(r.Bytes().empty());
  return r.AtEnd();
}

TEST(Fields, WhatIsWrittenIsRead) { EXPECT_TRUE(ReadsWell(Message())); }

TEST(Fields, CutShortAnywhereOrWithMoreBehindItIsNotWell) {
  const std::string message = Message();
  for (size_t size = 0; size < message.size(); ++size) EXPECT_FALSE(ReadsWell(message.substr(0, size))) << size;
  EXPECT_FALSE(ReadsWell(message + "x"));
}

TEST(Fields, ALengthOverTheRestReadsNothing) {
  FieldWriter w;
  w.Number(std::numeric_limits<uint64_t>::max());
  const std::string bytes = w.Take() + "abc";
  FieldReader r(bytes);
  EXPECT_EQ(r.Bytes(), "");
  EXPECT_FALSE(r.good());
}

TEST(Fields, ACountOverItsMostOrOverTheRestIsNone) {
  FieldWriter w;
  w.Count(3);
  const std::string bytes = w.Take() + "abc";
  EXPECT_EQ(FieldReader(bytes).Count(3), 3u);
  EXPECT_EQ(FieldReader(bytes).Count(2), 0u);
  EXPECT_EQ(FieldReader(bytes.substr(0, 6)).Count(3), 0u);
}

TEST(Fields, OnlyZeroAndOneAreFlagsAndOnlyFiniteNumbersAreReal) {
  FieldReader flag("\x02");
  flag.Flag();
  EXPECT_FALSE(flag.good());
  FieldWriter w;
  w.Number(std::numeric_limits<double>::infinity());
  const std::string bytes = w.Take();
  FieldReader real(bytes);
  real.Real();
  EXPECT_FALSE(real.good());
}

TEST(Fields, OnceWrongIsWrongForEver) {
  FieldReader r("abcd");
  r.Expect(false);
  EXPECT_EQ(r.Number<uint32_t>(), 0u);
  EXPECT_FALSE(r.good());
  EXPECT_EQ(r.rest(), "abcd");
}

}  // namespace
}  // namespace ringback::sandbox
