// Mailboxes by IMAP: RFC 3501, with MOVE (RFC 6851) and UIDPLUS (RFC 4315) where the server has them.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "delivery/mailbox/mailbox.h"
#include "delivery/token_command.h"

namespace ringback::delivery {

// Connects, logs in and opens the folder: to read only when nothing is ever moved out of it. `deadline` is for each step
// of a conversation (the login, one command, one megabyte of a message). `token` is kept by the caller from one opening to
// the next, and nullptr for a mailbox with a password.
absl::StatusOr<std::unique_ptr<Mailbox>> OpenImapMailbox(const MailboxSettings& settings, TokenCommand* token,
                                                         std::function<bool()> stop, absl::Duration deadline = absl::Seconds(30));

}  // namespace ringback::delivery
