// The mailboxes that customers' answers are fetched from, as the operator's TOML file lists them. Only reading and
// checking it lives here; mailboxes.example.toml explains the keys to people.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace ringback::delivery {

struct MailboxSettings {
  std::string name;           // unique in the file; in logs, metrics and doctor
  std::string url;            // as written
  std::string host;           // of the url; an IPv6 address without its brackets
  int port = 0;
  bool implicit_tls = false;  // imaps: TLS from the first byte
  bool start_tls = false;     // imap: STARTTLS, and no login without it
  std::string user;
  std::string password_file;  // read anew at each connection; one of it and token_command is set
  std::string token_command;  // XOAUTH2: a shell command that prints the access token
  std::string ca_file;        // empty: the system's
  std::string folder = "INBOX";
  std::string done_folder;    // empty: what was taken in stays where it is
  std::string team;           // id
  int first_days = 30;        // a mailbox that is read from its beginning: mail that came before that is passed over; 0: all
};

// INVALID_ARGUMENT with file and line and what would be right. A file without a mailbox is right.
absl::StatusOr<std::vector<MailboxSettings>> ReadMailboxes(const std::string& file);

// A reason as it may stand in a record and a log: without the mailbox's user ("user@…"), one short line of UTF-8.
std::string WithoutUser(absl::string_view text, const MailboxSettings& settings);

}  // namespace ringback::delivery
