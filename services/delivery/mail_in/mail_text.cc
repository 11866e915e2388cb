#include "delivery/mail_in/mail_text.h"

#include <iconv.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/utf8.h"

namespace ringback::delivery {
namespace {

constexpr char kReplacement[] = "\xEF\xBF\xBD";

void AppendRune(uint32_t rune, std::string* out) {
  if (rune < 0x80) {
    out->push_back(static_cast<char>(rune));
  } else if (rune < 0x800) {
    out->push_back(static_cast<char>(0xC0 | rune >> 6));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xE0 | rune >> 12));
    out->push_back(static_cast<char>(0x80 | (rune >> 6 & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (rune & 0x3F)));
  }
}

std::string FromWindows1252(std::string_view bytes) {
  static constexpr uint16_t kHigh[32] = {
      0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
      0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 8);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    AppendRune(byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80] : byte, &out);
  }
  return out;
}

std::string Utf8OrGuess(std::string_view bytes) {
  return IsUtf8(bytes) ? std::string(bytes) : FromWindows1252(bytes);
}

// C0 but tab and line feed, DEL, and C1 (in UTF-8 C2 80 to C2 9F).
bool IsControl(std::string_view text, size_t at, size_t size) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (size == 1) return byte < 0x20 || byte == 0x7F;
  return size == 2 && byte == 0xC2 && static_cast<unsigned char>(text[at + 1]) < 0xA0;
}

std::string Clean(std::string_view text, size_t bytes_max, bool one_line) {
  std::string guessed;
  if (!IsUtf8(text)) {
    guessed = FromWindows1252(text);
    text = guessed;
  }
  std::string out;
  out.reserve(std::min(text.size(), bytes_max));
  for (size_t i = 0; i < text.size();) {
    // Most of a mail: letters, digits and signs, taken as they are in one piece.
    size_t plain = i;
    while (plain < text.size() && text[plain] > ' ' && text[plain] < 0x7F) ++plain;
    if (plain > i && out.size() + (plain - i) <= bytes_max) {
      out.append(text, i, plain - i);
      i = plain;
      continue;
    }
    const size_t size = Utf8CharacterAt(text, i);
    char c = text[i];
    if (c == '\r') c = i + 1 < text.size() && text[i + 1] == '\n' ? '\0' : '\n';
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (one_line && (space || (size == 2 && text.substr(i, 2) == "\xC2\xA0"))) {
      if (!out.empty() && out.back() != ' ' && out.size() < bytes_max) out.push_back(' ');
    } else if (size == 1 && space) {
      if (out.size() >= bytes_max) break;
      out.push_back(c);
    } else if (!IsControl(text, i, size)) {
      if (out.size() + size > bytes_max) break;
      out.append(text, i, size);
    }
    i += size;
  }
  while (one_line && !out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool IsClean(std::string_view text, bool one_line) {
  for (size_t i = 0; i < text.size();) {
    const size_t size = Utf8CharacterAt(text, i);
    if (size == 0) return false;
    const bool allowed = !one_line && (text[i] == '\n' || text[i] == '\t');
    if (!allowed && IsControl(text, i, size)) return false;
    i += size;
  }
  return true;
}

// Kept open for ever: loaded before the sandbox closes, and quicker than opening one each time.
struct Converter {
  std::string charset;
  iconv_t handle;
};
std::vector<Converter>& Converters() {
  static auto& open = *new std::vector<Converter>();
  return open;
}

iconv_t Open(std::string_view charset) {
  const std::string name = absl::AsciiStrToLower(absl::string_view(charset.data(), charset.size()));
  for (const Converter& converter : Converters()) {
    if (converter.charset == name) return converter.handle;
  }
  if (name.empty() || name.size() > 40 || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") != std::string::npos) {
    return reinterpret_cast<iconv_t>(-1);
  }
  const iconv_t handle = iconv_open("utf-8", name.c_str());
  if (handle != reinterpret_cast<iconv_t>(-1) && Converters().size() < 200) Converters().push_back({name, handle});
  return handle;
}

std::string Convert(iconv_t converter, std::string_view bytes) {
  iconv(converter, nullptr, nullptr, nullptr, nullptr);
  std::string out;
  char* in = const_cast<char*>(bytes.data());
  size_t left = bytes.size();
  char buffer[4096];
  while (left > 0) {
    char* to = buffer;
    size_t room = sizeof buffer;
    const size_t result = iconv(converter, &in, &left, &to, &room);
    out.append(buffer, sizeof buffer - room);
    if (result != static_cast<size_t>(-1) || errno == E2BIG) continue;
    out += kReplacement;  // a byte that means nothing in this charset, or half a character at the end
    ++in, --left;
  }
  return out;
}

bool IsAddressCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || (c != '\0' && std::strchr("!#$%&'*+-/=?^_`{|}~.", c) != nullptr);
}

}  // namespace

