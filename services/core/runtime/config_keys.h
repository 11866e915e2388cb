// The table of configuration keys: where each lives in Config, what it may hold, what it is for. Reading files,
// variables and flags is config.cc's.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/runtime/config.h"

namespace ringback::runtime {

using Field = std::variant<std::string Config::*, int Config::*, bool Config::*, double Config::*,
                           absl::Duration Config::*>;

struct ConfigKey {
  std::string_view section;  // "mail"
  std::string_view name;     // "transport"
  Field field;
  std::string_view help;
  bool path = false;         // a text that names a file or folder
  double min = 0, max = 0;   // for numbers, and for durations in seconds
  // For texts: OK, or what would be right.
  absl::Status (*check)(const std::string& value) = nullptr;

  std::string Key() const { return std::string(section) + "." + std::string(name); }
  std::string Type() const;
};

const std::vector<ConfigKey>& ConfigKeys();

// What a value of several keys together must fulfil.
absl::Status CheckTogether(const Config& config);

}  // namespace ringback::runtime
