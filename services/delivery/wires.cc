#include "delivery/wires.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "delivery/urgency.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

SendOutcome Refused(std::string reason) {
  SendOutcome outcome;
  outcome.result = SendResult::kPermanent;
  outcome.reason = std::move(reason);
  return outcome;
}

WebhookFormat FormatOf(record::Channel::Format format) {
  switch (format) {
    case record::Channel::FORMAT_SLACK: return WebhookFormat::kSlack;
    case record::Channel::FORMAT_TEAMS: return WebhookFormat::kTeams;
    default: return WebhookFormat::kEvent;
  }
}

// "callback.escalation": what a receiver of events tells kinds apart by.
std::string EventType(record::DeliveryRecord::Kind kind) {
  std::string word = record::DeliveryRecord::Kind_Name(kind);
  return absl::StrCat("callback.", absl::AsciiStrToLower(word.substr(sizeof("KIND_") - 1)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MailTransport>> MailTransportOf(const runtime::Config& config) {
  MailTransportOptions options;
  options.url = config.mail_transport.empty() ? absl::StrCat("maildir:", config.OutboxDir()) : config.mail_transport;
  options.user = config.mail_user;
  options.password_file = config.mail_password_file;
  options.token_command = config.mail_token_command;
  options.ca_file = config.mail_ca_file;
  if (config.mail_allow_plain) options.tls = SmtpTls::kNone;
  return NewMailTransport(options);
}

absl::StatusOr<std::unique_ptr<Wires>> Wires::Create(const runtime::Config& config, Clock* clock) {
  std::unique_ptr<Wires> wires(new Wires(config, clock));
  RB_ASSIGN_OR_RETURN(wires->mail_, MailTransportOf(config));
  HttpOptions http;
  http.allow_private_addresses = config.webhook_allow_private;
  wires->http_ = NewHttpSender(http);
  wires->webhook_ = std::make_unique<WebhookSender>(wires->http_.get(), clock);
  if (!config.sms_url.empty()) {
    SmsGatewayOptions sms;
    sms.url = config.sms_url;
    sms.body = config.sms_body;
    sms.authorization_file = config.sms_secret_file;
    RB_ASSIGN_OR_RETURN(wires->sms_, SmsGateway::Create(sms, wires->http_.get()));
  }
  return wires;
}

absl::Duration Wires::Wait(const record::DeliveryRecord& delivery, const record::CallbackRecord& callback) {
  if (delivery.channels(delivery.channel()).kind() != record::Channel::KIND_MAIL) return absl::ZeroDuration();
  return mail_rate_.TryTake(delivery.id(), UrgencyOf(delivery, callback));
}

WebhookTarget TargetOf(const record::Channel& channel) {
  return {channel.address(), channel.secret(), FormatOf(channel.format())};
}

SendOutcome Wires::Send(const ComposeInput& input, const BeforeData& before_data, Laps* laps) {
  const record::Channel& channel = input.delivery->channels(input.delivery->channel());
  switch (channel.kind()) {
    case record::Channel::KIND_MAIL: return SendMail(input, before_data, laps);
    case record::Channel::KIND_WEBHOOK: return SendWebhook(input, before_data);
    case record::Channel::KIND_SMS: {
      if (sms_ == nullptr) return Refused("no SMS gateway is configured (sms.url)");
      const Sms sms{input.delivery->id(), channel.address(), ComposeNotice(input).words.line};
      return sms_->Send(sms, config_.mail_timeout, before_data);
    }
    default: {
      SendOutcome shown;
      shown.result = SendResult::kAccepted;
      shown.reason = "shown on the desk";
      return shown;
    }
  }
}

SendOutcome Wires::SendMail(const ComposeInput& input, const BeforeData& before_data, Laps* laps) {
  const auto message = ComposeMailMessage(input, ComposeNotice(input));
  if (!message.ok()) return Refused(std::string(message.status().message()));
  return Send(*message, before_data, laps);
}

SendOutcome Wires::Send(const MailMessage& message, const BeforeData& before_data, Laps* laps) {
  const auto bytes = ComposeMail(message);
  if (!bytes.ok()) return Refused(std::string(bytes.status().message()));
  laps->Lap("compose");
  const Envelope envelope{message.envelope_sender, message.to.address, message.message_id};
  return mail_->Send(*bytes, envelope, config_.mail_timeout, before_data);
}

SendOutcome Wires::Send(const WebhookTarget& target, const WebhookEvent& event) {
  return webhook_->Send(target, event, config_.mail_timeout, [] { return absl::OkStatus(); });
}

SendOutcome Wires::SendWebhook(const ComposeInput& input, const BeforeData& before_data) {
  const RenderedNotice notice = ComposeNotice(input).words;
  const record::Channel& channel = input.delivery->channels(input.delivery->channel());
  const record::CallbackRecord& callback = *input.callback;
  WebhookEvent event;
  event.id = input.delivery->id();
  event.type = EventType(input.delivery->kind());
  event.time = input.now;
  event.team_id = callback.team_id();
  event.callback_id = callback.id();
  event.title = notice.subject;
  event.text = notice.line;
  event.facts.emplace_back("caller", callback.caller().name());
  if (!callback.caller().phone().empty()) event.facts.emplace_back("phone", callback.caller().phone());
  if (const auto due = domain::DueTime(callback)) {
    event.facts.emplace_back("due", absl::FormatTime(absl::RFC3339_sec, *due, absl::UTCTimeZone()));
  }
  if (input.delivery->step() > 0) event.facts.emplace_back("step", absl::StrCat(input.delivery->step()));
  if (!input.delivery->reason().empty()) event.facts.emplace_back("reason", input.delivery->reason());
  return webhook_->Send(TargetOf(channel), event, config_.mail_timeout, before_data);
}

}  // namespace ringback::delivery
