// Reads mailboxes exactly as ringback-delivery does, but only counts what it would take in: tests read the lines it writes.
//   TEST_TAKEN   file; a line per mail: its Message-ID and its size. A file of that name with ".refuse" behind it makes
//                         it refuse everything for now.
//   TEST_KILLED_AFTER     so many mails; then it kills itself, before anybody hears of the last one. Unset: never.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/runtime/service_main.h"
#include "delivery/mailbox/mailbox_worker.h"

namespace ringback {
namespace {

std::string MessageId(const std::string& raw) {
  for (absl::string_view line : absl::StrSplit(raw.substr(0, 10000), '\n')) {
    if (absl::StartsWithIgnoreCase(line, "Message-ID:")) return std::string(absl::StripAsciiWhitespace(line.substr(11)));
  }
  return "-";
}

absl::Status Note(const std::string& file, const std::string& raw) {
  if (std::filesystem::exists(file + ".refuse")) return absl::UnavailableError("asked to refuse");
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const std::string line = absl::StrCat(MessageId(raw), " ", raw.size(), "\n");
  const bool written = fd >= 0 && write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  close(fd);
  static std::atomic<int> noted{0};
  const char* const killed_after = std::getenv("TEST_KILLED_AFTER");
  if (killed_after != nullptr && ++noted == std::atoi(killed_after)) (void)raise(SIGKILL);
  return written ? absl::OkStatus() : absl::InternalError("cannot write");
}

class Kept : public runtime::Component {
 public:
  explicit Kept(std::unique_ptr<delivery::Mailboxes> mailboxes) : mailboxes_(std::move(mailboxes)) {}
  absl::Status Start() override { return absl::OkStatus(); }
  void Drain() override {}

 private:
  const std::unique_ptr<delivery::Mailboxes> mailboxes_;
};

absl::Status RunReader(runtime::Host& host) {
  const char* const file = std::getenv("TEST_TAKEN");
  if (file == nullptr) return absl::InvalidArgumentError("TEST_TAKEN is not set");
  RB_ASSIGN_OR_RETURN(auto mailboxes, delivery::AddMailboxes(host, [file = std::string(file)](const std::string&, const std::string& raw, bool) {
                        return Note(file, raw);
                      }));
  host.AddComponent("mailboxes", std::make_unique<Kept>(std::move(mailboxes)));
  return absl::OkStatus();
}

}  // namespace
}  // namespace ringback

int main(int argc, char** argv) { return ringback::runtime::ServiceMain(argc, argv, {ringback::RunReader}); }
