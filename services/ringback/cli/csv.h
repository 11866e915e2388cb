// Contacts and callers from a CSV file, as spreadsheets and telephone systems write it: comma, semicolon or tab, quotes (RFC 4180),
// byte order mark, English or German headings.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "ringback/v1/callback.pb.h"

namespace ringback::cli {

struct ContactRow {
  int line = 0;  // 1-based, of the row's begin in the file
  v1::Caller caller;
};

struct ContactTable {
  std::vector<ContactRow> rows;
  std::vector<std::string> unknown_columns;  // headings that mean nothing here
};

// Cells of every record; records without any text are left out. INVALID_ARGUMENT naming the line for a quote that never
// ends or text behind a closing quote.
struct CsvRecord {
  int line = 0;
  std::vector<std::string> cells;
};
absl::StatusOr<std::vector<CsvRecord>> ReadCsv(std::string_view text);

// The first record must be headings; name (or first and last name), company, phone, email, language and time zone are
// known under their usual English and German names. INVALID_ARGUMENT when none of name, phone and email is there, a
// row has more cells than headings. Text that is not UTF-8 is read as Windows-1252, as older spreadsheets write it.
absl::StatusOr<ContactTable> ReadContacts(std::string_view text);

// A caller who waits, as a list of missed calls has them.
struct CallerRow {
  int line = 0;
  v1::Caller caller;
  std::string note;
  std::string extension;
  std::string text;     // every cell, also those that mean nothing here: tells this row from any other
  std::string problem;  // why it cannot be taken in; empty: nothing is known against it
};
struct CallerTable {
  std::vector<CallerRow> rows;
  std::vector<std::string> unknown_columns;
};

// The same for a list of callers, which may also have a note and an extension; a row that is wrong says so and leaves the
// others alone. `columns` names headings for fields ("phone" to "Rückrufnummer") before the usual ones are looked for:
// INVALID_ARGUMENT for a field that is none, and for a heading that the file does not have.
absl::StatusOr<CallerTable> ReadCallers(std::string_view text, const std::map<std::string, std::string>& columns);

}  // namespace ringback::cli
