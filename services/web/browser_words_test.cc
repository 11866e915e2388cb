#include "web/browser_words.h"

#include <gtest/gtest.h>

namespace ringback::web {
namespace {

TEST(BrowserWordsTest, BrowsersAndSystemsAreToldApart) {
  EXPECT_EQ(BrowserWords("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"), "Firefox on Linux");
  EXPECT_EQ(BrowserWords("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 "
                         "Safari/537.36 Edg/128.0.0.0"),
            "Edge on Windows");
  EXPECT_EQ(BrowserWords("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                         "Version/17.5 Mobile/15E148 Safari/604.1"),
            "Safari on iPhone");
  EXPECT_EQ(BrowserWords("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Mobile "
                         "Safari/537.36"),
            "Chrome on Android");
}

TEST(BrowserWordsTest, WhatIsNotKnownIsNotRepeated) {
  EXPECT_EQ(BrowserWords(""), "");
  EXPECT_EQ(BrowserWords("curl/8.0 <script>"), "");
  EXPECT_EQ(BrowserWords("something (Windows)"), "Windows");
}

}  // namespace
}  // namespace ringback::web
