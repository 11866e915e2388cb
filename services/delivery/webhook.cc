// Bodies and signatures of webhooks.
#include "delivery/webhook.h"

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace ringback::delivery {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string EventBody(const WebhookEvent& event) {
  Json data = Json::object();
  for (const auto& [name, value] : event.facts) data[name] = value;
  return Dump({{"id", event.id},
               {"type", event.type},
               {"time", absl::FormatTime("%Y-%m-%d%ET%H:%M:%E3SZ", event.time, absl::UTCTimeZone())},
               {"team", event.team_id},
               {"callback", event.callback_id},
               {"title", event.title},
               {"text", event.text},
               {"url", event.link_url},
               {"data", std::move(data)}});
}

// Slack's own escapes: a caller's name must not become a link or an @channel.
std::string SlackText(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

std::string Shortened(absl::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return absl::StrCat(text.substr(0, size), "…");
}

// Slack refuses a header over 150 characters, a section over 3000 and more than ten fields: bytes are a safe bound.
std::string SlackBody(const WebhookEvent& event) {
  Json blocks = Json::array();
  const auto plain = [](absl::string_view text) {
    return Json{{"type", "plain_text"}, {"text", std::string(text)}, {"emoji", false}};
  };
  blocks.push_back({{"type", "header"}, {"text", plain(Shortened(event.title, 140))}});
  if (!event.text.empty()) {
    blocks.push_back(
        {{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", Shortened(SlackText(event.text), 2900)}}}});
  }
  Json fields = Json::array();
  for (size_t i = 0; i < event.facts.size() && i < 10; ++i) {
    const auto& [name, value] = event.facts[i];
    fields.push_back({{"type", "mrkdwn"},
                      {"text", absl::StrCat("*", Shortened(SlackText(name), 100), "*\n",
                                            Shortened(SlackText(value), 1800))}});
  }
  if (!fields.empty()) blocks.push_back({{"type", "section"}, {"fields", std::move(fields)}});
  if (!event.link_url.empty()) {
    blocks.push_back({{"type", "actions"},
                      {"elements", Json::array({{{"type", "button"},
                                                 {"text", plain(Shortened(event.link_words, 70))},
                                                 {"url", event.link_url}}})}});
  }
  return Dump({{"text", SlackText(absl::StrCat(event.title, event.text.empty() ? "" : "\n", event.text))},
               {"blocks", std::move(blocks)}});
}

// Adaptive Cards read a little Markdown in a TextBlock; a backslash before its marks keeps a caller's name a name.
std::string CardText(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"*", "\\*"}, {"_", "\\_"}, {"[", "\\["}, {"]", "\\]"}});
}

std::string TeamsBody(const WebhookEvent& event) {
  Json body = Json::array();
  body.push_back({{"type", "TextBlock"}, {"text", CardText(event.title)}, {"weight", "Bolder"}, {"size", "Medium"},
                  {"wrap", true}});
  if (!event.text.empty()) body.push_back({{"type", "TextBlock"}, {"text", CardText(event.text)}, {"wrap", true}});
  Json facts = Json::array();
  for (const auto& [name, value] : event.facts) {
    facts.push_back({{"title", name}, {"value", CardText(Shortened(value, 2000))}});
  }
  if (!facts.empty()) body.push_back({{"type", "FactSet"}, {"facts", std::move(facts)}});
  Json card = {{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
               {"type", "AdaptiveCard"},
               {"version", "1.4"},
               {"body", std::move(body)}};
  if (!event.link_url.empty()) {
    card["actions"] =
        Json::array({{{"type", "Action.OpenUrl"}, {"title", event.link_words}, {"url", event.link_url}}});
  }
  return Dump({{"type", "message"},
               {"attachments", Json::array({{{"contentType", "application/vnd.microsoft.card.adaptive"},
                                             {"contentUrl", nullptr},
                                             {"content", std::move(card)}}})}});
}

std::string HmacHex(absl::string_view secret, absl::string_view message) {
  unsigned char digest[crypto_auth_hmacsha256_BYTES];
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(message.data()), message.size());
  crypto_auth_hmacsha256_final(&state, digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), sizeof digest));
}

}  // namespace

std::string WebhookBody(WebhookFormat format, const WebhookEvent& event) {
  switch (format) {
    case WebhookFormat::kSlack: return SlackBody(event);
    case WebhookFormat::kTeams: return TeamsBody(event);
    case WebhookFormat::kEvent: break;
  }
  return EventBody(event);
}

std::string WebhookSignature(absl::string_view secret, absl::string_view body, absl::Time time) {
  const std::string moment = absl::StrCat(absl::ToUnixSeconds(time));
  return absl::StrCat("t=", moment, ",v1=", HmacHex(secret, absl::StrCat(moment, ".", body)));
}

bool VerifyWebhookSignature(absl::string_view secret, absl::string_view body, absl::string_view header, absl::Time now,
                            absl::Duration age_max) {
  std::string moment;
  std::string digest;
  for (absl::string_view part : absl::StrSplit(header, ',')) {
    if (absl::ConsumePrefix(&part, "t=")) moment = std::string(part);
    if (absl::ConsumePrefix(&part, "v1=")) digest = std::string(part);
  }
  int64_t unix_s = 0;
  if (!absl::SimpleAtoi(moment, &unix_s)) return false;
  if (absl::AbsDuration(now - absl::FromUnixSeconds(unix_s)) > age_max) return false;
  const std::string expected = HmacHex(secret, absl::StrCat(moment, ".", body));
  return digest.size() == expected.size() && sodium_memcmp(digest.data(), expected.data(), expected.size()) == 0;
}

SendOutcome WebhookSender::Send(const WebhookTarget& target, const WebhookEvent& event, absl::Duration deadline,
                                const BeforeData& before_data) {
  if (!target.secret.empty() && target.secret.size() < 16) {
    return {.result = SendResult::kPermanent, .reason = "the webhook's secret is shorter than 16 bytes"};
  }
  HttpPost post{.url = target.url, .body = WebhookBody(target.format, event)};
  post.headers = {"Content-Type: application/json; charset=utf-8", absl::StrCat("Ringback-Event: ", event.type),
                  absl::StrCat("Ringback-Delivery: ", event.id)};
  if (!target.secret.empty()) {
    post.headers.push_back(
        absl::StrCat("Ringback-Signature: ", WebhookSignature(target.secret, post.body, clock_->Now())));
  }
  return http_->Post(post, deadline, before_data);
}

}  // namespace ringback::delivery
