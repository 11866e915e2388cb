// Chooses the transport by its URL.
#include "delivery/mail_transport.h"

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "delivery/maildir.h"
#include "delivery/smtp_curl.h"

namespace ringback::delivery {

absl::string_view SendResultName(SendResult result) {
  switch (result) {
    case SendResult::kAccepted: return "ACCEPTED";
    case SendResult::kTemporary: return "TEMPORARY";
    case SendResult::kPermanent: return "PERMANENT";
    case SendResult::kUnknown: return "UNKNOWN";
    case SendResult::kAborted: return "ABORTED";
  }
  return "UNSPECIFIED";
}

absl::StatusOr<std::unique_ptr<MailTransport>> NewMailTransport(const MailTransportOptions& options) {
  absl::string_view rest = options.url;
  if (absl::ConsumePrefix(&rest, "maildir:")) return NewMaildirTransport(std::string(rest));
  if (absl::StartsWith(options.url, "smtp://") || absl::StartsWith(options.url, "smtps://")) {
    return NewSmtpTransport(options);
  }
  return absl::InvalidArgumentError("mail.transport: write maildir:DIR, smtp://HOST:PORT or smtps://HOST:PORT");
}

}  // namespace ringback::delivery
