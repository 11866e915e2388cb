// What a delivery says: its record, the callback and the team become the facts of a notice and, for mail, a finished
// message. Pure but for the templates; nothing here knows the store or a transport.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "delivery/mail_message.h"
#include "delivery/notices.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

struct ComposeInput {
  const store::v1::DeliveryRecord* delivery = nullptr;
  const store::v1::CallbackRecord* callback = nullptr;
  const store::v1::TeamRecord* team = nullptr;
  absl::string_view mp3;     // the rendition, "" when there is none or the team wants links only
  std::string public_url;    // "" when customers reach no page
  std::string mail_domain;   // of Message-IDs
  std::string envelope_sender;  // "" for the team's address
  absl::Time now;
  // Further alarms that go out in this message, with their callbacks.
  struct Bundled {
    store::v1::DeliveryRecord delivery;
    store::v1::CallbackRecord callback;
  };
  std::vector<Bundled> bundled;
  std::string failure;  // of an alarm that a message did not arrive and that names no reason: why its last try failed
};

// A notice in the reader's language, and the facts that it was made of.
struct ComposedNotice {
  NoticeFacts facts;
  RenderedNotice words;
};
// A template of the team's own that does not work is passed over for the built-in one and logged: a wrong word in a file
// must not silence an alarm.
ComposedNotice ComposeNotice(const ComposeInput& input);

// The mail to the delivery's current channel. INVALID_ARGUMENT when an address or a name cannot be mailed to.
absl::StatusOr<MailMessage> ComposeMailMessage(const ComposeInput& input, const ComposedNotice& notice);

// Where the customer's answer by mail goes: the address that the mail comes from with the callback's token (RFC 5233
// subaddress).
std::string ReplyAddress(const std::string& team_address, const store::v1::CallbackRecord& callback);

}  // namespace ringback::delivery
