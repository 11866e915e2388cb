// See data_lock.h.
#include "ringback/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"

namespace ringback {

absl::StatusOr<std::unique_ptr<DataLock>> DataLock::Take(const std::string& data_dir) {
  std::error_code error;
  if (!std::filesystem::is_directory(data_dir, error)) {
    std::filesystem::create_directories(data_dir, error);
    if (error) return absl::UnavailableError(absl::StrCat("cannot make ", data_dir, ": ", error.message()));
    std::filesystem::permissions(data_dir, std::filesystem::perms::owner_all, error);
  }
  const std::string path = data_dir + "/lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return absl::UnavailableError(absl::StrCat("cannot open ", path, ": ", std::strerror(errno)));
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t size = pread(fd, text, sizeof text - 1, 0);
    close(fd);
    std::string pid(text, size > 0 ? static_cast<size_t>(size) : 0);
    pid.resize(std::min(pid.size(), pid.find('\n')));
    if (pid.empty()) pid = "unknown";
    return absl::FailedPreconditionError(absl::StrCat(
        data_dir, " is in use by another ringback server (process ", pid, "); stop it, or name another directory with --data"));
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  // Only for the other's message; the lock holds without it.
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) < 0) errno = 0;
  return std::unique_ptr<DataLock>(new DataLock(fd));
}

DataLock::~DataLock() { close(fd_); }

bool DataLock::Held(const std::string& data_dir) {
  const int fd = open((data_dir + "/lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool held = flock(fd, LOCK_EX | LOCK_NB) != 0;
  close(fd);
  return held;
}

absl::Status CheckDatabaseThere(const runtime::Config& config) {
  const std::string path = config.SqlitePath();
  std::error_code error;
  // The token is written once the database has a team.
  if (!config.store.empty() || !std::filesystem::exists(config.TokenPath(), error)) return absl::OkStatus();
  const bool there = std::filesystem::exists(path, error);
  if (there && std::filesystem::file_size(path, error) > 0) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the database ", path, " is ", there ? "empty" : "missing", ", but ", config.TokenPath(), " says that there was one. "
      "Restore the newest backup with `ringback restore DIR --force`; to begin anew with nothing, remove ", config.TokenPath()));
}

}  // namespace ringback
