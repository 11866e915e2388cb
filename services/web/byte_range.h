// HTTP byte ranges (RFC 9110, section 14): one range per answer. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringback::web {

struct ByteRange {
  enum class Kind {
    kWhole,          // no range, one that is malformed, of another unit, or several: answered in full (14.2 allows it)
    kPart,           // 206
    kUnsatisfiable,  // 416
  };
  Kind kind = Kind::kWhole;
  int64_t offset = 0;  // for kPart
  int64_t size = 0;    // for kPart; above 0
};

// What a Range header asks of a representation of `total` bytes.
ByteRange ParseRange(std::string_view header, int64_t total);

// May a Range be honoured under this If-Range header? True when it is empty or the very `etag` (strong comparison; dates
// and weak tags never match, since no Last-Modified is sent).
bool RangeStillValid(std::string_view if_range, std::string_view etag);

// Does an If-None-Match header name the etag (weak comparison), or "*"?
bool NamesEtag(std::string_view if_none_match, std::string_view etag);

}  // namespace ringback::web
