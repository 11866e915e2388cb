// Text on a terminal: width, what is safe to print, colours, tables. Knows nothing of callbacks.
#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace ringback::cli {

// Columns that UTF-8 text takes on a terminal: combining marks 0, East Asian wide and emoji 2, everything else 1.
// Invalid bytes count 1 each.
int DisplayWidth(std::string_view text);

// The text with control characters (ESC included: what customers and mail servers wrote must not steer the terminal)
// and invalid UTF-8 replaced by U+FFFD. Line feeds and tabs become spaces unless `several_lines`.
std::string Printable(std::string_view text, bool several_lines = false);

// The text cut to `columns`, with "…" where something was cut. Never cuts a character apart.
std::string Cut(std::string_view text, int columns);

enum class Colour { kNone, kRed, kYellow, kGreen, kDim, kBold };
// `text` in the colour when `enabled`, else as it is.
std::string Paint(std::string_view text, Colour colour, bool enabled);

// Rows under headings, columns aligned by display width, two spaces apart. Cells are made printable. Trailing spaces are
// not written; columns without any text are left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void Row(std::vector<std::string> cells, Colour colour = Colour::kNone);
  // A line of its own below the last row, indented.
  void Note(std::string text, Colour colour);
  bool empty() const { return rows_.empty(); }
  void Print(std::ostream& out, bool colours) const;

 private:
  struct Line {
    std::vector<std::string> cells;
    Colour colour = Colour::kNone;
    bool note = false;
  };
  std::vector<std::string> headings_;
  std::vector<Line> rows_;
};

// "name   value" lines; empty values are left out.
class Fields {
 public:
  void Add(std::string name, std::string value, Colour colour = Colour::kNone);
  void Print(std::ostream& out, bool colours) const;

 private:
  struct Line {
    std::string name, value;
    Colour colour;
  };
  std::vector<Line> lines_;
};

}  // namespace ringback::cli
