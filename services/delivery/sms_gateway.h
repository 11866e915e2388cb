// Text messages through any HTTP gateway: the operator writes its request as a template.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "delivery/http_curl.h"

namespace ringback::delivery {

struct SmsGatewayOptions {
  // Mustache with {{to}} (E.164), {{from}}, {{text}} and {{id}} (the delivery's, the same at every repeat). Holes are
  // percent-encoded in the URL and escaped in the body by its content type: application/json or
  // application/x-www-form-urlencoded.
  std::string url;   // "https://gateway.example/messages"
  std::string body;  // {"to":"{{to}}","from":"{{from}}","text":"{{text}}","reference":"{{id}}"}
  std::string content_type = "application/json";
  std::string authorization_file;  // its content is the Authorization header's value, read anew at each message
  std::string from;                // number or name
  int parts_max = 4;               // longer messages are refused: each part costs
};

struct Sms {
  std::string id;
  std::string to;    // E.164
  std::string text;  // UTF-8
};

// How many messages a phone network makes of `text`: 160 or n times 153 characters of the GSM 7-bit alphabet, else 70
// or n times 67 of UCS-2 (3GPP TS 23.038). 0 for an empty text.
int SmsParts(absl::string_view text);

// Thread-safe.
class SmsGateway {
 public:
  // INVALID_ARGUMENT naming the option: a template that fails, has unknown holes or misses {{to}} or {{text}}, another
  // content type, a URL that is none. `http` must outlive the gateway.
  static absl::StatusOr<std::unique_ptr<SmsGateway>> Create(const SmsGatewayOptions& options, HttpSender* http);

  // Outcomes as HttpSender; kPermanent for a number that is not E.164, an empty text or one over parts_max;
  // kTemporary with transport_fault when the authorization file cannot be read.
  SendOutcome Send(const Sms& sms, absl::Duration deadline, const BeforeData& before_data);

 private:
  SmsGateway(const SmsGatewayOptions& options, HttpSender* http) : options_(options), http_(http) {}

  const SmsGatewayOptions options_;
  HttpSender* const http_;
};

}  // namespace ringback::delivery
