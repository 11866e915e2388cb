#include "delivery/reason_line.h"

#include "absl/strings/ascii.h"
#include "core/base/utf8.h"

namespace ringback::delivery {

std::string ReasonLine(absl::string_view text, size_t bytes_max) {
  const bool utf8 = IsUtf8({text.data(), text.size()});
  std::string line;
  for (unsigned char c : text) {
    if (absl::ascii_iscntrl(c) || c == ' ') {
      if (!line.empty() && line.back() != ' ') line += ' ';
    } else {
      line += c >= 0x80 && !utf8 ? '?' : static_cast<char>(c);
    }
  }
  if (line.size() > bytes_max) {
    size_t size = bytes_max;
    while (size > 0 && (static_cast<unsigned char>(line[size]) & 0xC0) == 0x80) --size;
    line.resize(size);
  }
  return std::string(absl::StripAsciiWhitespace(line));
}

}  // namespace ringback::delivery
