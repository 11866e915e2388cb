// Mail as files one can open: a Maildir (maildir(5)). The default transport of the embedded mode.
#pragma once

#include <string>
#include <vector>

#include "delivery/mail_transport.h"

namespace ringback::delivery {

// Creates DIR, DIR/tmp, DIR/new and DIR/cur where missing. Each mail is one file with LF line ends and the envelope on
// top (Return-Path, Delivered-To), synced with its folder before kAccepted. The name is a function of Message-ID and
// recipient: a repeat replaces the unread file, and is accepted without a second copy once a reader moved it to cur/.
// A full disk is kTemporary with the words RESOURCE_EXHAUSTED, nothing half-written in new/.
absl::StatusOr<std::unique_ptr<MailTransport>> NewMaildirTransport(const std::string& directory);

// Removes every copy of these mails (Message-IDs without <>), read or not, and syncs the folders: erasure. A folder
// that is not there holds none.
absl::Status RemoveFromMaildir(const std::string& directory, const std::vector<std::string>& message_ids);

}  // namespace ringback::delivery
