// What a telephone system reports, in ringback's words, and how an adapter reads it out of a request. An adapter is a pure
// function and knows one provider; what becomes of the event is hook_routes.h's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/http/http_message.h"
#include "ringback/v1/callback.pb.h"
#include "web/hooks/sipgate_key.h"

namespace ringback::web {

namespace api = ::ringback::v1;

struct CallEvent {
  enum class Kind {
    kNothing,   // nothing to do: a call between colleagues, a call that only begins
    kMissed,    // a caller rang and nobody answered
    kSpoken,    // a conversation, whoever rang
    kDialled,   // the team rang and reached nobody
  };
  Kind kind = Kind::kNothing;
  std::string why;    // for kNothing, in words
  api::Caller caller; // as the provider writes it; the number may be withheld
  std::string note;
  std::vector<std::string> extensions;  // what the team's end may be known as, the most exact first
  std::string call_id;                  // the same in every report about one call; empty: the provider gives none
  std::optional<absl::Time> time;       // when it was; none: now
  api::AttemptOutcome outcome = api::ATTEMPT_OUTCOME_UNSPECIFIED;  // for kDialled, and a kSpoken that is none
};

CallEvent Nothing(std::string why);

// What an adapter reads. All of it outlives the call.
struct HookRequest {
  const http::HttpRequest& http;
  std::string_view query;   // of the target, without the question mark
  std::string own_url;      // this hook's address as the provider calls it, without query; "" when it cannot be known
  std::string secret;       // what the team has for this provider; "" for none
  bool accept_unsigned = false;
  const SipgateKey* sipgate_key = nullptr;  // nullptr: sipgate's signature is not looked at
};

// INVALID_ARGUMENT naming the field for a request that the provider does not send; PERMISSION_DENIED for one that is not
// the provider's.
using ReadEvent = absl::StatusOr<CallEvent> (*)(const HookRequest& request);

// "anonymous", "unterdrückt", "" and the digits that Twilio writes for them: nobody can be called back.
bool IsWithheld(std::string_view phone);
// "12", "1234567w0", "client:anna": an end within the telephone system. So is what has up to six digits and no country
// code; a withheld number is not.
bool IsInternal(std::string_view phone);

}  // namespace ringback::web
