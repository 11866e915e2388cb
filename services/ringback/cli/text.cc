// See text.h.
#include "ringback/cli/text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_split.h"

namespace ringback::cli {
namespace {

// Decodes the character at text[*at] and moves on; -1 for an invalid byte.
int32_t NextCharacter(std::string_view text, size_t* at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(*at);
  int length = 0;
  int32_t value = 0;
  if (first < 0x80) {
    ++*at;
    return first;
  }
  if (first >= 0xC2 && first < 0xE0) {
    length = 2, value = first & 0x1F;
  } else if (first >= 0xE0 && first < 0xF0) {
    length = 3, value = first & 0x0F;
  } else if (first >= 0xF0 && first < 0xF5) {
    length = 4, value = first & 0x07;
  }
  if (length == 0 || *at + length > text.size()) {
    ++*at;
    return -1;
  }
  for (int i = 1; i < length; ++i) {
    if ((byte(*at + i) & 0xC0) != 0x80) {
      ++*at;
      return -1;
    }
    value = (value << 6) | (byte(*at + i) & 0x3F);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  if (overlong || (value >= 0xD800 && value < 0xE000) || value > 0x10FFFF) {
    ++*at;
    return -1;
  }
  *at += length;
  return value;
}

struct Range {
  int32_t first, last;
};
// Unicode 15, the blocks that matter: Mn of Latin, Greek, Cyrillic, Hebrew and Arabic text, joiners and selectors.
constexpr Range kNoWidth[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x0610, 0x061A}, {0x064B, 0x065F},
                              {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x202A, 0x202E}, {0x2060, 0x2064},
                              {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}};
constexpr Range kWide[] = {{0x1100, 0x115F}, {0x2E80, 0x303E}, {0x3041, 0xA4CF}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},
                           {0xFE30, 0xFE6F}, {0xFF00, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F},
                           {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x3FFFD}};

template <size_t N>
bool In(const Range (&ranges)[N], int32_t value) {
  return std::any_of(ranges, ranges + N, [&](Range range) { return value >= range.first && value <= range.last; });
}

int Width(int32_t value) {
  if (value < 0) return 1;
  if (In(kNoWidth, value)) return 0;
  return In(kWide, value) ? 2 : 1;
}

// Steers the terminal or the reading direction: C0, DEL, C1, and the bidirectional overrides.
bool Steers(int32_t value) {
  return value < 0x20 || (value >= 0x7F && value < 0xA0) || (value >= 0x202A && value <= 0x202E) ||
         (value >= 0x2066 && value <= 0x2069) || value == 0x2028 || value == 0x2029;
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  for (size_t at = 0; at < text.size();) width += Width(NextCharacter(text, &at));
  return width;
}

std::string Printable(std::string_view text, bool several_lines) {
  std::string result;
  result.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const int32_t value = NextCharacter(text, &at);
    if (value == '\r' && at < text.size() && text[at] == '\n') continue;
    if (value == '\n' || value == '\t') {
      result += several_lines ? static_cast<char>(value) : ' ';
    } else if (value < 0 || Steers(value)) {
      result += "\xEF\xBF\xBD";
    } else {
      result += text.substr(begin, at - begin);
    }
  }
  return result;
}

std::string Cut(std::string_view text, int columns) {
  if (DisplayWidth(text) <= columns) return std::string(text);
  int width = 0;
  size_t end = 0;
  for (size_t at = 0; at < text.size();) {
    width += Width(NextCharacter(text, &at));
    if (width > columns - 1) break;
    end = at;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string Paint(std::string_view text, Colour colour, bool enabled) {
  const char* code = nullptr;
  switch (colour) {
    case Colour::kNone: break;
    case Colour::kRed: code = "\x1b[31m"; break;
    case Colour::kYellow: code = "\x1b[33m"; break;
    case Colour::kGreen: code = "\x1b[32m"; break;
    case Colour::kDim: code = "\x1b[2m"; break;
    case Colour::kBold: code = "\x1b[1m"; break;
  }
  if (!enabled || code == nullptr) return std::string(text);
  return code + std::string(text) + "\x1b[0m";
}

void Table::Row(std::vector<std::string> cells, Colour colour) {
  cells.resize(headings_.size());
  for (std::string& cell : cells) cell = Printable(cell);
  rows_.push_back({std::move(cells), colour, false});
}

void Table::Note(std::string text, Colour colour) { rows_.push_back({{Printable(text)}, colour, true}); }

void Table::Print(std::ostream& out, bool colours) const {
  std::vector<int> widths(headings_.size(), 0);
  for (const Line& row : rows_) {
    if (row.note) continue;
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(row.cells[i]));
  }
  for (size_t i = 0; i < widths.size(); ++i) {
    if (widths[i] > 0) widths[i] = std::max(widths[i], DisplayWidth(headings_[i]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text;
    int owed = 0;  // spaces, written only when something follows
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!cells[i].empty()) {
        text.append(owed, ' ');
        text += cells[i];
        owed = 0;
      }
      owed += widths[i] - DisplayWidth(cells[i]) + 2;
    }
    return text;
  };
  out << Paint(line(headings_), Colour::kBold, colours) << "\n";
  for (const Line& row : rows_) {
    out << Paint(row.note ? "    " + row.cells[0] : line(row.cells), row.colour, colours) << "\n";
  }
}

void Fields::Add(std::string name, std::string value, Colour colour) {
  if (!value.empty()) lines_.push_back({std::move(name), Printable(value, true), colour});
}

void Fields::Print(std::ostream& out, bool colours) const {
  int widest = 0;
  for (const Line& line : lines_) widest = std::max(widest, DisplayWidth(line.name));
  for (const Line& line : lines_) {
    std::string head = line.name;
    head.append(widest - DisplayWidth(line.name) + 2, ' ');
    for (const std::string& part : std::vector<std::string>(absl::StrSplit(line.value, '\n'))) {
      out << head << Paint(part, line.colour, colours) << "\n";
      head.assign(widest + 2, ' ');
    }
  }
}

}  // namespace ringback::cli
