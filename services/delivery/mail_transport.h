// How a finished mail, webhook or text message leaves this machine, and what became of it. The interface and its
// outcomes live here; each technology has its own file (maildir, smtp_curl, webhook, sms_gateway).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace ringback::delivery {

enum class SendResult {
  kAccepted,   // the other side took responsibility
  kTemporary,  // it certainly did not, and a later try may succeed: 4xx, network, disk full
  kPermanent,  // it refused for good: 5xx, 4xx of HTTP, a destination that is not allowed
  kUnknown,    // everything was handed over and the answer is missing: send again with the same identity
  kAborted,    // BeforeData said no; the other side got nothing it would keep
};
absl::string_view SendResultName(SendResult result);  // "ACCEPTED", …

struct SendOutcome {
  SendResult result = SendResult::kTemporary;
  std::string reason;      // the server's reply or what went wrong, one line of UTF-8; with kAccepted the reply
  std::string queue_id;    // what the server called it, where it said so; for a Maildir the file's name
  int reply_code = 0;      // last SMTP reply or HTTP status; 0 when none came
  absl::Duration retry_after = absl::ZeroDuration();  // the other side's wish; zero when it has none
  // The fault lies before this recipient came into play (no connection, TLS, login, disk): every other mail over this
  // transport will meet it too, and it says nothing about the address.
  bool transport_fault = false;
};

// Asked once, after the other side is ready for the content and before its first byte leaves: the place to check the
// lease again. Anything but OK aborts. Called on the sending thread.
using BeforeData = std::function<absl::Status()>;

struct Envelope {
  std::string sender;      // "" is the null return path
  std::string recipient;   // exactly one
  std::string message_id;  // that of the mail, without <>; the same mail has the same one
};

// Thread-safe; blocks, so never call it on a gRPC reactor or an io_context.
class MailTransport {
 public:
  virtual ~MailTransport() = default;
  // Hands `mail` (RFC 5322 bytes, CRLF) over for one recipient within `deadline`, or two seconds more when a server hangs
  // after the final dot: leases must outlive that. Never throws; every failure is an
  // outcome. An empty `before_data` allows.
  virtual SendOutcome Send(absl::string_view mail, const Envelope& envelope, absl::Duration deadline,
                           const BeforeData& before_data) = 0;
  // For doctor and logs, without secrets: "smtp://mail.example.com:587".
  virtual std::string Describe() const = 0;
};

enum class SmtpTls {
  kAuto,     // smtps: TLS from the start; smtp: STARTTLS required, except to a loopback address
  kRequire,  // STARTTLS also on loopback
  kNone,     // plain text anywhere: the operator's explicit wish
};

struct MailTransportOptions {
  std::string url = "maildir:outbox";  // maildir:DIR, smtp://HOST[:587], smtps://HOST[:465]
  std::string user;                    // empty: no login
  std::string password_file;           // read anew at each connection; its last line break is dropped
  std::string token_command;           // XOAUTH2: a shell command that prints the access token; instead of a password
  std::string ca_file;                 // empty: the system's
  std::string hello_name;              // EHLO; empty: this machine's name
  SmtpTls tls = SmtpTls::kAuto;
  absl::Duration connect_timeout = absl::Seconds(10);
  int idle_connections_max = 4;        // kept open between mails
};

// INVALID_ARGUMENT for a URL, option or combination that cannot work, naming the key; creates the Maildir's folders.
absl::StatusOr<std::unique_ptr<MailTransport>> NewMailTransport(const MailTransportOptions& options);

}  // namespace ringback::delivery
