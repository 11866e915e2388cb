// One HTTP request and its answer as plain data, so that routes and pages are tested without a socket. Knows no Beast
// (listener.cc) and no record.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/http/live_body.h"

namespace ringback::http {

struct HttpRequest {
  std::string method;           // "GET"
  std::string target;           // origin form, as sent: "/m/pg07…/voice.mp3?download"
  std::string peer;             // the client's address: "203.0.113.9", "2001:db8::1"; proxies are seen through
  bool secure = false;          // over TLS, here or at a proxy in front
  std::string host;             // header fields; "" when not sent
  std::string accept;
  std::string accept_encoding;
  std::string accept_language;
  std::string user_agent;
  std::string range;
  std::string if_range;
  std::string if_none_match;
  std::string cookie;           // several headers as one: cookies.h reads it
  std::string origin;
  std::string referer;
  std::string sec_fetch_site;
  std::string content_type;
  std::string form_token;       // X-Ringback-Form: what a page's own script proves itself with
  std::string last_event_id;
  std::string proxy_member;     // whom a proxy in front has signed in (ListenerOptions::member_header); "" from anybody else
  std::string twilio_signature;   // X-Twilio-Signature
  std::string sipgate_signature;  // X-Sipgate-Signature
  std::string hook_secret;        // X-Ringback-Secret
  std::string body;             // complete; of POST alone
};

struct HttpResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Set for large bodies: the bytes [offset, offset + size) of the body, called on the pool, in order, until
  // `source_size` bytes are sent. An error or a short answer breaks the connection off, so that no client takes a part
  // for the whole. `body` is empty then.
  std::function<absl::StatusOr<std::string>(int64_t offset, int64_t size)> source;
  int64_t source_size = 0;
  // Set for an answer without an end: sent as it comes, until it closes or the client goes. `body` is empty then.
  std::shared_ptr<LiveBody> live;
  // Not sent sooner than so long after the request was read, so that how long an answer took tells nothing.
  std::chrono::milliseconds no_sooner{0};
  std::string route;  // for metrics: a fixed word, never a part of the target
};

// What every answer carries: nothing is cached, indexed, sniffed or told to other sites.
HttpResponse NewResponse(int status, std::string route);
// A short answer in plain text, for programs and for refusals.
HttpResponse PlainResponse(int status, std::string route, std::string text);

// The value of a header by its exact name; "" when it is not set.
std::string HeaderOf(const HttpResponse& response, const std::string& name);

}  // namespace ringback::http
