// Bytes of unknown origin to clean UTF-8, and small questions about text that several files of this room ask. Pure but for
// iconv.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringback::delivery {

// UTF-8 without control characters, at most `bytes_max` long, cut at a character's border; white space becomes one space
// and is cut at both ends. What is no UTF-8 is read as Windows-1252. Never fails.
std::string CleanLine(std::string_view text, size_t bytes_max);
// The same with line feeds and tabs kept; CRLF and CR become LF, NUL and other controls go.
std::string CleanText(std::string_view text, size_t bytes_max);
bool IsCleanLine(std::string_view text);
bool IsCleanText(std::string_view text);

// From the charset as the mail names it. What it cannot be read as is read as UTF-8, and what is not that as Windows-1252;
// `known` says whether the charset was one that this program knows.
std::string ToUtf8(std::string_view bytes, std::string_view charset, bool* known);
// Opens what ToUtf8 can need: in the sandbox no converter can be loaded any more.
void LoadCharsets();

// In lower case, German umlauts included.
std::string Lower(std::string_view text);
std::vector<std::string_view> Lines(std::string_view text);
std::string_view Trim(std::string_view text);

// Every local@domain in the text, as far as `count_max`; domains in lower case.
std::vector<std::string> Addresses(std::string_view text, size_t count_max);
// The first; "" when there is none.
std::string FirstAddress(std::string_view text);
// "a@b" of every <a@b>.
std::vector<std::string> MessageIds(std::string_view text, size_t count_max);

}  // namespace ringback::delivery
