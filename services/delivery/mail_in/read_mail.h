// One mail's bytes to what ringback understands of it. Runs in the sandbox only: the bytes are a stranger's.
#pragma once

#include <string>

#include "delivery/mail_in/parsed_mail.h"

namespace ringback::delivery {

// Loads what the sandbox will not let be loaded any more. Call it once, before.
void WarmUpMailReader();

// Never fails: what cannot be understood is kUnreadable, with a remark. Takes the bytes, to need them once only.
ParsedMail ReadMail(std::string bytes, const MailLimits& limits);

}  // namespace ringback::delivery
