// Whether bytes are UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace ringback {

// Bytes of the character at `at`, 1 to 4; 0 when it is none by RFC 3629: overlong, a surrogate, above U+10FFFF, cut off.
size_t Utf8CharacterAt(std::string_view text, size_t at);

bool IsUtf8(std::string_view text);

}  // namespace ringback
