// See keygen.h.
#include "ringback/keygen.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/handoff/curve.h"

namespace ringback {
namespace {

// A new file, the owner's only: a key is never overwritten, others depend on it.
absl::Status WriteSecret(const std::string& path, const std::string& text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return absl::FailedPreconditionError(absl::StrCat(path, ": ", std::strerror(errno)));
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
  if (close(fd) == 0 && written) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(path, ": ", std::strerror(errno)));
}

}  // namespace

void AddKeygenCommand(cli::Commands& commands) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand(
      "keygen", "Make a key for the pipeline's programs to know each other by; prints the public half");
  command->add_option("FILE", *file, "Where the secret half goes (handoff.curve_secret_key_file)")->required();
  commands.On(command, [file, &commands]() -> absl::Status {
    const handoff::CurvePair pair = handoff::NewCurvePair();
    RB_RETURN_IF_ERROR(WriteSecret(*file, pair.secret_key + "\n"));
    if (commands.options().json) {
      // Z85 has no character that JSON would want escaped.
      *commands.world().out << "{\"public_key\":\"" << pair.public_key << "\"}\n";
    } else {
      *commands.world().out << pair.public_key << "\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace ringback
