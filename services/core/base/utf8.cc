#include "core/base/utf8.h"

#include <cstdint>

namespace ringback {

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t bytes = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (bytes > 1 && (lead < 0xC2 || lead > 0xF4)) return false;
    if (text.size() - i < bytes) return false;
    uint32_t value = bytes == 1 ? lead : lead & (0x7F >> bytes);
    for (size_t k = 1; k < bytes; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xC0) != 0x80) return false;
      value = value << 6 | (next & 0x3F);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < kLeast[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return false;
    i += bytes;
  }
  return true;
}

}  // namespace ringback
