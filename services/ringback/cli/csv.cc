// See csv.h.
#include "ringback/cli/csv.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

enum class Column {
  kUnknown, kName, kFirstName, kLastName, kCompany, kPhone, kEmail, kLanguage, kTimeZone, kNote, kExtension
};

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
      {"timezone", Column::kTimeZone}, {"zeitzone", Column::kTimeZone},
      {"note", Column::kNote}, {"notiz", Column::kNote}, {"bemerkung", Column::kNote}, {"betreff", Column::kNote},
      {"anliegen", Column::kNote}, {"grund", Column::kNote},
      {"extension", Column::kExtension}, {"nebenstelle", Column::kExtension}, {"durchwahl", Column::kExtension}};
  const std::string plain = Plain(heading);
  for (const auto& [name, column] : kNames) {
    if (plain == name) return column;
  }
  return Column::kUnknown;
}

// As --column names them.
constexpr std::pair<std::string_view, Column> kFields[] = {
    {"name", Column::kName},       {"first_name", Column::kFirstName}, {"last_name", Column::kLastName},
    {"company", Column::kCompany}, {"phone", Column::kPhone},          {"email", Column::kEmail},
    {"language", Column::kLanguage}, {"time_zone", Column::kTimeZone}, {"note", Column::kNote},
    {"extension", Column::kExtension}};

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

namespace {

// The first record's headings, and the records below.
struct Sheet {
  std::vector<std::string> headings;
  std::vector<CsvRecord> records;
};

absl::StatusOr<Sheet> ReadSheet(std::string_view text) {
  std::string converted;
  if (!IsUtf8(text)) text = converted = FromWindows1252(text);
  absl::StatusOr<std::vector<CsvRecord>> records = ReadCsv(text);
  if (!records.ok()) return records.status();
  if (records->empty()) return absl::InvalidArgumentError("the file is empty; its first line must name the columns");
  Sheet sheet;
  sheet.headings = std::move(records->front().cells);
  records->erase(records->begin());
  sheet.records = *std::move(records);
  return sheet;
}

absl::Status CheckReachable(const std::vector<Column>& columns) {
  const auto has = [&](Column column) { return std::count(columns.begin(), columns.end(), column) > 0; };
  if (has(Column::kPhone) || has(Column::kEmail)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "line 1: no column for phone or email; the first line must name the columns, for example "
      "\"name;company;phone;email;language;time_zone\"");
}

std::string TooManyCells(const CsvRecord& record, size_t columns) {
  return absl::StrCat(record.cells.size(), " cells under ", columns, " headings; quote a cell that holds the separator");
}

// What one record says. `note` and `extension` are nullptr where they mean nothing.
void Fill(const CsvRecord& record, const std::vector<Column>& columns, v1::Caller* caller, std::string* note,
          std::string* extension) {
  std::string first_name, last_name;
  for (size_t c = 0; c < record.cells.size() && c < columns.size(); ++c) {
    const std::string& cell = record.cells[c];
    if (cell.empty()) continue;
    switch (columns[c]) {
      case Column::kUnknown: break;
      case Column::kName: caller->set_name(cell); break;
      case Column::kFirstName: first_name = cell; break;
      case Column::kLastName: last_name = cell; break;
      case Column::kCompany: caller->set_company(cell); break;
      case Column::kPhone:
        if (caller->phone().empty()) caller->set_phone(cell);  // the first of several numbers
        break;
      case Column::kEmail:
        if (caller->email().empty()) caller->set_email(cell);
        break;
      case Column::kLanguage: caller->set_language(LanguageOf(cell)); break;
      case Column::kTimeZone: caller->set_time_zone(cell); break;
      case Column::kNote:
        if (note != nullptr) absl::StrAppend(note, note->empty() ? "" : "\n", cell);
        break;
      case Column::kExtension:
        if (extension != nullptr) *extension = cell;
        break;
    }
  }
  if (caller->name().empty()) {
    caller->set_name(absl::StrCat(first_name, first_name.empty() || last_name.empty() ? "" : " ", last_name));
  }
}

// The file's columns: those that `wanted` names, then the usual ones.
absl::StatusOr<std::vector<Column>> ColumnsOf(const Sheet& sheet, const std::map<std::string, std::string>& wanted) {
  std::vector<Column> columns(sheet.headings.size(), Column::kUnknown);
  std::vector<Column> taken;
  for (const auto& [field, heading] : wanted) {
    const auto* const known = std::find_if(std::begin(kFields), std::end(kFields),
                                           [&field = field](const auto& one) { return one.first == field; });
    if (known == std::end(kFields)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--column: \"", field, "\" is no field; name, first_name, last_name, company, phone, email, language, time_zone, "
          "note or extension"));
    }
    bool found = false;
    for (size_t c = 0; c < columns.size(); ++c) {
      if (Plain(sheet.headings[c]) != Plain(heading)) continue;
      columns[c] = known->second;
      found = true;
    }
    if (!found) return absl::InvalidArgumentError(absl::StrCat("--column: no column of the file is called \"", heading, "\""));
    taken.push_back(known->second);
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c] != Column::kUnknown) continue;
    const Column usual = ColumnOf(sheet.headings[c]);
    if (std::count(taken.begin(), taken.end(), usual) == 0) columns[c] = usual;
  }
  return columns;
}

}  // namespace

