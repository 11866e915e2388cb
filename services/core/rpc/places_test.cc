#include "core/rpc/places.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringback::rpc {
namespace {

using ::testing::HasSubstr;

TEST(PlacesTest, OneAddressServesAllAndAPipelineNamesEach) {
  const auto one = ParsePlaces("127.0.0.1:7420").value();
  EXPECT_EQ(one.ingest, "127.0.0.1:7420");
  EXPECT_EQ(one.reminder, "127.0.0.1:7420");
  const auto several = ParsePlaces("delivery=127.0.0.1:2, ingest=127.0.0.1:1,reminder=https://calls.example.com,ingest=127.0.0.2:1").value();
  EXPECT_EQ(several.ingest, "ipv4:127.0.0.1:1,127.0.0.2:1");
  EXPECT_EQ(several.delivery, "127.0.0.1:2");
  EXPECT_EQ(several.reminder, "https://calls.example.com");
}

TEST(PlacesTest, WhatIsMissingOrUnknownIsNamed) {
  EXPECT_THAT(std::string(ParsePlaces("ingest=a:1,delivery=a:2").status().message()), HasSubstr("lacks reminder"));
  EXPECT_THAT(std::string(ParsePlaces("ingest=a:1,transcode=a:2").status().message()), HasSubstr("\"transcode\""));
  EXPECT_THAT(std::string(ParsePlaces("ingest=").status().message()), HasSubstr("no address for ingest"));
}

}  // namespace
}  // namespace ringback::rpc
