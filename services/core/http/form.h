// The fields of a posted form (application/x-www-form-urlencoded). Reads what browsers send; what a field may say is the
// page's business.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace ringback::http {

struct FormLimits {
  size_t fields_max = 32;
  size_t name_bytes_max = 64;
  size_t value_bytes_max = 32 << 10;  // decoded
};

class Form {
 public:
  // INVALID_ARGUMENT, in words without any of the content: another content type (an empty one counts as another, unless
  // the body is empty), a broken percent sign, bytes that are no UTF-8, NUL, a field twice, or more than `limits` allow.
  // Line breaks stay as sent (CRLF).
  static absl::StatusOr<Form> Parse(std::string_view content_type, std::string_view body, const FormLimits& limits = {});

  // "" when the form has no such field.
  const std::string& Get(std::string_view name) const;
  bool Has(std::string_view name) const { return fields_.find(name) != fields_.end(); }

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

// "a%20b+c" as "a b c". INVALID_ARGUMENT for a broken percent sign.
absl::StatusOr<std::string> FormDecoded(std::string_view text);
// The reverse, for one value in an address: everything but letters, digits and "-._~" as %XX (RFC 3986, 2.3).
std::string FormEncoded(std::string_view text);
// The fields of an address's query, "a=b&c=d"; errors as Form::Parse.
absl::StatusOr<Form> ParseQuery(std::string_view target);

}  // namespace ringback::http
