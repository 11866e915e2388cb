// Bytes between mail_parser.h and ringback-mail-parser. Both are built and shipped together. The answer comes from a
// process that read hostile input, so it is parsed with suspicion.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "delivery/mail_in/parsed_mail.h"

namespace ringback::delivery {

// What precedes the mail's bytes in a request.
std::string EncodeLimits(const MailLimits& limits);
// Empty when the header is not one of this version; `rest` is where the mail begins.
std::optional<MailLimits> DecodeLimits(std::string_view request, size_t* rest);

std::string EncodeMail(const ParsedMail& mail);
// INTERNAL when the bytes are not a well-formed mail: numbers out of range, sizes that do not add up, text that is not
// UTF-8 or breaks a line where one line is due.
absl::StatusOr<ParsedMail> DecodeMail(std::string_view bytes);

}  // namespace ringback::delivery
