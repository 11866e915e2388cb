#include "web/session_gate.h"

#include <gtest/gtest.h>

namespace ringback::web {
namespace {

HttpRequest From(const std::string& fetch_site, const std::string& origin, const std::string& referer) {
  HttpRequest request;
  request.host = "calls.example.com:8443";
  request.sec_fetch_site = fetch_site;
  request.origin = origin;
  request.referer = referer;
  return request;
}

Sender SenderOf(const std::string& fetch_site, const std::string& origin, const std::string& referer,
                const std::string& public_url = "") {
  return web::SenderOf(From(fetch_site, origin, referer), public_url);
}

TEST(SenderTest, WhatTheBrowserSaysOfItselfCountsFirst) {
  EXPECT_EQ(SenderOf("same-origin", "null", ""), Sender::kOwn);
  for (const char* site : {"cross-site", "same-site", "none", "nonsense"}) {
    EXPECT_EQ(SenderOf(site, "https://calls.example.com:8443", ""), Sender::kForeign) << site;
  }
}

TEST(SenderTest, ElseTheOriginMustBeTheHostThatWasAskedFor) {
  EXPECT_EQ(SenderOf("", "https://calls.example.com:8443", "https://evil.example/"), Sender::kOwn);
  EXPECT_EQ(SenderOf("", "https://CALLS.example.com:8443", ""), Sender::kOwn);
  for (const char* origin : {"null", "https://evil.example", "https://calls.example.com", "https://calls.example.com:8443.evil.example",
                             "https://evil.example/calls.example.com:8443", "calls.example.com:8443", "https://"}) {
    EXPECT_EQ(SenderOf("", origin, ""), Sender::kForeign) << origin;
  }
}

TEST(SenderTest, ElseTheReferrerAndElseNobodyKnows) {
  EXPECT_EQ(SenderOf("", "", "https://calls.example.com:8443/sign-in"), Sender::kOwn);
  EXPECT_EQ(SenderOf("", "", "https://evil.example/?https://calls.example.com:8443/"), Sender::kForeign);
  EXPECT_EQ(SenderOf("", "", ""), Sender::kUnknown);
}

TEST(SenderTest, TheNameThatAProxyIsKnownByIsOwnToo) {
  EXPECT_EQ(SenderOf("", "https://ringback.example.com", "", "https://ringback.example.com"), Sender::kOwn);
  EXPECT_EQ(SenderOf("", "https://evil.example", "", "https://ringback.example.com"), Sender::kForeign);
}

TEST(SessionGateTest, TheCookieIsClosedToAllButThisHostOverHttps) {
  FakeClock clock(absl::FromUnixSeconds(1795435200));
  const SessionGate gate(nullptr, &clock, "");
  HttpRequest request;
  request.peer = "203.0.113.9";
  EXPECT_FALSE(gate.CookieName(request).has_value()) << "in clear over a network";
  request.secure = true;
  EXPECT_EQ(gate.CookieName(request), "__Host-ringback");
  EXPECT_EQ(gate.Keep(request, "ss07x", absl::Hours(1)),
            "__Host-ringback=ss07x; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(gate.Forget(request), "__Host-ringback=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
  request.cookie = "ringback=other; __Host-ringback=ss07x";
  EXPECT_EQ(gate.Secret(request), "ss07x");
  request.secure = false;
  EXPECT_EQ(gate.Secret(request), "");

  for (const char* here : {"127.0.0.1", "::1"}) {
    request.peer = here;
    EXPECT_EQ(gate.CookieName(request), "ringback");
    EXPECT_EQ(gate.Keep(request, "ss07x", absl::Hours(1)), "ringback=ss07x; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax");
  }
}

TEST(SessionGateTest, BehindAProxyTheNameThatWasAskedForTellsOfHttps) {
  FakeClock clock(absl::FromUnixSeconds(1795435200));
  const SessionGate gate(nullptr, &clock, "https://ringback.example.com");
  HttpRequest request;
  request.peer = "10.0.0.5";
  request.host = "ringback.example.com";
  EXPECT_EQ(gate.CookieName(request), "__Host-ringback");
  request.host = "10.0.0.7:7421";
  EXPECT_FALSE(gate.CookieName(request).has_value());
}

}  // namespace
}  // namespace ringback::web
