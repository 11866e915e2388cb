// ringback-mail-parser: the only program that reads strangers' mails. Two uses:
//   ringback-mail-parser                a sandboxed child: mails come over descriptor 3 (core/sandbox/serve.h)
//   ringback-mail-parser --file MAIL    one mail from the command line, in the same sandbox; prints what was understood
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

#include "core/sandbox/child_pool.h"
#include "core/sandbox/serve.h"
#include "delivery/mail_in/mail_limits.h"
#include "delivery/mail_in/mail_wire.h"
#include "delivery/mail_in/read_mail.h"

namespace ringback::delivery {
namespace {

std::string Answer(std::string request) {
  size_t rest = 0;
  const std::optional<MailLimits> limits = DecodeLimits(request, &rest);
  if (!limits) _exit(EXIT_FAILURE);  // Our own parent never sends this.
  request.erase(0, rest);
  return EncodeMail(ReadMail(std::move(request), *limits));
}

void Print(const ParsedMail& mail) {
  static const char* const kKinds[] = {"", "reply", "automatic", "bounce", "calendar", "unreadable"};
  const auto line = [](const char* name, const std::string& value) {
    if (!value.empty()) std::printf("%s: %s\n", name, value.c_str());
  };
  line("kind", kKinds[static_cast<int>(mail.kind)]);
  line("sender", mail.sender);
  for (const std::string& one : mail.recipients) line("recipient", one);
  line("subject", mail.subject);
  line("message-id", mail.message_id);
  for (const std::string& one : mail.in_reply_to) line("in-reply-to", one);
  for (const std::string& one : mail.references) line("references", one);
  line("automatic", mail.automatic_sign);
  if (mail.kind == MailKind::kBounce) {
    line("bounced-recipient", mail.bounce.recipient);
    line("bounced-status", mail.bounce.status);
    line("bounced-diagnostic", mail.bounce.diagnostic);
    line("bounced-message-id", mail.bounce.message_id);
    line("bounced", mail.bounce.permanent ? "for good" : "still tried");
  }
  line("calendar-uid", mail.calendar.uid);
  line("calendar-participation", mail.calendar.participation);
  for (const MailFile& file : mail.files) {
    std::printf("file: %s (%s, %llu bytes)%s%s\n", file.file_name.c_str(), file.media_type.c_str(),
                static_cast<unsigned long long>(file.size_bytes), file.drop_reason.empty() ? "" : ", dropped for its ", file.drop_reason.c_str());
  }
  for (const std::string& one : mail.remarks) line("remark", one);
  std::printf("\n%s\n", mail.text.c_str());
}

int CommandLine(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--file") != 0) {
    std::fprintf(stderr, "usage: ringback-mail-parser --file MAIL\nprints what ringback understands of it\n");
    return 2;
  }
  std::ifstream file(argv[2], std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "ringback-mail-parser: cannot read %s\n", argv[2]);
    return 1;
  }
  const auto answer = sandbox::RunForked(&Answer, &WarmUpMailReader, MailSandbox(), EncodeLimits({}) + bytes.str(), absl::Seconds(30));
  const auto mail = answer.ok() ? DecodeMail(*answer) : answer.status();
  if (!mail.ok()) {
    std::fprintf(stderr, "ringback-mail-parser: %s\n", std::string(mail.status().message()).c_str());
    return 1;
  }
  Print(*mail);
  return 0;
}

}  // namespace
}  // namespace ringback::delivery

int main(int argc, char** argv) {
  using namespace ringback;
  if (argc > 1) return delivery::CommandLine(argc, argv);
  sandbox::ServeSandboxed(&delivery::Answer, &delivery::WarmUpMailReader);
}