absl::StatusOr<ContactTable> ReadContacts(std::string_view text) {
  absl::StatusOr<Sheet> sheet = ReadSheet(text);
  if (!sheet.ok()) return sheet.status();
  ContactTable table;
  std::vector<Column> columns;
  for (const std::string& heading : sheet->headings) {
    const Column column = ColumnOf(heading);
    const bool known = column != Column::kNote && column != Column::kExtension;
    columns.push_back(known ? column : Column::kUnknown);
    if (columns.back() == Column::kUnknown && !heading.empty()) table.unknown_columns.push_back(heading);
  }
  if (absl::Status status = CheckReachable(columns); !status.ok()) return status;
  for (const CsvRecord& record : sheet->records) {
    if (record.cells.size() > columns.size()) {
      for (size_t c = columns.size(); c < record.cells.size(); ++c) {
        if (record.cells[c].empty()) continue;
        return absl::InvalidArgumentError(absl::StrCat("line ", record.line, ": ", TooManyCells(record, columns.size())));
      }
    }
    ContactRow row{record.line, {}};
    Fill(record, columns, &row.caller, nullptr, nullptr);
    table.rows.push_back(std::move(row));
  }
  return table;
}

absl::StatusOr<CallerTable> ReadCallers(std::string_view text, const std::map<std::string, std::string>& wanted) {
  absl::StatusOr<Sheet> sheet = ReadSheet(text);
  if (!sheet.ok()) return sheet.status();
  absl::StatusOr<std::vector<Column>> columns = ColumnsOf(*sheet, wanted);
  if (!columns.ok()) return columns.status();
  if (absl::Status status = CheckReachable(*columns); !status.ok()) return status;
  CallerTable table;
  for (size_t c = 0; c < columns->size(); ++c) {
    if ((*columns)[c] == Column::kUnknown && !sheet->headings[c].empty()) table.unknown_columns.push_back(sheet->headings[c]);
  }
  for (const CsvRecord& record : sheet->records) {
    CallerRow row;
    row.line = record.line;
    row.text = absl::StrJoin(record.cells, "\x1f");
    Fill(record, *columns, &row.caller, &row.note, &row.extension);
    for (size_t c = columns->size(); c < record.cells.size(); ++c) {
      if (!record.cells[c].empty()) row.problem = TooManyCells(record, columns->size());
    }
    if (row.problem.empty() && row.caller.phone().empty() && row.caller.email().empty()) {
      row.problem = "neither phone nor email: nobody can be called back";
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace ringback::cli
