// Signed webhooks out: events for machines, alarms for chat rooms. What the bytes are is pure and lives here; how they
// travel is in http_curl.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "delivery/http_curl.h"

namespace ringback::delivery {

enum class WebhookFormat {
  kEvent,  // {"id", "type", "time", "team", "callback", "data"}
  kSlack,  // an incoming webhook: text and blocks; Mattermost and Rocket.Chat read its text
  kTeams,  // Power Automate's "when a webhook request is received": a message with an Adaptive Card
};

struct WebhookTarget {
  std::string url;
  std::string secret;  // at least 16 bytes; empty: unsigned (Slack and Teams know the caller by the URL)
  WebhookFormat format = WebhookFormat::kEvent;
};

struct WebhookEvent {
  std::string id;           // the delivery's: the same at every repeat, so receivers can drop doubles
  std::string type;         // "callback.overdue"
  absl::Time time;
  std::string team_id;
  std::string callback_id;
  std::string title;        // chat: what the mail would have as subject
  std::string text;         // chat: one line or a few
  std::vector<std::pair<std::string, std::string>> facts;  // chat: "Versprochen": "heute um 13:00 Uhr"; event: data
  std::string link_url;     // empty: no button
  std::string link_words;
};

// The JSON body. Text that is no UTF-8 comes out with replacement characters.
std::string WebhookBody(WebhookFormat format, const WebhookEvent& event);

// "t=1795438800,v1=<64 hex digits>": HMAC-SHA256 with `secret` over "<t>.<body>", so neither the body nor the moment
// can be changed, and an old request cannot be replayed for long.
std::string WebhookSignature(absl::string_view secret, absl::string_view body, absl::Time time);

// For receivers and tests: the signature fits and is at most `age_max` away from `now`. Constant time.
bool VerifyWebhookSignature(absl::string_view secret, absl::string_view body, absl::string_view header, absl::Time now,
                            absl::Duration age_max = absl::Minutes(5));

// Posts with the headers Content-Type, Ringback-Event, Ringback-Delivery and, where there is a secret,
// Ringback-Signature. Outcomes as HttpSender; a bad URL or short secret is kPermanent. Thread-safe.
class WebhookSender {
 public:
  WebhookSender(HttpSender* http, Clock* clock) : http_(http), clock_(clock) {}
  SendOutcome Send(const WebhookTarget& target, const WebhookEvent& event, absl::Duration deadline,
                   const BeforeData& before_data);

 private:
  HttpSender* const http_;
  Clock* const clock_;
};

}  // namespace ringback::delivery
