// Whether bytes are UTF-8.
#pragma once

#include <string_view>

namespace ringback {

// By RFC 3629: nothing overlong, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace ringback
