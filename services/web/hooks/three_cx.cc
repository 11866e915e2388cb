#include "web/hooks/three_cx.h"

#include <openssl/crypto.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"

namespace ringback::web {
namespace {

absl::Status CheckSecret(const HookRequest& request) {
  const std::string& shown = request.http.hook_secret;
  if (request.secret.empty() || (shown.size() == request.secret.size() &&
                                 CRYPTO_memcmp(shown.data(), request.secret.data(), shown.size()) == 0)) {
    return absl::OkStatus();
  }
  return domain::FieldError(absl::StatusCode::kPermissionDenied, "X-Ringback-Secret", "SECRET_WRONG",
                            "the team has a secret for 3cx: enter the same one in the template's settings");
}

// A variable that 3CX does not know stands there as it was written: "[QueueExtension]".
std::string Filled(const JsonBody& body, std::string_view name) {
  const std::string text(absl::StripAsciiWhitespace(body.Get(name)));
  return absl::StartsWith(text, "[") && absl::EndsWith(text, "]") ? "" : text;
}

// As the template writes it, in UTC; nullopt for anything else, since the call itself is no worse for it.
std::optional<absl::Time> TimeOf(const std::string& text) {
  absl::Time time;
  std::string error;
  if (text.empty() || !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return std::nullopt;
  return time;
}

// Unknown callers come with their number for a name.
bool IsName(const std::string& name) {
  for (const char c : name) {
    if (absl::ascii_isalpha(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<CallEvent> ReadThreeCx(const HookRequest& request) {
  RB_RETURN_IF_ERROR(CheckSecret(request));
  RB_ASSIGN_OR_RETURN(const JsonBody body, JsonBody::Parse(request.http.body));
  CallEvent event;
  const std::string type = absl::AsciiStrToLower(Filled(body, "call_type"));
  if (type == "missed") {
    event.kind = CallEvent::Kind::kMissed;
  } else if (type == "inbound" || type == "outbound") {
    event.kind = CallEvent::Kind::kSpoken;
    event.outcome = api::ATTEMPT_OUTCOME_REACHED;
  } else if (type == "notanswered" || type == "unanswered") {
    event.kind = CallEvent::Kind::kDialled;
    event.outcome = api::ATTEMPT_OUTCOME_NO_ANSWER;
  } else {
    return domain::InvalidField("call_type", "CALL_TYPE_UNKNOWN", "Inbound, Outbound, Missed or Notanswered, as 3CX says it");
  }
  const std::string number = Filled(body, "number");
  if (IsInternal(number)) return Nothing("that call was between colleagues");
  event.caller.set_phone(number);
  if (const std::string name = Filled(body, "name"); IsName(name)) event.caller.set_name(name);
  if (const std::string agent = Filled(body, "agent"); !agent.empty()) event.extensions.push_back(agent);

  const std::string start = Filled(body, "start");
  if (!start.empty()) event.call_id = absl::StrCat(number, " ", start);
  // A conversation counts by its end: a ring that others of its group missed may be on record since it began.
  event.time = TimeOf(event.kind == CallEvent::Kind::kSpoken ? Filled(body, "end") : start);
  return event;
}

}  // namespace ringback::web
