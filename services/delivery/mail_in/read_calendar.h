// A customer's answer to the calendar entry (RFC 5546, METHOD:REPLY).
#pragma once

#include <optional>
#include <string>

#include "delivery/mail_in/parsed_mail.h"

namespace ringback::delivery {

// nullopt for anything but a REPLY with a participation. Runs in the sandbox only: the bytes are a stranger's.
std::optional<MailCalendarAnswer> ReadCalendarAnswer(const std::string& ics);

}  // namespace ringback::delivery
