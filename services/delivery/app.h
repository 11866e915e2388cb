// The delivery service: what a decision wants said goes out by mail, webhook, SMS or desk, and what became of it comes
// back into the record. Customers' mails come in here too: answer_intake.h, and out of mailboxes: mailbox/mailbox_worker.h.
// What is sent to whom is domain's; what it says is compose's; the wires are mail_transport.h, webhook.h and sms_gateway.h.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::delivery {

// Adds the workers of the stages kDelivery, kBusy, kRetention and kMailbox, DeliveryService and AnswerService to the host. INVALID_ARGUMENT names the
// configuration key that cannot work.
absl::Status RunDelivery(runtime::Host& host);

}  // namespace ringback::delivery
