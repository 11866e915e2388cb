// The ways out of this machine, as the configuration names them, behind one call per channel.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/laps.h"
#include "core/runtime/config.h"
#include "delivery/compose.h"
#include "delivery/http_curl.h"
#include "delivery/mail_transport.h"
#include "delivery/rate_limit.h"
#include "delivery/sms_gateway.h"
#include "delivery/webhook.h"

namespace ringback::delivery {

// The transport that [mail] describes; a Maildir below the data folder when it names none. For the worker and doctor.
absl::StatusOr<std::unique_ptr<MailTransport>> MailTransportOf(const runtime::Config& config);

// Where a webhook channel's events go.
WebhookTarget TargetOf(const store::v1::Channel& channel);

// Thread-safe; Send blocks.
class Wires {
 public:
  static absl::StatusOr<std::unique_ptr<Wires>> Create(const runtime::Config& config, Clock* clock);

  // Zero when the delivery may go now by its current channel, else how long that one's rate limit asks to wait.
  absl::Duration Wait(const store::v1::DeliveryRecord& delivery, const store::v1::CallbackRecord& callback);

  // Whether there is a way out for such a channel at all: for SMS only with a gateway.
  bool Has(const store::v1::Channel& channel) const {
    return channel.kind() != store::v1::Channel::KIND_SMS || sms_ != nullptr;
  }

  // What webhooks go out by, with its check of addresses.
  HttpSender& http() { return *http_; }

  // Sends by the delivery's current channel. The desk takes everything: it shows the record itself.
  SendOutcome Send(const ComposeInput& input, const BeforeData& before_data, Laps* laps);
  // Posts an event that is no notice.
  SendOutcome Send(const WebhookTarget& target, const WebhookEvent& event);
  // Sends a mail that is no notice.
  SendOutcome Send(const MailMessage& message, const BeforeData& before_data, Laps* laps);

 private:
  Wires(const runtime::Config& config, Clock* clock)
      : config_(config), clock_(clock), mail_rate_(config.mail_rate_per_second, 5, clock) {}

  SendOutcome SendMail(const ComposeInput& input, const BeforeData& before_data, Laps* laps);
  SendOutcome SendWebhook(const ComposeInput& input, const BeforeData& before_data);

  const runtime::Config config_;
  Clock* const clock_;
  RateLimit mail_rate_;
  std::unique_ptr<MailTransport> mail_;
  std::unique_ptr<HttpSender> http_;
  std::unique_ptr<WebhookSender> webhook_;
  std::unique_ptr<SmsGateway> sms_;  // nullptr when no gateway is configured
};

}  // namespace ringback::delivery
