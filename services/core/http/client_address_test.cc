#include "core/http/client_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringback::http {
namespace {

Proxies Believed(const char* list) {
  auto proxies = Proxies::Parse(list);
  EXPECT_TRUE(proxies.ok()) << proxies.status();
  return *std::move(proxies);
}

TEST(ClientAddressTest, WithoutProxiesOnlyTheConnectionCounts) {
  const Proxies none = Believed("");
  EXPECT_EQ(none.ClientAddress("203.0.113.9", "198.51.100.1"), "203.0.113.9");
  EXPECT_EQ(none.ClientAddress("::ffff:203.0.113.9", ""), "203.0.113.9");
  EXPECT_EQ(none.ClientAddress("2001:db8:0:0::1", ""), "2001:db8::1");
  EXPECT_EQ(none.ClientAddress("fe80::1%1", ""), "fe80::1");
}

TEST(ClientAddressTest, AProxyIsBelievedAsFarAsProxiesReach) {
  const Proxies proxies = Believed("10.0.0.5, 10.1.0.0/16,fd00::/8");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(proxies.ClientAddress("::ffff:10.0.0.5", "203.0.113.9"), "203.0.113.9");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "6.6.6.6, 203.0.113.9,10.1.2.3, fd00::7"), "203.0.113.9")
      << "what the client itself wrote stands further left";
  EXPECT_EQ(proxies.ClientAddress("10.0.0.6", "203.0.113.9"), "10.0.0.6") << "not one of ours";
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", ""), "10.0.0.5");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "10.1.2.3"), "10.1.2.3");
}

TEST(ClientAddressTest, PortsAndBracketsAreReadAndNonsenseEndsTheChain) {
  const Proxies proxies = Believed("10.0.0.5");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "203.0.113.9:4711"), "203.0.113.9");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "[2001:db8::1]:4711"), "2001:db8::1");
  EXPECT_EQ(proxies.ClientAddress("10.0.0.5", "2001:db8::1"), "2001:db8::1");
  for (const char* nonsense : {"unknown", "[2001", "203.0.113.9, unknown", "203.0.113.9 x"}) {
    EXPECT_EQ(proxies.ClientAddress("10.0.0.5", nonsense), "10.0.0.5") << nonsense;
  }
}

TEST(ClientAddressTest, NetworksHoldWhatTheirPrefixSays) {
  const Proxies proxies = Believed("192.0.2.128/25, 2001:db8::/33, 0.0.0.0/32");
  EXPECT_TRUE(proxies.Has("192.0.2.129"));
  EXPECT_FALSE(proxies.Has("192.0.2.127"));
  EXPECT_TRUE(proxies.Has("2001:db8:7fff::1"));
  EXPECT_FALSE(proxies.Has("2001:db8:8000::1"));
  EXPECT_FALSE(proxies.Has("1.2.3.4"));
  EXPECT_FALSE(proxies.Has("nonsense"));
  EXPECT_TRUE(Believed("0.0.0.0/0").Has("1.2.3.4"));
  EXPECT_FALSE(Believed("0.0.0.0/0").Has("::1"));
}

TEST(ClientAddressTest, WhatIsNoProxyIsNamed) {
  for (const char* wrong : {"proxy.example", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "fd00::/129", "10.0.0"}) {
    const auto proxies = Proxies::Parse(wrong);
    EXPECT_TRUE(absl::IsInvalidArgument(proxies.status())) << wrong;
    EXPECT_THAT(std::string(proxies.status().message()), ::testing::HasSubstr(wrong));
  }
}

}  // namespace
}  // namespace ringback::http
