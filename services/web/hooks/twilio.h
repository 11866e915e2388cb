// Twilio's voice webhooks (form-encoded): the action of <Dial>, and status callbacks of a number or a call. Source: Twilio's
// pages "TwiML Voice: Dial", "Call resource" and "Secure webhooks", and the signatures of its own helper library.
#pragma once

#include <string>
#include <string_view>

#include "web/hooks/call_event.h"
#include "web/hooks/form_fields.h"

namespace ringback::web {

// PERMISSION_DENIED without a good signature, unless the team has no secret and unsigned requests are accepted.
absl::StatusOr<CallEvent> ReadTwilio(const HookRequest& request);

// X-Twilio-Signature: base64 of the HMAC-SHA1 over the address and every field by its name, each name and value once.
std::string TwilioSignature(std::string_view url, const FormFields& form, std::string_view auth_token);

// TwiML that does nothing more: a call that comes back from <Dial action> ends with it.
inline constexpr char kEmptyTwiml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response/>\n";

}  // namespace ringback::web
