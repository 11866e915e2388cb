#include "web/hooks/form_fields.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"
#include "core/http/form.h"

namespace ringback::web {
namespace {

constexpr size_t kFieldsMax = 100;

absl::StatusOr<std::string> Decoded(std::string_view text) {
  RB_ASSIGN_OR_RETURN(std::string decoded, http::FormDecoded(text));
  if (!IsUtf8(decoded)) return absl::InvalidArgumentError("the form is not in UTF-8");
  if (decoded.find('\0') != std::string::npos) return absl::InvalidArgumentError("the form holds a NUL");
  return decoded;
}

}  // namespace

absl::StatusOr<FormFields> FormFields::ParseQuery(std::string_view query) {
  FormFields form;
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view field = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (field.empty()) continue;
    if (form.fields_.size() == kFieldsMax) return absl::InvalidArgumentError("the form has too many fields");
    const size_t equals = field.find('=');
    RB_ASSIGN_OR_RETURN(std::string name, Decoded(field.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      RB_ASSIGN_OR_RETURN(value, Decoded(field.substr(equals + 1)));
    }
    form.fields_.emplace_back(std::move(name), std::move(value));
  }
  return form;
}

absl::StatusOr<FormFields> FormFields::Parse(std::string_view content_type, std::string_view body) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  if (!absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(absl::string_view(type.data(), type.size())),
                              "application/x-www-form-urlencoded")) {
    return absl::InvalidArgumentError("send a form (Content-Type: application/x-www-form-urlencoded)");
  }
  return ParseQuery(body);
}

const std::string& FormFields::Get(std::string_view name) const {
  static const auto& none = *new std::string;
  for (const auto& [own, value] : fields_) {
    if (own == name) return value;
  }
  return none;
}

int FormFields::Count(std::string_view name) const {
  int count = 0;
  for (const auto& [own, value] : fields_) count += own == name ? 1 : 0;
  return count;
}

}  // namespace ringback::web
