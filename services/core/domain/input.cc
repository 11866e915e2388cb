#include "core/domain/input.h"

#include <phonenumbers/phonenumberutil.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"

namespace ringback::domain {
namespace {

constexpr char kFieldUrl[] = "ringback/field";
constexpr size_t kEmailBytes = 254;  // RFC 5321 4.5.3.1.3, without the angle brackets
constexpr size_t kLocalBytes = 64;   // RFC 5321 4.5.3.1.1

absl::string_view View(std::string_view text) { return absl::string_view(text.data(), text.size()); }

// The next code point and its length; nullopt where the bytes are no UTF-8 (RFC 3629: nothing overlong, no surrogates).
struct CodePoint {
  uint32_t value;
  size_t bytes;
};
std::optional<CodePoint> Decode(std::string_view text) {
  const auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return CodePoint{byte(0), 1};
  const size_t bytes = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : 2;
  if (byte(0) < 0xC2 || byte(0) > 0xF4 || text.size() < bytes) return std::nullopt;
  uint32_t value = byte(0) & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[bytes] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return std::nullopt;
  return CodePoint{value, bytes};
}

bool IsControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xFEFF || (c & 0xFFFE) == 0xFFFE;
}
// Line and paragraph separators, and what turns the direction of the text around it: a name must read as it is.
bool BreaksALine(uint32_t c) {
  return c == 0x2028 || c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

std::string_view Trim(std::string_view text, std::string_view ascii_space) {
  while (!text.empty()) {
    if (ascii_space.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    else if (text.substr(0, 2) == kNoBreakSpace) text.remove_prefix(2);
    else break;
  }
  while (!text.empty()) {
    if (ascii_space.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    else if (text.size() >= 2 && text.substr(text.size() - 2) == kNoBreakSpace) text.remove_suffix(2);
    else break;
  }
  return text;
}

absl::Status TooLong(std::string_view field, size_t max_bytes) {
  return InvalidField(field, "TOO_LONG", absl::StrCat("at most ", max_bytes, " bytes"));
}

bool IsAtext(char c) {  // RFC 5322 3.2.3
  return absl::ascii_isalnum(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// dot-atom: no dot at either end, none beside another.
bool IsDotAtom(std::string_view text) {
  bool after_dot = true;
  for (const char c : text) {
    if (c == '.' ? after_dot : !IsAtext(c)) return false;
    after_dot = c == '.';
  }
  return !text.empty() && !after_dot;
}

bool IsDomain(std::string_view text) {  // letters, digits, hyphens (RFC 5321 4.1.2)
  size_t label = 0;
  char before = '.';
  for (const char c : text) {
    if (c == '.') {
      if (label == 0 || before == '-') return false;
      label = 0;
    } else if (absl::ascii_isalnum(c) || (c == '-' && label > 0)) {
      if (++label > 63) return false;
    } else {
      return false;
    }
    before = c;
  }
  return label > 0 && before != '-';
}

}  // namespace

absl::Status FieldError(absl::StatusCode code, std::string_view field, std::string_view reason,
                        std::string_view description) {
  absl::Status status(code, field.empty() ? std::string(description)
                                          : absl::StrCat(View(field), ": ", View(description)));
  status.SetPayload(kFieldUrl, absl::Cord(absl::StrCat(View(field), "\n", View(reason))));
  return status;
}

absl::Status InvalidField(std::string_view field, std::string_view reason, std::string_view description) {
  return FieldError(absl::StatusCode::kInvalidArgument, field, reason, description);
}

FieldDetail DetailOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kFieldUrl);
  if (!payload) return {};
  const std::string text(*payload);
  const size_t at = text.find('\n');
  return {text.substr(0, at), text.substr(at + 1)};
}

absl::StatusOr<std::string> NormalisePhone(std::string_view text, std::string_view region, std::string_view field) {
  using i18n::phonenumbers::PhoneNumber;
  using i18n::phonenumbers::PhoneNumberUtil;
  RB_ASSIGN_OR_RETURN(const std::string line, OneLine(text, 80, field));
  if (line.empty()) return InvalidField(field, "MISSING", "a phone number like +49 30 123456");
  for (const char c : line) {
    if (absl::ascii_isalpha(c) || c == ';' || c == '@') {
      return InvalidField(field, "NOT_A_PHONE_NUMBER", "digits only, without extension, like +49 30 123456");
    }
  }
  const auto* util = PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  const bool unknown = region.size() != 2;
  if (util->Parse(line, unknown ? "ZZ" : std::string(region), &number) != PhoneNumberUtil::NO_PARSING_ERROR) {
    return InvalidField(field, "NOT_A_PHONE_NUMBER",
                        line[0] == '+' ? "that is no phone number; write it like +49 30 123456"
                                       : "write it with the country code, like +49 30 123456");
  }
  if (!util->IsPossibleNumber(number)) {
    return InvalidField(field, "NOT_A_PHONE_NUMBER", "too short or too long for that country; like +49 30 123456");
  }
  std::string e164;
  util->Format(number, PhoneNumberUtil::E164, &e164);
  return e164;
}

std::string NationalPhone(const std::string& phone, std::string_view home, std::string_view language) {
  using i18n::phonenumbers::PhoneNumber;
  using i18n::phonenumbers::PhoneNumberUtil;
  const auto* util = PhoneNumberUtil::GetInstance();
  PhoneNumber number, at_home;
  if (util->Parse(phone, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return phone;
  int country = language == "de" ? 49 : 0;
  if (util->Parse(std::string(home), "ZZ", &at_home) == PhoneNumberUtil::NO_PARSING_ERROR) country = at_home.country_code();
  std::string read;
  util->Format(number, number.country_code() == country ? PhoneNumberUtil::NATIONAL : PhoneNumberUtil::INTERNATIONAL, &read);
  return read;
}

bool MayTakeSms(const std::string& phone) {
  using i18n::phonenumbers::PhoneNumber;
  using i18n::phonenumbers::PhoneNumberUtil;
  const auto* util = PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  if (util->Parse(phone, "ZZ", &number) != PhoneNumberUtil::NO_PARSING_ERROR) return false;
  switch (util->GetNumberType(number)) {
    case PhoneNumberUtil::MOBILE:
    case PhoneNumberUtil::FIXED_LINE_OR_MOBILE:
    case PhoneNumberUtil::PERSONAL_NUMBER:
    case PhoneNumberUtil::PAGER:
    case PhoneNumberUtil::UNKNOWN: return true;
    default: return false;
  }
}

absl::StatusOr<std::string> NormaliseEmail(std::string_view text, std::string_view field) {
  const std::string_view trimmed = Trim(text, " ");
  if (trimmed.empty()) return InvalidField(field, "MISSING", "a mail address like mueller@example.com");
  if (trimmed.size() > kEmailBytes) return TooLong(field, kEmailBytes);
  const size_t at = trimmed.rfind('@');
  if (at == std::string_view::npos || at > kLocalBytes || !IsDotAtom(trimmed.substr(0, at)) ||
      !IsDomain(trimmed.substr(at + 1))) {
    return InvalidField(field, "NOT_AN_EMAIL_ADDRESS",
                        "one plain address like mueller@example.com, without name, quotes, comments or spaces; a "
                        "domain with other letters than a to z in its xn-- form");
  }
  return absl::StrCat(View(trimmed.substr(0, at + 1)), absl::AsciiStrToLower(View(trimmed.substr(at + 1))));
}

absl::StatusOr<std::string> OneLine(std::string_view text, size_t max_bytes, std::string_view field) {
  const std::string_view trimmed = Trim(text, " \t");
  if (trimmed.size() > max_bytes) return TooLong(field, max_bytes);
  for (std::string_view rest = trimmed; !rest.empty();) {
    const auto code_point = Decode(rest);
    if (!code_point) return InvalidField(field, "NOT_UTF8", "text in UTF-8");
    if (IsControl(code_point->value) || BreaksALine(code_point->value)) {
      return InvalidField(field, "CONTROL_CHARACTER", "one line without line breaks and control characters");
    }
    rest.remove_prefix(code_point->bytes);
  }
  return std::string(trimmed);
}

absl::StatusOr<std::string> SeveralLines(std::string_view text, size_t max_bytes, std::string_view field) {
  const std::string_view trimmed = Trim(text, " \t\r\n");
  std::string lines;
  for (std::string_view rest = trimmed; !rest.empty();) {
    const auto code_point = Decode(rest);
    if (!code_point) return InvalidField(field, "NOT_UTF8", "text in UTF-8");
    const uint32_t c = code_point->value;
    if (c == '\r') {
      lines.push_back('\n');
      rest.remove_prefix(rest.substr(0, 2) == "\r\n" ? 2 : 1);
      continue;
    }
    if (IsControl(c) && c != '\n' && c != '\t') {
      return InvalidField(field, "CONTROL_CHARACTER", "text without control characters");
    }
    absl::StrAppend(&lines, View(rest.substr(0, code_point->bytes)));
    rest.remove_prefix(code_point->bytes);
  }
  if (lines.size() > max_bytes) return TooLong(field, max_bytes);
  return lines;
}

std::string CleanLines(std::string_view text, size_t max_bytes) {
  std::string lines;
  for (std::string_view rest = Trim(text, " \t\r\n"); !rest.empty();) {
    const auto code_point = Decode(rest);
    const size_t bytes = code_point ? code_point->bytes : 1;
    std::string_view piece = code_point ? rest.substr(0, bytes) : std::string_view("\xEF\xBF\xBD");
    if (code_point && code_point->value == '\r') {
      piece = rest.substr(0, 2) == "\r\n" ? std::string_view() : std::string_view("\n");
    } else if (code_point && IsControl(code_point->value) && code_point->value != '\n' && code_point->value != '\t') {
      piece = {};
    }
    if (lines.size() + piece.size() > max_bytes) break;
    lines.append(piece);
    rest.remove_prefix(bytes);
  }
  return lines;
}

absl::StatusOr<store::v1::Caller> NormaliseCaller(const store::v1::Caller& caller, std::string_view region,
                                                  std::string_view field) {
  const auto path = [&field](const char* name) {
    return field.empty() ? std::string(name) : absl::StrCat(View(field), ".", name);
  };
  store::v1::Caller normal;
  RB_ASSIGN_OR_RETURN(*normal.mutable_name(), OneLine(caller.name(), 200, path("name")));
  RB_ASSIGN_OR_RETURN(*normal.mutable_company(), OneLine(caller.company(), 200, path("company")));
  // Empty, also by white space alone, means not known.
  if (!Trim(caller.phone(), " \t").empty()) {
    RB_ASSIGN_OR_RETURN(*normal.mutable_phone(), NormalisePhone(caller.phone(), region, path("phone")));
  }
  if (!Trim(caller.email(), " ").empty()) {
    RB_ASSIGN_OR_RETURN(*normal.mutable_email(), NormaliseEmail(caller.email(), path("email")));
  }
  if (!caller.language().empty() && caller.language() != "de" && caller.language() != "en") {
    return InvalidField(path("language"), "UNKNOWN_LANGUAGE", "de or en, or empty for the team's");
  }
  normal.set_language(caller.language());
  if (!caller.time_zone().empty()) {
    if (!LoadZone(caller.time_zone()).ok()) {
      return InvalidField(path("time_zone"), "UNKNOWN_TIME_ZONE",
                          "a name like Europe/Berlin, or empty for the team's");
    }
  }
  normal.set_time_zone(caller.time_zone());
  return normal;
}

}  // namespace ringback::domain
