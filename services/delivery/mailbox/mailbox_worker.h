// The mailboxes that customers' answers are fetched from, as work: one due entry each (stage kMailbox), and whoever holds its
// lease is the only one to read it. What happens in a turn is mailbox_turn's.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/runtime/host.h"
#include "delivery/mailbox/mailbox.h"
#include "delivery/mailbox/mailbox_turn.h"

namespace ringback::delivery {

// Opens by IMAP, with a token kept for each mailbox that has a token command.
MailboxOpener ImapOpener(const std::vector<MailboxSettings>& mailboxes);

class Mailboxes {
 public:
  Mailboxes(runtime::Host& host, std::vector<MailboxSettings> mailboxes, MailboxOpener open, TakeMail take);
  ~Mailboxes();

  // For stage kMailbox.
  std::unique_ptr<runtime::JobHandler> NewHandler();

  // Makes the record and the due entry of each mailbox that has none, here or by another replica; and says how all of them
  // are (metric ringback_mailbox_trouble). Call it every minute, first at the start.
  absl::Status Refresh();

  int count() const { return static_cast<int>(by_id_.size()); }

 private:
  friend class MailboxHandler;

  runtime::Host& host_;
  std::map<std::string, MailboxSettings> by_id_;  // by the id of the record
  const MailboxOpener open_;
  const TakeMail take_;
};

// Reads answers.mailboxes_file and adds what reads the mailboxes to the host: worker and periodic work. Without a file the
// worker only ends what an earlier one left. The result outlives the host's serving. INVALID_ARGUMENT names file and line.
absl::StatusOr<std::unique_ptr<Mailboxes>> AddMailboxes(runtime::Host& host, TakeMail take);

// The id of a mailbox's record and due entry.
std::string MailboxId(const MailboxSettings& settings);

}  // namespace ringback::delivery
