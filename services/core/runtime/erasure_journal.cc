#include "core/runtime/erasure_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"
#include "core/runtime/open.h"

namespace ringback::runtime {
namespace {

constexpr char kHead[] = "# ringback erasures since ";

absl::Status Failed(int error, const std::string& path) {
  const std::string text = absl::StrCat(path, ": ", std::strerror(error));
  return error == ENOSPC || error == EDQUOT || error == EFBIG ? absl::ResourceExhaustedError(text)
                                                              : absl::UnavailableError(text);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string TimeText(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

std::string HeadLine(absl::Time since) { return absl::StrCat(kHead, TimeText(since), "\n"); }

// All of it or, as far as this can be had, nothing: what a full disk cut off is cut away.
absl::Status WriteAt(const Fd& fd, off_t at, std::string_view text, const std::string& path) {
  for (off_t to = at; !text.empty();) {
    const ssize_t wrote = pwrite(fd.get(), text.data(), text.size(), to);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      const int error = errno;
      if (ftruncate(fd.get(), at) != 0) return Failed(errno, path);
      return Failed(error, path);
    }
    text.remove_prefix(static_cast<size_t>(wrote));
    to += wrote;
  }
  return fsync(fd.get()) == 0 ? absl::OkStatus() : Failed(errno, path);
}

// Where the next line begins: behind the last line end, so that a line cut off by a crash is written over.
absl::StatusOr<off_t> EndOfLines(const Fd& fd, const std::string& path) {
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Failed(errno, path);
  char tail[128];
  const off_t from = info.st_size > off_t{sizeof tail} ? info.st_size - off_t{sizeof tail} : 0;
  const ssize_t got = pread(fd.get(), tail, sizeof tail, from);
  if (got < 0) return Failed(errno, path);
  for (ssize_t i = got; i > 0; --i) {
    if (tail[i - 1] == '\n') return from + i;
  }
  return from == 0 ? 0 : info.st_size;  // no line is that long: whatever it is, it stays
}

}  // namespace

absl::Status NoteErasures(const Config& config, absl::Time now, const std::vector<std::string>& ids) {
  const std::string path = config.ErasuresPath();
  if (path.empty()) return absl::OkStatus();
  RB_RETURN_IF_ERROR(MakeFolder(config.data_dir));
  const Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd.get() < 0 || flock(fd.get(), LOCK_EX) != 0) return Failed(errno, path);
  RB_ASSIGN_OR_RETURN(const off_t end, EndOfLines(fd, path));
  struct stat info;
  if (fstat(fd.get(), &info) != 0 || (info.st_size > end && ftruncate(fd.get(), end) != 0)) return Failed(errno, path);
  std::string text = end == 0 ? HeadLine(now) : "";
  for (const std::string& id : ids) absl::StrAppend(&text, TimeText(now), " ", id, "\n");
  if (text.empty()) return absl::OkStatus();
  RB_RETURN_IF_ERROR(WriteAt(fd, end, text, path));
  return end == 0 ? SyncFolderOf(path) : absl::OkStatus();
}

absl::StatusOr<Erasures> ReadErasures(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("there is no erasure journal ", path));
  std::stringstream content;
  content << file.rdbuf();
  const std::string text = content.str();
  Erasures erasures;
  int number = 0;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = text.substr(begin, end - begin);
    ++number;
    const absl::Status broken = absl::DataLossError(absl::StrCat(path, ":", number, ": is no line of an erasure journal"));
    if (number == 1) {
      if (!absl::StartsWith(line, kHead) ||
          !absl::ParseTime(absl::RFC3339_full, line.substr(sizeof kHead - 1), &erasures.since, nullptr)) {
        return broken;
      }
      continue;
    }
    const std::vector<std::string> parts = absl::StrSplit(line, ' ');
    Erasure entry;
    if (parts.size() != 2 || !absl::ParseTime(absl::RFC3339_full, parts[0], &entry.time, nullptr) || !ShardOf(parts[1]).ok()) {
      return broken;
    }
    entry.id = parts[1];
    erasures.entries.push_back(std::move(entry));
  }
  if (number == 0) return absl::DataLossError(path + " is empty: no erasure journal");
  return erasures;
}

absl::Status WriteErasures(const std::string& path, const Erasures& erasures) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.get() < 0) return Failed(errno, path);
  std::string text = HeadLine(erasures.since);
  for (const Erasure& entry : erasures.entries) absl::StrAppend(&text, TimeText(entry.time), " ", entry.id, "\n");
  RB_RETURN_IF_ERROR(WriteAt(fd, 0, text, path));
  return SyncFolderOf(path);
}

}  // namespace ringback::runtime
