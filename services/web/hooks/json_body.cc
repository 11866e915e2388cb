#include "web/hooks/json_body.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"
#include "core/domain/input.h"

namespace ringback::web {
namespace {

using Json = nlohmann::json;

// Of a field's name, in an error: a stranger wrote it.
constexpr size_t kNameShown = 60;

}  // namespace

absl::StatusOr<JsonBody> JsonBody::Parse(std::string_view body) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    return domain::InvalidField("", "NOT_JSON", "the body is no JSON; send an object like {\"phone\": \"+49 30 123456\"}");
  }
  if (!json.is_object()) {
    return domain::InvalidField("", "NOT_AN_OBJECT", "send one JSON object like {\"phone\": \"+49 30 123456\"}");
  }
  JsonBody parsed;
  for (const auto& [name, value] : json.items()) {
    if (value.is_null()) continue;
    if (!value.is_string()) {
      const std::string field = domain::CleanLines(name, kNameShown);
      return domain::InvalidField(field, "NOT_TEXT", "a text in quotes, like \"+49 30 123456\"");
    }
    parsed.fields_[name] = value.get<std::string>();
  }
  return parsed;
}

const std::string& JsonBody::Get(std::string_view name) const {
  static const auto& none = *new std::string;
  const auto found = fields_.find(name);
  return found == fields_.end() ? none : found->second;
}

std::vector<std::string> JsonBody::Unknown(std::initializer_list<std::string_view> known) const {
  std::vector<std::string> unknown;
  for (const auto& [name, value] : fields_) {
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown.push_back(domain::CleanLines(name, kNameShown));
  }
  return unknown;
}

absl::StatusOr<std::optional<absl::Time>> JsonBody::Time(std::string_view name) const {
  const std::string& text = Get(name);
  if (text.empty()) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) || time == absl::InfiniteFuture() ||
      time == absl::InfinitePast()) {
    return domain::InvalidField(name, "NOT_A_TIME", "a time with its zone, like 2026-11-24T09:00:00+01:00");
  }
  return time;
}

}  // namespace ringback::web
