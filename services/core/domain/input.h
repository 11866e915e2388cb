// What a caller, a note, a name or an address may look like. Pure; phone numbers by libphonenumber.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// An error that names the field it is about, as a path in the request ("caller.email"). core/rpc turns it into
// google.rpc.BadRequest and ErrorInfo. `reason` is UPPER_SNAKE_CASE and stable: clients decide by it.
absl::Status FieldError(absl::StatusCode code, std::string_view field, std::string_view reason,
                        std::string_view description);
absl::Status InvalidField(std::string_view field, std::string_view reason, std::string_view description);
struct FieldDetail {
  std::string field;
  std::string reason;
};
// The detail of an error made by FieldError; empty strings for any other.
FieldDetail DetailOf(const absl::Status& status);

// E.164 ("+4930123456") of a number as typed; `region` ("DE") for national forms.
absl::StatusOr<std::string> NormalisePhone(std::string_view text, std::string_view region, std::string_view field);
// A number (E.164) as it is read where the number `home` (any usual writing, with its country code) belongs, or, where that is
// none, where the language is spoken: "030 123456" within the country, "+44 20 7946 0018" of another; what is no number stays.
std::string NationalPhone(const std::string& phone, std::string_view home, std::string_view language);
// Whether a text message to the number (E.164) may arrive: false for what is surely a fixed line or a service number.
bool MayTakeSms(const std::string& phone);
// The address with its domain in lower case; refuses CR, LF, NUL, quotes, comments, spaces and more than 254 bytes.
absl::StatusOr<std::string> NormaliseEmail(std::string_view text, std::string_view field);
// One line of text: valid UTF-8, no control characters, at most `max_bytes`; surrounding white space is cut.
absl::StatusOr<std::string> OneLine(std::string_view text, size_t max_bytes, std::string_view field);
// The same with line feeds and tabs allowed; CRLF becomes LF.
absl::StatusOr<std::string> SeveralLines(std::string_view text, size_t max_bytes, std::string_view field);
// What a stranger wrote, made fit to keep instead of refused (the brief in a mail): invalid UTF-8 becomes U+FFFD,
// control characters go, the text is cut at `max_bytes` on a character's border. Never fails.
std::string CleanLines(std::string_view text, size_t max_bytes);
// All fields of a caller, normalised. Any field may be empty; a time zone must exist, a language be "de" or "en".
absl::StatusOr<store::v1::Caller> NormaliseCaller(const store::v1::Caller& caller, std::string_view region,
                                                  std::string_view field);

}  // namespace ringback::domain
