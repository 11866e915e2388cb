// The mail with which a member signs in: link and code as a message. When it leaves is sign_in_job.h's business. Pure but
// for the templates.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/mail_message.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

struct SignInMailInput {
  const store::v1::DeliveryRecord* delivery = nullptr;  // of KIND_SIGN_IN
  const store::v1::TeamRecord* team = nullptr;
  std::string staff_url;        // where the pages are; "": the mail has the code alone
  std::string mail_domain;      // of Message-IDs
  std::string envelope_sender;  // "" for the team's address
  absl::Time now;
};

// INVALID_ARGUMENT when the address cannot be mailed to. In the member's language, else the team's. Automatic, so
// that no out-of-office answers it; text only. The subject tells nothing: mail servers log subjects.
absl::StatusOr<MailMessage> ComposeSignInMail(const SignInMailInput& input);

}  // namespace ringback::delivery
