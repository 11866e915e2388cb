// A hook's JSON: one object of texts. What the texts mean is the adapters' business.
#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::web {

class JsonBody {
 public:
  // INVALID_ARGUMENT for what is no JSON object, and naming the field for a value that is neither text nor null. Numbers are
  // no texts: a telephone number written as one has lost its zeros.
  static absl::StatusOr<JsonBody> Parse(std::string_view body);

  // "" when the field is not there, or null.
  const std::string& Get(std::string_view name) const;
  // Fields that are none of `known`.
  std::vector<std::string> Unknown(std::initializer_list<std::string_view> known) const;
  // A time like 2026-11-24T09:00:00+01:00 (RFC 3339); nullopt when the field is empty, INVALID_ARGUMENT naming it for text
  // that is none.
  absl::StatusOr<std::optional<absl::Time>> Time(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> fields_;
};

}  // namespace ringback::web
