// sipgate.io's push API (form-encoded newCall, answer and hangup; XML answers): what it sends and what it wants to hear.
// Source: the API reference at developer.sipgate.io and the README of sipgate/sipgate.io (March 2024). Stateless: what a
// later event lacks rides along in the address that it is asked for at.
#pragma once

#include <string>

#include "web/hooks/call_event.h"

namespace ringback::web {

// newCall: nothing yet. answer: a conversation, or a missed call when the voicemail took it. hangup: a missed call in, or
// an unreached one out; nothing after an answer, and nothing for a forwarded call, which goes on as another one.
// PERMISSION_DENIED without a good signature where the server has sipgate's key.
absl::StatusOr<CallEvent> ReadSipgate(const HookRequest& request);

// The XML that sipgate expects: after a newCall it asks for the answer and the hangup of that call, at this hook's own
// address. "" of own_url asks for nothing.
std::string SipgateXml(const HookRequest& request);

}  // namespace ringback::web
