// A posted form whose fields may come several times ("user[]=Alice&user[]=Bob"), as telephone systems send it. Pages' forms
// are http::Form's: there a field twice is a mistake.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace ringback::web {

class FormFields {
 public:
  // INVALID_ARGUMENT, in words without any of the content, for another content type, a broken percent sign, bytes that are
  // no UTF-8, NUL, or more than 100 fields.
  static absl::StatusOr<FormFields> Parse(std::string_view content_type, std::string_view body);
  // The query of an address, likewise.
  static absl::StatusOr<FormFields> ParseQuery(std::string_view query);

  // The first one of that name; "" when there is none.
  const std::string& Get(std::string_view name) const;
  // How many of that name there are.
  int Count(std::string_view name) const;
  // In the order sent.
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace ringback::web
