#include "core/http/cookies.h"

#include <gtest/gtest.h>

namespace ringback::http {
namespace {

TEST(CookiesTest, ACookieIsFoundByItsExactName) {
  const char header[] = "other=1; xringback=2;ringback=ss07abc ; ringback=late; quoted=\"q\"; bare; empty=";
  EXPECT_EQ(CookieOf(header, "ringback"), "ss07abc");
  EXPECT_EQ(CookieOf(header, "other"), "1");
  EXPECT_EQ(CookieOf(header, "quoted"), "q");
  for (const char* none : {"RINGBACK", "back", "bare", "empty", "none", ""}) EXPECT_EQ(CookieOf(header, none), "") << none;
  EXPECT_EQ(CookieOf("", "ringback"), "");
  EXPECT_EQ(CookieOf("ringback=a=b", "ringback"), "a=b");
}

TEST(CookiesTest, ACookieIsClosedUnlessSaidOtherwise) {
  Cookie cookie{"__Host-ringback", "ss07abc"};
  cookie.max_age = std::chrono::hours(24);
  EXPECT_EQ(SetCookie(cookie), "__Host-ringback=ss07abc; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax");
  Cookie open{"theme", "dark", "/m/"};
  open.secure = false;
  open.http_only = false;
  open.same_site = Cookie::SameSite::kStrict;
  EXPECT_EQ(SetCookie(open), "theme=dark; Path=/m/; SameSite=Strict");
}

TEST(CookiesDeathTest, WhatWouldBreakTheHeaderIsABug) {
  EXPECT_DEATH(SetCookie({"a", "b; Domain=evil.example"}), "");
  EXPECT_DEATH(SetCookie({"a", "b\r\nX: y"}), "");
  EXPECT_DEATH(SetCookie({"a b", "c"}), "");
  Cookie plain{"__Host-a", "b"};
  plain.secure = false;
  EXPECT_DEATH(SetCookie(plain), "") << "browsers would drop it in silence";
}

}  // namespace
}  // namespace ringback::http
