// ringback's own hooks, for every telephone system that can send JSON: a missed call, and a call that was made.
#pragma once

#include <string>
#include <vector>

#include "web/hooks/call_event.h"
#include "web/hooks/json_body.h"

namespace ringback::web {

// {"phone", "name", "company", "email", "language", "note", "extension", "event_id", "time"}: phone or email at least.
absl::StatusOr<CallEvent> ReadMissedCall(const JsonBody& body);

// {"phone", "outcome", "note", "extension", "event_id", "time"}: a call between the team and the caller, whoever rang.
// outcome: reached (or none), no-answer, busy, voicemail, wrong-number.
absl::StatusOr<CallEvent> ReadCall(const JsonBody& body);

// What they leave unread, in words for the answer.
std::vector<std::string> MissedCallWarnings(const JsonBody& body);
std::vector<std::string> CallWarnings(const JsonBody& body);

}  // namespace ringback::web
