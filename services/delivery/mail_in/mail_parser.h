// Calls ringback-mail-parser: bytes in, what was understood out, whatever the bytes do to the parser. Links no parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/sandbox/child_pool.h"
#include "delivery/mail_in/parsed_mail.h"

namespace ringback::delivery {

struct MailParserOptions {
  std::string program;  // Path of ringback-mail-parser; MailParserBesideThisProgram() finds it in the usual place.
  int children_max = 1;
  absl::Duration idle_timeout = absl::Seconds(60);
  absl::Duration patience = absl::Seconds(30);  // for one mail, waiting for a free child included
  MailLimits limits;
};

std::string MailParserBesideThisProgram();

// Thread-safe. Starts its children with the first mails and stops them when idle.
class MailParser {
 public:
  explicit MailParser(const MailParserOptions& options);

  // A mail that crashes the parser or uses up its limits is tried once more without its body, and is kUnreadable then.
  // UNAVAILABLE alone says that it is not the mail's fault: the program does not start, no child was free in time, or it was
  // ended from outside.
  absl::StatusOr<ParsedMail> Parse(std::string_view bytes);

  std::vector<int> ChildPids() const { return pool_.Pids(); }

 private:
  absl::StatusOr<ParsedMail> Try(std::string_view bytes, const MailLimits& limits);

  const MailParserOptions options_;
  sandbox::ChildPool pool_;
};

}  // namespace ringback::delivery
