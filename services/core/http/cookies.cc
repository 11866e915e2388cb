#include "core/http/cookies.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/check.h"

namespace ringback::http {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool FitsIn(std::string_view text, std::string_view forbidden) {
  return std::all_of(text.begin(), text.end(), [forbidden](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c)) && forbidden.find(c) == std::string_view::npos;
  });
}

}  // namespace

std::string CookieOf(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const size_t end = header.find(';');
    const std::string_view pair = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || Trimmed(pair.substr(0, equals)) != name) continue;
    std::string_view value = Trimmed(pair.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return "";
}

std::string SetCookie(const Cookie& cookie) {
  RB_CHECK(!cookie.name.empty() && FitsIn(cookie.name, "()<>@,;:\\\"/[]?={}"));
  RB_CHECK(FitsIn(cookie.value, "\",;\\"));
  RB_CHECK(!cookie.path.empty() && cookie.path.front() == '/' && FitsIn(cookie.path, ";"));
  RB_CHECK(cookie.name.rfind("__Host-", 0) != 0 || (cookie.secure && cookie.path == "/"));
  std::string text = absl::StrCat(cookie.name, "=", cookie.value, "; Path=", cookie.path);
  if (cookie.max_age) absl::StrAppend(&text, "; Max-Age=", cookie.max_age->count());
  if (cookie.secure) absl::StrAppend(&text, "; Secure");
  if (cookie.http_only) absl::StrAppend(&text, "; HttpOnly");
  absl::StrAppend(&text, "; SameSite=", cookie.same_site == Cookie::SameSite::kStrict ? "Strict" : "Lax");
  return text;
}

}  // namespace ringback::http
