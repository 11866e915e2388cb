#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include "core/runtime/config_toml.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"

namespace ringback::runtime {
namespace {

std::string Where(const std::string& file, const toml::source_region& source) {
  return absl::StrCat(file, ":", source.begin.line);
}

struct Found {
  TomlValue value;
  toml::source_position position;
};

void Flatten(const std::string& file, const std::string& prefix, const toml::table& table, std::vector<Found>* out) {
  for (const auto& [name, node] : table) {
    const std::string key = absl::StrCat(prefix, std::string(name.str()));
    if (const toml::table* const inner = node.as_table()) {
      Flatten(file, key + ".", *inner, out);
      continue;
    }
    TomlValue value{key, "", "other", Where(file, node.source())};
    if (const auto* const text = node.as_string()) {
      value.text = text->get();
      value.type = "text";
    } else if (const auto* const integer = node.as_integer()) {
      value.text = absl::StrCat(integer->get());
      value.type = "integer";
    } else if (const auto* const number = node.as_floating_point()) {
      value.text = absl::StrCat(number->get());
      value.type = "number";
    } else if (const auto* const truth = node.as_boolean()) {
      value.text = truth->get() ? "true" : "false";
      value.type = "yes/no";
    } else {
      value.text = node.is_array() ? "a list" : "a date or time";
    }
    out->push_back({std::move(value), node.source().begin});
  }
}

}  // namespace

absl::StatusOr<std::vector<TomlValue>> ReadToml(const std::string& file) {
  std::ifstream stream(file);
  std::stringstream text;
  // A folder lets itself be opened, and only refuses to be read: what mounts a file that is not there makes one.
  if (stream && stream.peek() != std::ifstream::traits_type::eof()) text << stream.rdbuf();
  if (!stream && !stream.eof()) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read ", file, ": ", std::strerror(errno)));
  }
  const toml::parse_result result = toml::parse(text.str(), file);
  if (!result) {
    return absl::InvalidArgumentError(absl::StrCat(Where(file, result.error().source()), ": ",
                                                   std::string(result.error().description())));
  }
  std::vector<Found> found;
  Flatten(file, "", result.table(), &found);
  // In the file's order, so that the first mistake is the first one reported.
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.position < b.position; });
  std::vector<TomlValue> values;
  for (Found& each : found) values.push_back(std::move(each.value));
  return values;
}

}  // namespace ringback::runtime
