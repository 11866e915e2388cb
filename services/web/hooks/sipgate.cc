#include "web/hooks/sipgate.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "web/hooks/form_fields.h"

namespace ringback::web {
namespace {

constexpr std::string_view kXmlHead = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view kVoicemail = "voicemail";

struct Cause {
  std::string_view word;
  bool missed;                   // of a call that came in
  api::AttemptOutcome dialled;   // of one that went out; unspecified: nothing
};
constexpr Cause kCauses[] = {
    {"normalClearing", false, api::ATTEMPT_OUTCOME_UNSPECIFIED},  // after an answer, which has told it
    {"forwarded", false, api::ATTEMPT_OUTCOME_UNSPECIFIED},       // goes on as a call of its own
    {"busy", true, api::ATTEMPT_OUTCOME_BUSY},
    {"cancel", true, api::ATTEMPT_OUTCOME_NO_ANSWER},
    {"noAnswer", true, api::ATTEMPT_OUTCOME_NO_ANSWER},
    {"congestion", true, api::ATTEMPT_OUTCOME_NO_ANSWER},
    {"notFound", true, api::ATTEMPT_OUTCOME_NO_ANSWER},
};

// "492111234567": E.164 without its plus. Withheld ones and ends within the account stay as they are.
std::string Number(const std::string& digits) {
  return IsWithheld(digits) || IsInternal(digits) || digits[0] == '+' ? digits : absl::StrCat("+", digits);
}

// The user who was called, if it was one alone: of a group nobody in particular.
std::string UserOf(const FormFields& form) { return form.Count("userId[]") == 1 ? form.Get("userId[]") : ""; }

// What an address may hold as it is.
bool IsPlainId(std::string_view id) {
  for (const char c : id) {
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  }
  return !id.empty() && id.size() <= 40;
}

void AddExtension(const std::string& extension, CallEvent* event) {
  if (!extension.empty()) event->extensions.push_back(extension);
}

absl::StatusOr<CallEvent> Read(const FormFields& form, const FormFields& query) {
  const std::string& direction = form.Get("direction");
  if (direction != "in" && direction != "out") {
    return domain::InvalidField("direction", "DIRECTION_UNKNOWN", "in or out, as sipgate.io sends it");
  }
  const bool in = direction == "in";
  CallEvent event;
  event.caller.set_phone(Number(form.Get(in ? "from" : "to")));
  if (IsInternal(event.caller.phone())) return Nothing("that call was between colleagues");
  event.call_id = form.Get("callId");
  if (event.call_id.empty()) return domain::InvalidField("callId", "MISSING", "the call's id, as sipgate.io sends it");
  AddExtension(form.Get("userId"), &event);
  AddExtension(query.Get("user"), &event);
  AddExtension(form.Get(in ? "to" : "from"), &event);

  const std::string& name = form.Get("event");
  if (name == "answer") {
    const bool voicemail = in && form.Get("user") == kVoicemail;
    event.kind = voicemail ? CallEvent::Kind::kMissed : CallEvent::Kind::kSpoken;
    event.outcome = api::ATTEMPT_OUTCOME_REACHED;
    return event;
  }
  for (const Cause& cause : kCauses) {
    if (form.Get("cause") != cause.word) continue;
    if (in && cause.missed) event.kind = CallEvent::Kind::kMissed;
    if (!in && cause.dialled != api::ATTEMPT_OUTCOME_UNSPECIFIED) event.kind = CallEvent::Kind::kDialled;
    event.outcome = cause.dialled;
    if (event.kind == CallEvent::Kind::kNothing) return Nothing("the call is over, and nothing is open because of it");
    return event;
  }
  return domain::InvalidField("cause", "CAUSE_UNKNOWN",
                              "normalClearing, busy, cancel, noAnswer, congestion, notFound or forwarded");
}

absl::Status CheckSignature(const HookRequest& request) {
  if (request.sipgate_key == nullptr) return absl::OkStatus();
  const auto refused = [](std::string_view reason, std::string_view words) {
    return domain::FieldError(absl::StatusCode::kPermissionDenied, "X-Sipgate-Signature", reason, words);
  };
  const std::string& signature = request.http.sipgate_signature;
  if (signature.empty()) return refused("NOT_SIGNED", "sipgate.io signs its requests, and this one is not");
  if (request.sipgate_key->HasSigned(request.http.body, signature)) return absl::OkStatus();
  return refused("SIGNATURE_WRONG", "not signed with the key of web.sipgate_key_file");
}

}  // namespace

absl::StatusOr<CallEvent> ReadSipgate(const HookRequest& request) {
  RB_RETURN_IF_ERROR(CheckSignature(request));
  RB_ASSIGN_OR_RETURN(const FormFields form, FormFields::Parse(request.http.content_type, request.http.body));
  RB_ASSIGN_OR_RETURN(const FormFields query, FormFields::ParseQuery(request.query));
  const std::string& name = form.Get("event");
  if (name == "newCall") return Nothing("the call begins");
  if (name == "dtmf") return Nothing("a key was pressed");
  if (name == "answer" || name == "hangup") return Read(form, query);
  return domain::InvalidField("event", "EVENT_UNKNOWN", "newCall, answer or hangup, as sipgate.io sends it");
}

std::string SipgateXml(const HookRequest& request) {
  const auto form = FormFields::Parse(request.http.content_type, request.http.body);
  if (!form.ok() || form->Get("event") != "newCall" || request.own_url.empty()) {
    return absl::StrCat(std::string(kXmlHead), "<Response/>\n");
  }
  std::string url = request.own_url;
  if (const std::string user = UserOf(*form); IsPlainId(user)) absl::StrAppend(&url, "?user=", user);
  const std::string text = absl::StrReplaceAll(url, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
  return absl::StrCat(std::string(kXmlHead), "<Response onAnswer=\"", text, "\" onHangup=\"", text, "\"/>\n");
}

}  // namespace ringback::web
