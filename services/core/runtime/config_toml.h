// TOML by toml++: a file as a flat list of keys with the line each stands on. What keys mean is config.cc's.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace ringback::runtime {

struct TomlValue {
  std::string key;    // "mail.transport"
  std::string text;   // as a flag would give it
  std::string type;   // "text", "integer", "number", "yes/no"; "other" for lists, dates and the like
  std::string where;  // "ringback.toml:12"
};

// INVALID_ARGUMENT with file and line when it cannot be read.
absl::StatusOr<std::vector<TomlValue>> ReadToml(const std::string& file);

}  // namespace ringback::runtime
