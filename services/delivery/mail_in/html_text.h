// HTML of a mail as text, in the form that new_words.h reads: quoted originals as "> " lines, kOriginalBegins where a
// mail program marks the beginning of the original, signatures that it marks left out. Pure; any bytes may come in.
#pragma once

#include <string>
#include <string_view>

namespace ringback::delivery {

// UTF-8 in, UTF-8 out. Scripts, styles and comments leave nothing. Takes time in proportion to the input.
std::string HtmlToText(std::string_view html);

}  // namespace ringback::delivery
