// Modified UTF-7: printable ASCII as it is, "&" as "&-", all else as UTF-16 in base64 between "&" and "-".
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "delivery/mailbox/imap_text.h"

namespace ringback::delivery {
namespace {

// The code point at *at, which moves behind it; -1 for broken UTF-8 (also surrogates and overlong forms).
int32_t NextCodePoint(absl::string_view text, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(i < text.size() ? text[i] : 0); };
  const unsigned char first = byte(*at);
  const int more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2
                   : first >= 0xF0 && first < 0xF5 ? 3 : -1;
  if (more < 0) return -1;
  int32_t point = more == 0 ? first : first & (0x3F >> more);
  for (int i = 1; i <= more; ++i) {
    if ((byte(*at + i) & 0xC0) != 0x80) return -1;
    point = point << 6 | (byte(*at + i) & 0x3F);
  }
  *at += 1 + more;
  const int32_t least = more == 2 ? 0x800 : more == 3 ? 0x10000 : 0;
  return point < least || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000) ? -1 : point;
}

std::string Base64Of(const std::string& utf16) {
  std::string text = absl::Base64Escape(utf16);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return absl::StrReplaceAll(text, {{"/", ","}});
}

}  // namespace

absl::StatusOr<std::string> ImapFolderName(absl::string_view utf8) {
  std::string name, utf16;
  const auto end_base64 = [&] {
    if (!utf16.empty()) absl::StrAppend(&name, "&", Base64Of(utf16), "-");
    utf16.clear();
  };
  const auto unit = [&](int32_t value) {
    utf16 += static_cast<char>(value >> 8);
    utf16 += static_cast<char>(value & 0xFF);
  };
  for (size_t at = 0; at < utf8.size();) {
    const int32_t point = NextCodePoint(utf8, &at);
    if (point < 0) return absl::InvalidArgumentError("the folder's name is not UTF-8");
    if (point >= 0x20 && point < 0x7F) {
      end_base64();
      name += static_cast<char>(point);
      if (point == '&') name += '-';
    } else if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xD800 + ((point - 0x10000) >> 10));
      unit(0xDC00 + ((point - 0x10000) & 0x3FF));
    }
  }
  end_base64();
  return name;
}

}  // namespace ringback::delivery
