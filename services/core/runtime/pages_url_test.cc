#include "core/runtime/pages_url.h"

#include <gtest/gtest.h>

namespace ringback::runtime {
namespace {

TEST(PagesUrlTest, StaffGoWhereThePagesAreAllCarried) {
  Config config;
  config.http_listen = "127.0.0.1:7421";
  EXPECT_EQ(StaffUrl(config), "http://127.0.0.1:7421");
  config.web_tls_certificate_file = "web.pem";
  EXPECT_EQ(StaffUrl(config), "https://127.0.0.1:7421");
  config.public_url = "https://call.example.com";
  EXPECT_EQ(StaffUrl(config), "https://call.example.com");
  config.web_public_listen = ":443";
  EXPECT_EQ(StaffUrl(config), "https://127.0.0.1:7421") << "the public listener carries no sign-in";
}

TEST(PagesUrlTest, WhatNamesNoHostIsNoAddress) {
  Config config;
  for (const char* every : {"", ":7421", "*:7421", "0.0.0.0:7421", "[::]:7421"}) {
    config.http_listen = every;
    EXPECT_EQ(StaffUrl(config), "") << every;
  }
  config.http_listen = "[::1]:7421";
  EXPECT_EQ(StaffUrl(config), "http://[::1]:7421");
}

}  // namespace
}  // namespace ringback::runtime
