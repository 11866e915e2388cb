#include "core/http/form.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace ringback::http {
namespace {

absl::Status Wrong(const char* what) { return absl::InvalidArgumentError(what); }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsForm(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(absl::string_view(type.data(), type.size())),
                                "application/x-www-form-urlencoded");
}

absl::StatusOr<std::string> Decoded(std::string_view text, size_t bytes_max) {
  RB_ASSIGN_OR_RETURN(std::string decoded, FormDecoded(text));
  if (decoded.size() > bytes_max) return Wrong("a field of the form is too long");
  if (!IsUtf8(decoded)) return Wrong("the form is not in UTF-8");
  if (decoded.find('\0') != std::string::npos) return Wrong("the form holds a NUL");
  return decoded;
}

}  // namespace

absl::StatusOr<std::string> FormDecoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : HexDigit(text[i + 2]);
    if (low < 0) return Wrong("the form holds a percent sign without two hexadecimal digits");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

absl::StatusOr<Form> Form::Parse(std::string_view content_type, std::string_view body, const FormLimits& limits) {
  Form form;
  if (body.empty()) return form;
  if (!IsForm(content_type)) return Wrong("this is no form (application/x-www-form-urlencoded)");
  while (!body.empty()) {
    const size_t end = body.find('&');
    const std::string_view field = body.substr(0, end);
    body.remove_prefix(end == std::string_view::npos ? body.size() : end + 1);
    if (field.empty()) continue;
    if (form.fields_.size() == limits.fields_max) return Wrong("the form has too many fields");
    const size_t equals = field.find('=');
    RB_ASSIGN_OR_RETURN(std::string name, Decoded(field.substr(0, equals), limits.name_bytes_max));
    std::string value;
    if (equals != std::string_view::npos) {
      RB_ASSIGN_OR_RETURN(value, Decoded(field.substr(equals + 1), limits.value_bytes_max));
    }
    if (!form.fields_.emplace(std::move(name), std::move(value)).second) return Wrong("the form has a field twice");
  }
  return form;
}

const std::string& Form::Get(std::string_view name) const {
  static const auto& none = *new std::string;
  const auto found = fields_.find(name);
  return found == fields_.end() ? none : found->second;
}

std::string FormEncoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || std::string_view("-._~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

absl::StatusOr<Form> ParseQuery(std::string_view target) {
  const size_t mark = target.find('?');
  return Form::Parse("application/x-www-form-urlencoded", mark == std::string_view::npos ? "" : target.substr(mark + 1));
}

}  // namespace ringback::http