std::string CleanLine(std::string_view text, size_t bytes_max) { return Clean(text, bytes_max, true); }
std::string CleanText(std::string_view text, size_t bytes_max) { return Clean(text, bytes_max, false); }
bool IsCleanLine(std::string_view text) { return IsClean(text, true); }
bool IsCleanText(std::string_view text) { return IsClean(text, false); }

std::string ToUtf8(std::string_view bytes, std::string_view charset, bool* known) {
  const std::string name = absl::AsciiStrToLower(absl::string_view(charset.data(), charset.size()));
  *known = true;
  if (name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii" || name == "ascii") return Utf8OrGuess(bytes);
  // Whoever says Latin-1 means Windows-1252 (WHATWG, Encoding Standard).
  if (name == "iso-8859-1" || name == "windows-1252" || name == "latin1" || name == "cp1252") {
    return FromWindows1252(bytes);
  }
  const iconv_t converter = Open(name);
  if (converter == reinterpret_cast<iconv_t>(-1)) {
    *known = false;
    return Utf8OrGuess(bytes);
  }
  return Convert(converter, bytes);
}

void LoadCharsets() {
  for (const char* charset :
       {"iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-9", "iso-8859-10",
        "iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16", "windows-1250", "windows-1251", "windows-1253", "windows-1254",
        "windows-1255", "windows-1256", "windows-1257", "windows-1258", "cp437", "cp850", "koi8-r", "koi8-u", "macintosh",
        "utf-7", "utf-16", "utf-16le", "utf-16be", "utf-32", "gb2312", "gbk", "gb18030", "big5", "shift_jis", "euc-jp",
        "iso-2022-jp", "euc-kr", "iso-2022-kr", "tis-620", "iso-8859-1", "windows-1252", "us-ascii"}) {
    Open(charset);
  }
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = absl::ascii_tolower(static_cast<unsigned char>(out[i]));
    // Ä Ö Ü and the other capitals of Latin-1.
    if (out[i] == '\xC3' && i + 1 < out.size()) {
      const auto next = static_cast<unsigned char>(out[i + 1]);
      if (next >= 0x80 && next <= 0x9E && next != 0x97) out[i + 1] = static_cast<char>(next + 0x20);
      ++i;
    }
  }
  return out;
}

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    lines.push_back(line);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::vector<std::string> Addresses(std::string_view text, size_t count_max) {
  std::vector<std::string> found;
  for (size_t at = text.find('@'); at != std::string_view::npos && found.size() < count_max; at = text.find('@', at + 1)) {
    size_t begin = at;
    while (begin > 0 && at - begin < 64 && IsAddressCharacter(text[begin - 1])) --begin;
    size_t end = at + 1;
    while (end < text.size() && end - at < 255 &&
           (absl::ascii_isalnum(static_cast<unsigned char>(text[end])) || text[end] == '-' || text[end] == '.')) {
      ++end;
    }
    while (end > at && text[end - 1] == '.') --end;
    if (begin == at || end <= at + 1) continue;
    const std::string_view domain = text.substr(at + 1, end - at - 1);
    found.push_back(std::string(text.substr(begin, at - begin + 1)) +
                    absl::AsciiStrToLower(absl::string_view(domain.data(), domain.size())));
  }
  return found;
}

std::string FirstAddress(std::string_view text) {
  const auto found = Addresses(text, 1);
  return found.empty() ? "" : found.front();
}

std::vector<std::string> MessageIds(std::string_view text, size_t count_max) {
  std::vector<std::string> ids;
  for (size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
    const size_t close = text.find('>', open);
    if (close == std::string_view::npos) break;
    const std::string id = CleanLine(text.substr(open + 1, close - open - 1), 1000);
    if (!id.empty() && id.size() <= 250) ids.push_back(id);
    if (ids.size() > count_max) ids.erase(ids.begin());  // the newest stand last
  }
  return ids;
}

}  // namespace ringback::delivery
