#include "web/hooks/missed_call.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"

namespace ringback::web {
namespace {

constexpr size_t kEventIdMax = 200;

absl::StatusOr<CallEvent> Common(const JsonBody& body) {
  CallEvent event;
  event.caller.set_phone(body.Get("phone"));
  event.note = body.Get("note");
  if (!body.Get("extension").empty()) event.extensions.push_back(body.Get("extension"));
  RB_ASSIGN_OR_RETURN(event.call_id, domain::OneLine(body.Get("event_id"), kEventIdMax, "event_id"));
  RB_ASSIGN_OR_RETURN(event.time, body.Time("time"));
  return event;
}

std::vector<std::string> Warnings(const std::vector<std::string>& unknown) {
  std::vector<std::string> warnings;
  for (const std::string& name : unknown) warnings.push_back(absl::StrCat("\"", name, "\" means nothing here"));
  return warnings;
}

}  // namespace

absl::StatusOr<CallEvent> ReadMissedCall(const JsonBody& body) {
  RB_ASSIGN_OR_RETURN(CallEvent event, Common(body));
  event.kind = CallEvent::Kind::kMissed;
  event.caller.set_name(body.Get("name"));
  event.caller.set_company(body.Get("company"));
  event.caller.set_email(body.Get("email"));
  event.caller.set_language(body.Get("language"));
  if (event.caller.phone().empty() && event.caller.email().empty()) {
    return domain::InvalidField("phone", "MISSING", "the caller's number, like +49 30 123456, or the mail address in \"email\"");
  }
  return event;
}

absl::StatusOr<CallEvent> ReadCall(const JsonBody& body) {
  static constexpr std::pair<std::string_view, api::AttemptOutcome> kOutcomes[] = {
      {"", api::ATTEMPT_OUTCOME_REACHED},          {"reached", api::ATTEMPT_OUTCOME_REACHED},
      {"no-answer", api::ATTEMPT_OUTCOME_NO_ANSWER}, {"busy", api::ATTEMPT_OUTCOME_BUSY},
      {"voicemail", api::ATTEMPT_OUTCOME_VOICEMAIL}, {"wrong-number", api::ATTEMPT_OUTCOME_WRONG_NUMBER}};
  RB_ASSIGN_OR_RETURN(CallEvent event, Common(body));
  if (event.caller.phone().empty()) {
    return domain::InvalidField("phone", "MISSING", "the caller's number, like +49 30 123456");
  }
  for (const auto& [word, outcome] : kOutcomes) {
    if (body.Get("outcome") == word) event.outcome = outcome;
  }
  if (event.outcome == api::ATTEMPT_OUTCOME_UNSPECIFIED) {
    return domain::InvalidField("outcome", "OUTCOME_UNKNOWN", "reached, no-answer, busy, voicemail or wrong-number");
  }
  const bool spoken = event.outcome == api::ATTEMPT_OUTCOME_REACHED;
  event.kind = spoken ? CallEvent::Kind::kSpoken : CallEvent::Kind::kDialled;
  return event;
}

std::vector<std::string> MissedCallWarnings(const JsonBody& body) {
  return Warnings(body.Unknown(
      {"phone", "name", "company", "email", "language", "note", "extension", "event_id", "time"}));
}

std::vector<std::string> CallWarnings(const JsonBody& body) {
  return Warnings(body.Unknown({"phone", "outcome", "note", "extension", "event_id", "time"}));
}

}  // namespace ringback::web
