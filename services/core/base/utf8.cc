#include "core/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace ringback {
namespace {

// The text goes on with eight bytes of ASCII.
bool EightOfAscii(std::string_view text, size_t at) {
  uint64_t eight;
  if (text.size() - at < sizeof eight) return false;
  std::memcpy(&eight, text.data() + at, sizeof eight);
  return (eight & 0x8080808080808080u) == 0;
}

}  // namespace

size_t Utf8CharacterAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto more = [&](size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const unsigned lead = byte(at);
  if (lead < 0x80) return at < text.size() ? 1 : 0;
  if (lead >= 0xC2 && lead <= 0xDF) return more(at + 1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool valid = lead == 0xE0 ? byte(at + 1) >= 0xA0 : lead == 0xED ? byte(at + 1) < 0xA0 : true;
    return valid && more(at + 1) && more(at + 2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool valid = lead == 0xF0 ? byte(at + 1) >= 0x90 : lead == 0xF4 ? byte(at + 1) < 0x90 : true;
    return valid && more(at + 1) && more(at + 2) && more(at + 3) ? 4 : 0;
  }
  return 0;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (EightOfAscii(text, i)) {
      i += 8;
      continue;
    }
    const size_t size = Utf8CharacterAt(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

}  // namespace ringback
