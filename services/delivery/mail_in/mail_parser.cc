#include "delivery/mail_in/mail_parser.h"

#include "absl/strings/str_cat.h"
#include "delivery/mail_in/mail_limits.h"
#include "delivery/mail_in/mail_wire.h"

namespace ringback::delivery {

std::string MailParserBesideThisProgram() { return sandbox::BesideThisProgram("ringback-mail-parser"); }

MailParser::MailParser(const MailParserOptions& options)
    : options_(options),
      pool_({.program = options.program,
             .args = {},
             .limits = MailSandbox(),
             .children_max = options.children_max,
             .jobs_per_child = 5000,
             .idle_timeout = options.idle_timeout}) {}

absl::StatusOr<ParsedMail> MailParser::Try(std::string_view bytes, const MailLimits& limits) {
  auto answer = pool_.Run({EncodeLimits(limits), bytes}, options_.patience);
  if (!answer.ok()) return answer.status();
  return DecodeMail(*answer);  // a child that answers nonsense has been taken over by its input
}

absl::StatusOr<ParsedMail> MailParser::Parse(std::string_view bytes) {
  auto mail = Try(bytes, options_.limits);
  if (mail.ok() || absl::IsUnavailable(mail.status())) return mail;
  const std::string remark = absl::StrCat("reading it failed (", mail.status().message(), ")");
  MailLimits headers = options_.limits;
  headers.headers_only = true;
  // The headers are at the beginning, and no longer than this.
  mail = Try(bytes.substr(0, std::min<size_t>(bytes.size(), 4 * headers.header_bytes_max)), headers);
  if (absl::IsUnavailable(mail.status())) return mail;
  if (!mail.ok()) mail = ParsedMail();
  mail->kind = MailKind::kUnreadable;
  mail->remarks.push_back(remark);
  return mail;
}

}  // namespace ringback::delivery
