#include "web/byte_range.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace ringback::web {
namespace {

// Digits only (a sign is malformed); a number too large for int64 is as good as the largest.
std::optional<int64_t> ParsePosition(absl::string_view text) {
  if (text.empty()) return std::nullopt;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return std::nullopt;
    const int64_t digit = c - '0';
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

absl::string_view Stripped(std::string_view text) {
  return absl::StripAsciiWhitespace(absl::string_view(text.data(), text.size()));
}

}  // namespace

ByteRange ParseRange(std::string_view header, int64_t total) {
  const ByteRange whole;
  absl::string_view text = Stripped(header);
  // Units are compared without case.
  if (!absl::StartsWithIgnoreCase(text, "bytes=")) return whole;
  text = absl::StripAsciiWhitespace(text.substr(6));
  const size_t dash = text.find('-');
  if (dash == absl::string_view::npos || absl::StrContains(text, ',')) return whole;
  const absl::string_view first_text = text.substr(0, dash);
  const absl::string_view last_text = text.substr(dash + 1);
  const std::optional<int64_t> last = ParsePosition(last_text);

  ByteRange part;
  if (first_text.empty()) {  // the last n bytes
    if (!last.has_value()) return whole;
    part.size = std::min(*last, total);
    part.offset = total - part.size;
  } else {
    const std::optional<int64_t> first = ParsePosition(first_text);
    if (!first.has_value() || (!last_text.empty() && !last.has_value())) return whole;
    if (last.has_value() && *last < *first) return whole;
    part.offset = *first;
    if (part.offset < total) part.size = last.has_value() ? std::min(*last, total - 1) - part.offset + 1 : total - part.offset;
  }
  part.kind = part.size > 0 ? ByteRange::Kind::kPart : ByteRange::Kind::kUnsatisfiable;
  return part;
}

bool RangeStillValid(std::string_view if_range, std::string_view etag) {
  return if_range.empty() || Stripped(if_range) == Stripped(etag);
}

bool NamesEtag(std::string_view if_none_match, std::string_view etag) {
  for (absl::string_view tag : absl::StrSplit(absl::string_view(if_none_match.data(), if_none_match.size()), ',')) {
    tag = absl::StripAsciiWhitespace(tag);
    if (tag == "*") return true;
    absl::ConsumePrefix(&tag, "W/");
    if (!tag.empty() && tag == Stripped(etag)) return true;
  }
  return false;
}

}  // namespace ringback::web
