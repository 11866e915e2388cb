// Cookies read and written (RFC 6265).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace ringback::http {

// The value of the first cookie of that name in a Cookie header; "" when there is none.
std::string CookieOf(std::string_view cookie_header, std::string_view name);

struct Cookie {
  std::string name;   // a token (RFC 9110, 5.6.2); names with "__Host-" need secure and the path "/"
  std::string value;  // no blanks, quotes, commas, semicolons, backslashes or control characters
  std::string path = "/";
  std::optional<std::chrono::seconds> max_age;  // 0 removes it; none: until the browser is closed
  bool secure = true;
  bool http_only = true;
  enum class SameSite { kStrict, kLax };
  SameSite same_site = SameSite::kLax;
};

// What stands behind "Set-Cookie: ". CHECKs the rules above: names and values are the program's own.
std::string SetCookie(const Cookie& cookie);

}  // namespace ringback::http
