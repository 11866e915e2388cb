// Maildir transport: tmp, fsync, rename, fsync of the folder.
#include "delivery/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"

namespace ringback::delivery {
namespace {

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot create the folder ", path));
}

absl::Status WriteFile(const std::string& path, absl::string_view bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return absl::ErrnoToStatus(errno, "cannot create the mail's file");
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n > 0) {
      bytes.remove_prefix(n);
    } else if (n < 0 && errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  return error == 0 ? absl::OkStatus() : absl::ErrnoToStatus(error, "cannot write the mail's file");
}

// True when a reader has moved `name` to cur/, under any combination of Maildir's six flags.
bool AlreadyRead(const std::string& directory, const std::string& name) {
  constexpr absl::string_view kFlags = "DFPRST";
  for (int mask = 0; mask < 1 << kFlags.size(); ++mask) {
    std::string path = absl::StrCat(directory, "/cur/", name, ":2,");
    for (size_t bit = 0; bit < kFlags.size(); ++bit) {
      if (mask & 1 << bit) path += kFlags[bit];
    }
    if (access(path.c_str(), F_OK) == 0) return true;
  }
  return access(absl::StrCat(directory, "/cur/", name).c_str(), F_OK) == 0;
}

// What the names of all copies of one mail begin with.
std::string Stem(const std::string& message_id) { return Sha256Hex(message_id).substr(0, 32); }

class MaildirTransport : public MailTransport {
 public:
  explicit MaildirTransport(std::string directory) : directory_(std::move(directory)) {}

  SendOutcome Send(absl::string_view mail, const Envelope& envelope, absl::Duration, const BeforeData& before_data)
      override {
    if (before_data) {
      if (absl::Status allowed = before_data(); !allowed.ok()) {
        return {.result = SendResult::kAborted, .reason = std::string(allowed.message())};
      }
    }
    const std::string name =
        absl::StrCat(Stem(envelope.message_id), ".", Sha256Hex(envelope.recipient).substr(0, 12), ".ringback");
    if (!AlreadyRead(directory_, name)) {
      if (absl::Status stored = Store(name, mail, envelope); !stored.ok()) {
        return {.result = SendResult::kTemporary,
                .reason = absl::StrCat(absl::StatusCodeToString(stored.code()), ": ", stored.message()),
                .transport_fault = true};
      }
    }
    return {.result = SendResult::kAccepted, .reason = "written to the Maildir", .queue_id = name};
  }

  std::string Describe() const override { return absl::StrCat("maildir:", directory_); }

 private:
  absl::Status Store(const std::string& name, absl::string_view mail, const Envelope& envelope) {
    // Two threads with the same mail must not share a temporary file.
    const std::string tmp = absl::StrCat(directory_, "/tmp/", name, ".", getpid(), ".", next_.fetch_add(1));
    const std::string bytes =
        absl::StrCat("Return-Path: <", envelope.sender, ">\nDelivered-To: ", envelope.recipient, "\n",
                     absl::StrReplaceAll(mail, {{"\r\n", "\n"}}));
    absl::Status written = WriteFile(tmp, bytes);
    if (written.ok() && rename(tmp.c_str(), absl::StrCat(directory_, "/new/", name).c_str()) != 0) {
      written = absl::ErrnoToStatus(errno, "cannot move the mail into new/");
    }
    if (!written.ok()) {
      unlink(tmp.c_str());
      return written;
    }
    return SyncFolder(absl::StrCat(directory_, "/new"));
  }

  const std::string directory_;
  std::atomic<uint64_t> next_{0};
};

}  // namespace

absl::StatusOr<std::unique_ptr<MailTransport>> NewMaildirTransport(const std::string& directory) {
  if (directory.empty()) return absl::InvalidArgumentError("mail.transport: name a folder, as maildir:outbox");
  RB_RETURN_IF_ERROR(MakeFolder(directory));
  for (const char* part : {"/tmp", "/new", "/cur"}) RB_RETURN_IF_ERROR(MakeFolder(absl::StrCat(directory, part)));
  return std::make_unique<MaildirTransport>(directory);
}

absl::Status RemoveFromMaildir(const std::string& directory, const std::vector<std::string>& message_ids) {
  std::set<std::string> stems;
  for (const std::string& id : message_ids) stems.insert(Stem(id));
  for (const char* part : {"/tmp", "/new", "/cur"}) {
    const std::string folder = absl::StrCat(directory, part);
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (stems.count(name.substr(0, name.find('.'))) == 0) continue;
      if (unlink(entry.path().c_str()) != 0 && errno != ENOENT) {
        return absl::ErrnoToStatus(errno, "cannot remove a mail");
      }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
      return absl::InternalError(absl::StrCat("cannot list ", folder, ": ", error.message()));
    }
    if (!error) RB_RETURN_IF_ERROR(SyncFolder(folder));
  }
  return absl::OkStatus();
}

}  // namespace ringback::delivery
