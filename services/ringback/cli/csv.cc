// See csv.h.
#include "ringback/cli/csv.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"
#include "ringback/cli/text.h"

namespace ringback::cli {
namespace {

// Windows-1252; the five bytes it leaves open become U+FFFD.
std::string FromWindows1252(std::string_view text) {
  constexpr std::array<uint16_t, 32> kUpper = {
      0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
      0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const uint32_t value = byte >= 0x80 && byte < 0xA0 ? kUpper[byte - 0x80] : byte;
    if (value < 0x80) {
      result += static_cast<char>(value);
    } else if (value < 0x800) {
      result += static_cast<char>(0xC0 | (value >> 6));
      result += static_cast<char>(0x80 | (value & 0x3F));
    } else {
      result += static_cast<char>(0xE0 | (value >> 12));
      result += static_cast<char>(0x80 | ((value >> 6) & 0x3F));
      result += static_cast<char>(0x80 | (value & 0x3F));
    }
  }
  return result;
}

// What stands most often in the first line outside quotes; a comma when nothing does.
char Separator(std::string_view text) {
  int counts[3] = {0, 0, 0};
  constexpr std::string_view kSeparators = ",;\t";
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n' || c == '\r') break;
    if (const size_t which = kSeparators.find(c); which != std::string_view::npos) ++counts[which];
  }
  return kSeparators[std::max_element(counts, counts + 3) - counts];
}

// Headings are compared without case, spaces, dots, dashes and underlines.
std::string Plain(std::string_view heading) {
  std::string plain;
  for (const char c : absl::AsciiStrToLower(absl::string_view(heading.data(), heading.size()))) {
    if (c != ' ' && c != '-' && c != '_' && c != '.' && c != '/') plain += c;
  }
  return plain;
}

enum class Column { kUnknown, kName, kFirstName, kLastName, kCompany, kPhone, kEmail, kLanguage, kTimeZone };

Column ColumnOf(std::string_view heading) {
  static constexpr std::pair<std::string_view, Column> kNames[] = {
      {"name", Column::kName}, {"fullname", Column::kName}, {"contact", Column::kName}, {"kontakt", Column::kName},
      {"ansprechpartner", Column::kName}, {"anrufer", Column::kName}, {"caller", Column::kName},
      {"firstname", Column::kFirstName}, {"givenname", Column::kFirstName}, {"vorname", Column::kFirstName},
      {"lastname", Column::kLastName}, {"surname", Column::kLastName}, {"familyname", Column::kLastName},
      {"nachname", Column::kLastName}, {"familienname", Column::kLastName},
      {"company", Column::kCompany}, {"organization", Column::kCompany}, {"organisation", Column::kCompany},
      {"firma", Column::kCompany}, {"unternehmen", Column::kCompany},
      {"phone", Column::kPhone}, {"phonenumber", Column::kPhone}, {"telephone", Column::kPhone}, {"tel", Column::kPhone},
      {"mobile", Column::kPhone}, {"number", Column::kPhone}, {"telefon", Column::kPhone},
      {"telefonnummer", Column::kPhone}, {"rufnummer", Column::kPhone}, {"nummer", Column::kPhone},
      {"mobil", Column::kPhone}, {"handy", Column::kPhone},
      {"email", Column::kEmail}, {"mail", Column::kEmail}, {"emailaddress", Column::kEmail},
      {"mailaddress", Column::kEmail}, {"emailadresse", Column::kEmail}, {"mailadresse", Column::kEmail},
      {"language", Column::kLanguage}, {"lang", Column::kLanguage}, {"sprache", Column::kLanguage},
      {"timezone", Column::kTimeZone}, {"zeitzone", Column::kTimeZone}};
  const std::string plain = Plain(heading);
  for (const auto& [name, column] : kNames) {
    if (plain == name) return column;
  }
  return Column::kUnknown;
}

// "Deutsch" and "German" are what people write; the server wants "de".
std::string LanguageOf(const std::string& cell) {
  const std::string plain = Plain(cell);
  if (plain == "deutsch" || plain == "german") return "de";
  if (plain == "englisch" || plain == "english") return "en";
  return plain;
}

}  // namespace

