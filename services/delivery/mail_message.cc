// The checks that keep foreign text out of header lines. Composing is in mail_gmime.cc.
#include "delivery/mail_message.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/base/utf8.h"

namespace ringback::delivery {
namespace {

absl::Status Refuse(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

// RFC 5322, 3.2.3.
bool IsAtext(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != absl::string_view::npos;
}

bool IsDotAtom(absl::string_view text) {
  if (text.empty() || text.front() == '.' || text.back() == '.' || absl::StrContains(text, "..")) return false;
  for (char c : text) {
    if (c != '.' && !IsAtext(c)) return false;
  }
  return true;
}

bool IsHostName(absl::string_view domain) {
  if (domain.empty() || domain.size() > 253) return false;
  for (absl::string_view label : absl::StrSplit(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') return false;
    for (unsigned char c : label) {
      if (!absl::ascii_isalnum(c) && c != '-') return false;
    }
  }
  return true;
}

absl::Status CheckMessageId(absl::string_view field, absl::string_view id) {
  const size_t at = id.find('@');
  if (id.size() > 250 || at == absl::string_view::npos || !IsDotAtom(id.substr(0, at)) ||
      !IsDotAtom(id.substr(at + 1))) {
    return Refuse(field, "a Message-ID has the form left@right, letters, digits and dots, without <>");
  }
  return absl::OkStatus();
}

absl::Status CheckMimeType(absl::string_view field, absl::string_view type) {
  const size_t slash = type.find('/');
  if (slash == absl::string_view::npos || slash == 0 || slash + 1 == type.size()) {
    return Refuse(field, "a media type has the form type/subtype");
  }
  for (size_t i = 0; i < type.size(); ++i) {
    const char c = type[i];
    if (i != slash && !absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '.' && c != '+') {
      return Refuse(field, "a media type has the form type/subtype");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFilename(absl::string_view field, absl::string_view name) {
  RB_RETURN_IF_ERROR(CheckHeaderText(field, name, 200));
  // Some readers decode encoded words even inside a quoted parameter, where RFC 2047 forbids them.
  if (absl::StrContains(name, "=?")) return Refuse(field, "must not look like an encoded word");
  if (name.empty() || name.find_first_of("/\\") != absl::string_view::npos) {
    return Refuse(field, "a file name without a path is needed");
  }
  return absl::OkStatus();
}

absl::Status CheckMailbox(absl::string_view field, const MailAddress& mailbox) {
  RB_RETURN_IF_ERROR(CheckHeaderText(absl::StrCat(field, ".name"), mailbox.name, 500));
  return CheckedAddress(absl::StrCat(field, ".address"), mailbox.address).status();
}

absl::Status CheckBody(absl::string_view field, absl::string_view body) {
  if (!IsUtf8({body.data(), body.size()})) return Refuse(field, "must be UTF-8");
  if (body.find('\0') != absl::string_view::npos) return Refuse(field, "must not contain NUL");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckHeaderText(absl::string_view field, absl::string_view value, size_t bytes_max) {
  for (char c : value) {
    if (c == '\r' || c == '\n') return Refuse(field, "must not contain a line break");
    if (c == '\0') return Refuse(field, "must not contain NUL");
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return Refuse(field, "must not contain control characters");
  }
  if (!IsUtf8({value.data(), value.size()})) return Refuse(field, "must be UTF-8");
  if (value.size() > bytes_max) return Refuse(field, absl::StrCat("must be at most ", bytes_max, " bytes long"));
  return absl::OkStatus();
}

absl::StatusOr<std::string> CheckedAddress(absl::string_view field, absl::string_view address) {
  if (address.empty()) return Refuse(field, "a mail address is needed");
  RB_RETURN_IF_ERROR(CheckHeaderText(field, address, 320));
  const size_t at = address.rfind('@');
  if (at == absl::string_view::npos) return Refuse(field, "a mail address has the form name@domain");
  const absl::string_view local = address.substr(0, at);
  for (unsigned char c : local) {
    if (c >= 0x80) return Refuse(field, "only ASCII is possible before @ (SMTPUTF8 is not supported)");
  }
  if (local.size() > 64 || !IsDotAtom(local)) return Refuse(field, "the part before @ is not a valid mailbox name");
  const std::string domain = AsciiDomain(address.substr(at + 1));
  if (!IsHostName(domain)) return Refuse(field, "the part after @ is not a valid domain");
  std::string result = absl::StrCat(local, "@", domain);
  if (result.size() > 254) return Refuse(field, "must be at most 254 bytes long");  // RFC 5321, 4.5.3.1.3
  return result;
}

absl::Status CheckMail(const MailMessage& message) {
  RB_RETURN_IF_ERROR(CheckMailbox("from", message.from));
  RB_RETURN_IF_ERROR(CheckMailbox("to", message.to));
  if (!message.reply_to.address.empty() || !message.reply_to.name.empty()) {
    RB_RETURN_IF_ERROR(CheckMailbox("reply_to", message.reply_to));
  }
  if (!message.envelope_sender.empty()) {
    RB_RETURN_IF_ERROR(CheckedAddress("envelope_sender", message.envelope_sender).status());
  }
  RB_RETURN_IF_ERROR(CheckHeaderText("subject", message.subject));
  if (message.subject.empty()) return Refuse("subject", "must not be empty");
  RB_RETURN_IF_ERROR(CheckBody("text", message.text));
  if (message.text.empty()) return Refuse("text", "must not be empty");
  RB_RETURN_IF_ERROR(CheckBody("html", message.html));
  RB_RETURN_IF_ERROR(CheckMessageId("message_id", message.message_id));
  if (!message.in_reply_to.empty()) RB_RETURN_IF_ERROR(CheckMessageId("in_reply_to", message.in_reply_to));
  for (const std::string& id : message.references) RB_RETURN_IF_ERROR(CheckMessageId("references", id));
  for (const MailAttachment& attachment : message.attachments) {
    RB_RETURN_IF_ERROR(CheckFilename("attachments.filename", attachment.filename));
    RB_RETURN_IF_ERROR(CheckMimeType("attachments.mime_type", attachment.mime_type));
  }
  if (!message.calendar.ics.empty()) {
    RB_RETURN_IF_ERROR(CheckBody("calendar.ics", message.calendar.ics));
    RB_RETURN_IF_ERROR(CheckFilename("calendar.filename", message.calendar.filename));
    if (message.calendar.method != "REQUEST" && message.calendar.method != "CANCEL") {
      return Refuse("calendar.method", "must be REQUEST or CANCEL");
    }
    if (!absl::StrContains(message.calendar.ics, absl::StrCat("METHOD:", message.calendar.method))) {
      return Refuse("calendar.method", "must be the METHOD inside the calendar object");
    }
  }
  if (message.date == absl::Time() || message.date == absl::InfiniteFuture() || message.date == absl::InfinitePast()) {
    return Refuse("date", "must be set");
  }
  return absl::OkStatus();
}

std::string MessageIdFor(absl::string_view delivery_id, int revision, absl::string_view domain) {
  return absl::StrCat(delivery_id, ".", revision, "@", domain);
}

}  // namespace ringback::delivery
