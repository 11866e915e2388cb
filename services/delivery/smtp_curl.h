// SMTP submission with libcurl: smtp:// with STARTTLS, smtps:// with TLS from the start.
#pragma once

#include "delivery/mail_transport.h"

namespace ringback::delivery {

// Connections stay open between mails, each used by one thread at a time; one recipient per transaction, so a refusal
// belongs to exactly one delivery. STARTTLS is required unless options.tls or a loopback host says otherwise; the
// server's certificate is always verified. INVALID_ARGUMENT names the option that cannot work.
//
// Outcomes: a reply decides (4xx kTemporary, 5xx kPermanent). Replies to EHLO, STARTTLS and AUTH, and everything before
// them, are a transport_fault and kTemporary even when 5xx: a wrong password says nothing about a recipient. A
// connection lost, or the deadline passed, after the final dot and before its reply is kUnknown.
absl::StatusOr<std::unique_ptr<MailTransport>> NewSmtpTransport(const MailTransportOptions& options);

}  // namespace ringback::delivery