absl::StatusOr<std::vector<CsvRecord>> ReadCsv(std::string_view text) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  const char separator = Separator(text);
  std::vector<CsvRecord> records;
  CsvRecord record{1, {}};
  std::string cell;
  int line = 1;
  enum { kStart, kBare, kQuoted, kClosed } state = kStart;
  const auto end_cell = [&] {
    record.cells.push_back(std::string(absl::StripAsciiWhitespace(cell)));
    cell.clear();
    state = kStart;
  };
  const auto end_record = [&] {
    end_cell();
    if (std::any_of(record.cells.begin(), record.cells.end(), [](const auto& c) { return !c.empty(); })) {
      records.push_back(std::move(record));
    }
    record = {line, {}};
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line_end = c == '\n' || c == '\r';
    if (c == '\n' || (c == '\r' && text.substr(i + 1, 1) != "\n")) ++line;
    if (state == kQuoted) {
      if (c != '"') {
        cell += c;
      } else if (text.substr(i + 1, 1) == "\"") {
        cell += '"', ++i;
      } else {
        state = kClosed;
      }
    } else if (c == separator) {
      end_cell();
    } else if (line_end) {
      if (c == '\r' && text.substr(i + 1, 1) == "\n") continue;
      end_record();
    } else if (c == '"' && state == kStart && absl::StripAsciiWhitespace(cell).empty()) {
      cell.clear();
      state = kQuoted;
    } else if (state == kClosed) {
      if (c == ' ' || c == '\t') continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", line, ": text behind a closing quote; write a quote inside a quoted cell twice (\"\")"));
    } else {
      cell += c;
    }
  }
  if (state == kQuoted) {
    return absl::InvalidArgumentError(absl::StrCat("line ", record.line, ": a quote opens here and never closes"));
  }
  end_record();
  return records;
}

absl::StatusOr<ContactTable> ReadContacts(std::string_view text) {
  std::string converted;
  if (!IsUtf8(text)) text = converted = FromWindows1252(text);
  absl::StatusOr<std::vector<CsvRecord>> records = ReadCsv(text);
  if (!records.ok()) return records.status();
  if (records->empty()) return absl::InvalidArgumentError("the file is empty; its first line must name the columns");
  ContactTable table;
  std::vector<Column> columns;
  for (const std::string& heading : records->front().cells) {
    columns.push_back(ColumnOf(heading));
    if (columns.back() == Column::kUnknown && !heading.empty()) table.unknown_columns.push_back(heading);
  }
  const auto has = [&](Column column) { return std::count(columns.begin(), columns.end(), column) > 0; };
  if (!has(Column::kPhone) && !has(Column::kEmail)) {
    return absl::InvalidArgumentError(
        "line 1: no column for phone or email; the first line must name the columns, for example "
        "\"name;company;phone;email;language;time_zone\"");
  }
  for (size_t i = 1; i < records->size(); ++i) {
    const CsvRecord& record = (*records)[i];
    ContactRow row{record.line, {}};
    std::string first_name, last_name;
    for (size_t c = 0; c < record.cells.size(); ++c) {
      const std::string& cell = record.cells[c];
      if (cell.empty()) continue;
      if (c >= columns.size()) {
        return absl::InvalidArgumentError(absl::StrCat("line ", record.line, ": ", record.cells.size(), " cells under ",
                                                       columns.size(), " headings; quote a cell that holds the separator"));
      }
      switch (columns[c]) {
        case Column::kUnknown: break;
        case Column::kName: row.caller.set_name(cell); break;
        case Column::kFirstName: first_name = cell; break;
        case Column::kLastName: last_name = cell; break;
        case Column::kCompany: row.caller.set_company(cell); break;
        case Column::kPhone:
          if (row.caller.phone().empty()) row.caller.set_phone(cell);  // the first of several numbers
          break;
        case Column::kEmail:
          if (row.caller.email().empty()) row.caller.set_email(cell);
          break;
        case Column::kLanguage: row.caller.set_language(LanguageOf(cell)); break;
        case Column::kTimeZone: row.caller.set_time_zone(cell); break;
      }
    }
    if (row.caller.name().empty()) {
      row.caller.set_name(absl::StrCat(first_name, first_name.empty() || last_name.empty() ? "" : " ", last_name));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace ringback::cli
