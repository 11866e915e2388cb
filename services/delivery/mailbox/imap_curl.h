// A conversation with an IMAP server. Connecting, TLS, certificates and login are libcurl's; it has no way to read a message
// and leave it unread, so the commands that come then are sent here, over its connection.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/curl_pool.h"
#include "delivery/mailbox/imap_text.h"
#include "delivery/mailbox/mailboxes_file.h"
#include "delivery/token_command.h"

namespace ringback::delivery {

// Used by one thread at a time.
class ImapCurl {
 public:
  // Errors as mailbox.h lists them. `deadline` is for the connection with its login, and for each command.
  static absl::StatusOr<std::unique_ptr<ImapCurl>> Connect(const MailboxSettings& settings, TokenCommand* token,
                                                           std::function<bool()> stop, absl::Duration deadline);
  // Says goodbye unless the conversation has failed.
  ~ImapCurl();
  ImapCurl(const ImapCurl&) = delete;
  ImapCurl& operator=(const ImapCurl&) = delete;

  // Sends one command (without tag and CRLF) and returns the untagged responses up to its end, `bytes_max` at most.
  // FAILED_PRECONDITION when the server said no: "DOING: its reason". After UNAVAILABLE and CANCELLED there is no more
  // talking.
  absl::StatusOr<std::vector<ImapResponse>> Command(absl::string_view command, absl::string_view doing, size_t bytes_max);

 private:
  ImapCurl(const MailboxSettings& settings, std::function<bool()> stop, absl::Duration deadline);

  absl::Status SetLogin(TokenCommand* token);
  absl::Status Perform();
  absl::Status Send(absl::string_view bytes, absl::Time end);
  // At least one byte into reader_; `left` counts down.
  absl::Status Receive(absl::Time end, size_t* left);
  absl::Status Wait(short events, absl::Time end);
  absl::StatusOr<std::vector<ImapResponse>> Talk(absl::string_view command, absl::string_view doing, absl::Time end, size_t left);

  const MailboxSettings settings_;
  const std::function<bool()> stop_;
  const absl::Duration deadline_;
  CurlHandle curl_;
  std::string reply_;     // the server's last line while libcurl speaks
  ImapReader reader_;
  int tag_ = 0;
  bool failed_ = false;   // an answer may still be owed
};

}  // namespace ringback::delivery
