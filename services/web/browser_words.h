// "Firefox on Linux" from a User-Agent header: enough to tell one's own sign-ins apart. Pure.
#pragma once

#include <string>
#include <string_view>

namespace ringback::web {

// "" when it says nothing that is known here.
std::string BrowserWords(std::string_view user_agent);

}  // namespace ringback::web
