// One mail as plain values, what makes it acceptable, and its form on the wire. The words of a mail are made in
// notices.h; how the bytes travel is in mail_transport.h. Only mail_gmime.cc knows the MIME library.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ringback::delivery {

struct MailAddress {
  std::string name;     // UTF-8, may be empty
  std::string address;  // local@domain; an international domain is turned into its ASCII form
};

struct MailAttachment {
  std::string filename;   // UTF-8, no path; RFC 2231 on the wire when it is not ASCII
  std::string mime_type;  // "audio/mpeg"
  absl::string_view bytes;  // somebody else's, until the mail is composed
};

// An iTIP object (RFC 5546) as iMIP carries it (RFC 6047). It travels as an attachment, not as an alternative of the
// text: Outlook turns a mail with a text/calendar alternative into a meeting request, answers it to the organizer
// instead of Reply-To, and deletes it once accepted, the voice message included.
struct MailCalendar {
  std::string ics;       // empty: none
  std::string method;    // "REQUEST" or "CANCEL"; must be the METHOD inside `ics` (RFC 6047, 2.4)
  std::string filename;  // "Rueckruf.ics"
};

// RFC 3834: kNo for what a person wrote and sent (the voice message), kGenerated for reminders and alarms, kReplied
// for automatic answers.
enum class AutoSubmitted { kNo, kGenerated, kReplied };

struct MailMessage {
  MailAddress from;
  MailAddress to;  // one recipient per mail, as one per SMTP transaction
  MailAddress reply_to;          // empty address: no header
  std::string envelope_sender;   // "" is the null return path, for automatic answers only
  std::string subject;
  std::string text;              // UTF-8, LF or CRLF
  std::string html;              // empty: text only
  std::vector<MailAttachment> attachments;
  MailCalendar calendar;
  std::string message_id;        // without angle brackets: "dl07….1@example.com"
  std::string in_reply_to;       // the same; empty: none
  std::vector<std::string> references;
  AutoSubmitted auto_submitted = AutoSubmitted::kNo;
  absl::Time date;
  absl::TimeZone date_zone = absl::UTCTimeZone();
};

// RFC 5322 bytes with CRLF line ends, 7-bit clean, no line over 998 bytes. The same message gives the same bytes
// (boundaries come from the Message-ID), so a repeated send is the same mail. INVALID_ARGUMENT names the field that
// CheckMail refuses. Thread-safe. Memory: the mail, and nothing more of the attachments.
absl::StatusOr<std::string> ComposeMail(const MailMessage& message);

// What ComposeMail refuses, without composing: CR, LF, NUL and other control characters in any value that becomes a
// header, text that is not UTF-8, and invalid addresses. INVALID_ARGUMENT naming the field ("to.name: …").
absl::Status CheckMail(const MailMessage& message);

// `address` in the form that goes on the wire: trimmed of nothing, domain in ASCII (IDNA), at most 254 bytes. The
// local part is a dot-atom (RFC 5322, 3.4.1); quoted ones and those that need SMTPUTF8 are refused. INVALID_ARGUMENT
// naming `field`. Thread-safe.
absl::StatusOr<std::string> CheckedAddress(absl::string_view field, absl::string_view address);

// The domain in ASCII (IDNA), "" when there is no such form.
std::string AsciiDomain(absl::string_view domain);

// "dl07k3….2@example.com": a function of the delivery and of `revision` (0 for the first mail of a delivery), so that
// a repeat after a crash is recognisable. `domain` is the one of the sender's address.
std::string MessageIdFor(absl::string_view delivery_id, int revision, absl::string_view domain);

// OK when `value` is UTF-8 without control characters and at most `bytes_max` long; else INVALID_ARGUMENT naming
// `field`. For every value on its way into a header.
absl::Status CheckHeaderText(absl::string_view field, absl::string_view value, size_t bytes_max = 1000);

}  // namespace ringback::delivery
