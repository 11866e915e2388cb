#include "web/hooks/twilio.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"

namespace ringback::web {
namespace {

bool SameText(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// "https://calls.example.com:443/…" of "https://calls.example.com/…", and the other way round: Twilio signs either.
std::string WithOtherPort(const std::string& url) {
  const bool tls = absl::StartsWith(url, "https://");
  const std::string port = tls ? ":443" : ":80";
  const size_t begin = tls ? 8 : 7;
  const size_t slash = url.find('/', begin);
  if (slash == std::string::npos) return url;
  const std::string host = url.substr(0, slash);
  if (absl::EndsWith(host, port)) return absl::StrCat(host.substr(0, host.size() - port.size()), url.substr(slash));
  return absl::StrCat(host, port, url.substr(slash));
}

absl::Status CheckSignature(const HookRequest& request, const FormFields& form) {
  const auto refused = [](std::string_view reason, std::string_view words) {
    return domain::FieldError(absl::StatusCode::kPermissionDenied, "X-Twilio-Signature", reason, words);
  };
  if (request.secret.empty()) {
    if (request.accept_unsigned) return absl::OkStatus();
    return refused("NO_SECRET", "give the team the account's auth token as its secret for twilio, so that the signature can "
                                "be checked");
  }
  if (request.http.twilio_signature.empty()) return refused("NOT_SIGNED", "Twilio signs its requests, and this one is not");
  if (request.own_url.empty()) {
    return refused("NO_PUBLIC_URL", "Twilio signs the address that it calls: set ringback.public_url to it");
  }
  const std::string url =
      request.query.empty() ? request.own_url : absl::StrCat(request.own_url, "?", std::string(request.query));
  for (const std::string& signed_url : {url, WithOtherPort(url)}) {
    if (SameText(TwilioSignature(signed_url, form, request.secret), request.http.twilio_signature)) return absl::OkStatus();
  }
  return refused("SIGNATURE_WRONG", "not signed with the team's secret, or for another address than ringback.public_url has");
}

// A softphone or a SIP address has no number that could be called back.
bool IsNumber(const std::string& end) { return IsWithheld(end) || !IsInternal(end); }

api::AttemptOutcome OutcomeOf(const std::string& status) {
  if (status == "completed" || status == "answered") return api::ATTEMPT_OUTCOME_REACHED;
  if (status == "busy") return api::ATTEMPT_OUTCOME_BUSY;
  if (status == "no-answer" || status == "failed" || status == "canceled") return api::ATTEMPT_OUTCOME_NO_ANSWER;
  return api::ATTEMPT_OUTCOME_UNSPECIFIED;
}

}  // namespace

std::string TwilioSignature(std::string_view url, const FormFields& form, std::string_view auth_token) {
  std::string text(url);
  const std::set<std::pair<std::string, std::string>> sorted(form.all().begin(), form.all().end());
  for (const auto& [name, value] : sorted) absl::StrAppend(&text, name, value);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha1(), auth_token.data(), static_cast<int>(auth_token.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(mac), size));
}

absl::StatusOr<CallEvent> ReadTwilio(const HookRequest& request) {
  RB_ASSIGN_OR_RETURN(const FormFields form, FormFields::Parse(request.http.content_type, request.http.body));
  RB_RETURN_IF_ERROR(CheckSignature(request, form));
  RB_ASSIGN_OR_RETURN(const FormFields query, FormFields::ParseQuery(request.query));
  CallEvent event;
  event.call_id = form.Get("CallSid");
  if (event.call_id.empty()) return domain::InvalidField("CallSid", "MISSING", "the call's id, as Twilio sends it");

  // What <Dial> came to says more than the call around it, which TwiML has answered.
  const bool dial = form.Count("DialCallStatus") > 0;
  const std::string& status = form.Get(dial ? "DialCallStatus" : "CallStatus");
  const bool in = form.Get("Direction") == "inbound";
  event.outcome = OutcomeOf(status);
  if (event.outcome == api::ATTEMPT_OUTCOME_UNSPECIFIED) {
    if (status == "queued" || status == "initiated" || status == "ringing" || status == "in-progress") {
      return Nothing("the call goes on");
    }
    return domain::InvalidField(dial ? "DialCallStatus" : "CallStatus", "STATUS_UNKNOWN",
                                "completed, busy, no-answer, failed or canceled, as Twilio sends it");
  }
  const bool spoken = event.outcome == api::ATTEMPT_OUTCOME_REACHED;
  if (in && spoken && !dial) return Nothing("TwiML took that call; what <Dial> came to is told by its action");
  event.caller.set_phone(form.Get(in ? "From" : "To"));
  if (!IsNumber(event.caller.phone())) return Nothing("that end has no number to call back");
  for (const std::string& extension : {query.Get("extension"), form.Get(in ? "To" : "From")}) {
    if (!extension.empty()) event.extensions.push_back(extension);
  }
  event.kind = spoken ? CallEvent::Kind::kSpoken : in ? CallEvent::Kind::kMissed : CallEvent::Kind::kDialled;
  return event;
}

}  // namespace ringback::web
