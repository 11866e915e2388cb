// What the customer wrote, out of the text of a mail: without the mail it answers, without signature, mobile footer and
// disclaimer. German and English, as Outlook, Gmail, Apple Mail, Thunderbird and phones write them. Pure.
//
// When in doubt a line stays: too much to read costs a moment, a lost sentence costs the customer's trust, and the original
// stays available anyway.
#pragma once

#include <string>
#include <string_view>

namespace ringback::delivery {

// Stands in a text for "from here on it is the mail that is answered", where HTML says so (html_text.h).
inline constexpr char kOriginalBegins = '\x1e';

// UTF-8 with LF in and out; quoted lines begin with ">". New words between quoted lines stay, in their order. A mail that
// holds nothing else than another's unquoted text (a forward without a comment, an answer below it) comes back whole.
std::string NewWords(std::string_view text);

}  // namespace ringback::delivery
