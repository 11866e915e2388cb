// What kind of mail it is, by its headers and, for bounces that follow no standard, by its words. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "delivery/mail_in/parsed_mail.h"

namespace ringback::delivery {

// Names in lower case, values decoded and on one line, in the mail's order.
using MailHeaders = std::vector<std::pair<std::string, std::string>>;

// The first of that name; "" when there is none.
std::string_view HeaderOf(const MailHeaders& headers, std::string_view name);
bool HasHeader(const MailHeaders& headers, std::string_view name);

// What shows that no person sent it: "Auto-Submitted: auto-replied" (RFC 3834), "Precedence: bulk", "List-Id", the subject
// of an out-of-office note. "" for a person's mail. Headers of mailing lists count only where nothing is answered: a
// customer's answer may come through one.
std::string AutomaticSign(const MailHeaders& headers, std::string_view subject, std::string_view sender);

// A delivery-status part (RFC 3464): fills recipient, status, diagnostic and permanent. False when it tells of no
// failure and no delay (delivered, relayed, expanded).
bool ReadDeliveryStatus(std::string_view part, MailBounce* bounce);

// Whether a mail without a delivery-status part is a bounce all the same (qmail, Exim, Exchange, Gmail and others), and
// what it tells. `text` is its text as it came, original included.
bool ReadBounceText(const MailHeaders& headers, std::string_view subject, std::string_view sender, std::string_view text, MailBounce* bounce);

// The Message-ID in the header lines of an original that a bounce quotes as text; "" when there is none.
std::string QuotedMessageId(std::string_view text);

}  // namespace ringback::delivery
