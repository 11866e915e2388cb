// Which options of a command were given, as an update's mask: an option given as "" empties its field, one that was not
// given leaves it.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/field_mask.pb.h"

namespace ringback::cli {

class GivenOptions {
 public:
  // `option` speaks of the field at `path`.
  CLI::Option* Field(CLI::Option* option, std::string path) {
    options_.emplace_back(option, std::move(path));
    return option;
  }
  // After parsing: the paths of those that were given.
  google::protobuf::FieldMask Mask() const {
    google::protobuf::FieldMask mask;
    for (const auto& [option, path] : options_) {
      if (option->count() > 0) mask.add_paths(path);
    }
    return mask;
  }

 private:
  std::vector<std::pair<CLI::Option*, std::string>> options_;
};

}  // namespace ringback::cli
