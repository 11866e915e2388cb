#include "ringback/doctor_mailboxes.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "delivery/mailbox/mailbox_worker.h"

namespace ringback {
namespace {

using Level = Finding::Level;

absl::Status Try(const delivery::MailboxSettings& settings, const delivery::MailboxOpener& open) {
  RB_ASSIGN_OR_RETURN(const auto mailbox, open(settings, nullptr));
  return settings.done_folder.empty() ? absl::OkStatus() : mailbox->CheckDoneFolder();
}

}  // namespace

std::vector<Finding> ExamineMailboxes(const runtime::Config& config) {
  if (config.answers_mailboxes_file.empty()) return {};
  const auto mailboxes = delivery::ReadMailboxes(config.answers_mailboxes_file);
  if (!mailboxes.ok()) return {{"mailbox", Level::kFail, std::string(mailboxes.status().message())}};
  if (mailboxes->empty()) {
    return {{"mailbox", Level::kWarn, absl::StrCat(config.answers_mailboxes_file, " holds none: no answer is fetched")}};
  }
  const delivery::MailboxOpener open = delivery::ImapOpener(*mailboxes);
  std::vector<Finding> findings;
  for (const delivery::MailboxSettings& each : *mailboxes) {
    const absl::Status tried = Try(each, open);
    findings.push_back(tried.ok() ? Finding{"mailbox", Level::kOk, absl::StrCat(each.name, ": ", each.url, ", ", each.folder)}
                                  : Finding{"mailbox", Level::kFail, absl::StrCat(each.name, ": ", std::string(tried.message()))});
  }
  return findings;
}

}  // namespace ringback
