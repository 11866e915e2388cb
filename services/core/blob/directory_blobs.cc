// Blobs as files below one folder. Bytes gather in a folder of this process below ".tmp", which a lock marks as alive;
// a rename after fsync makes them appear, and the folders on the way are synced before OK.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/blob/blob_name.h"
#include "core/blob/blob_store.h"

namespace ringback::blob {
namespace {

namespace fs = std::filesystem;

absl::Status Error(int error, const std::string& what) {
  const std::string text = absl::StrCat(what, ": ", std::strerror(error));
  switch (error) {
    case ENOENT: return absl::NotFoundError(text);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(
          absl::StrCat("the disk for recordings is full; make room on it, then send this again (", text, ")"));
    default: return absl::UnavailableError(text);
  }
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Close() { return close(std::exchange(fd_, -1)); }

 private:
  int fd_;
};

// Makes the names in `folder` and in every folder up to `root` durable; folders that are gone have nothing to sync.
// All of them, every time: whoever made a folder a moment ago may not have synced it yet. Clean ones cost little.
absl::Status SyncFolders(std::string folder, const std::string& root) {
  for (;;) {
    const Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.ok() ? fsync(fd.get()) != 0 : errno != ENOENT) return Error(errno, folder);
    if (folder.size() <= root.size()) return absl::OkStatus();
    folder.resize(folder.rfind('/'));
  }
}

// Makes the folders between `root` and `root`/`name`. Returns errno or 0.
int MakeFolders(const std::string& root, const std::string& name) {
  for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    if (mkdir(absl::StrCat(root, "/", name.substr(0, slash)).c_str(), 0700) != 0 && errno != EEXIST) return errno;
  }
  return 0;
}

class FileWriter : public Writer {
 public:
  FileWriter(Fd fd, std::string temporary, std::string root, std::string name, Clock* clock)
      : fd_(std::move(fd)),
        temporary_(std::move(temporary)),
        root_(std::move(root)),
        name_(std::move(name)),
        clock_(clock) {}
  ~FileWriter() override {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }

  absl::Status Append(std::string_view bytes) override {
    while (!bytes.empty() && failed_.ok()) {
      const ssize_t wrote = write(fd_.get(), bytes.data(), bytes.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) {
        failed_ = Error(errno, name_);
        break;
      }
      bytes.remove_prefix(static_cast<size_t>(wrote));
    }
    return failed_;
  }

  absl::Status Finish() override {
    if (failed_.ok()) failed_ = Publish();
    // A second Finish must not seem to succeed.
    return std::exchange(failed_, absl::FailedPreconditionError(absl::StrCat(name_, " is finished already")));
  }

 private:
  absl::Status Publish() {
    if (clock_ != nullptr) {
      const timespec now = absl::ToTimespec(clock_->Now());
      const timespec times[] = {now, now};
      if (futimens(fd_.get(), times) != 0) return Error(errno, name_);
    }
    if (fsync(fd_.get()) != 0) return Error(errno, name_);
    if (fd_.Close() != 0) return Error(errno, name_);
    const std::string path = absl::StrCat(root_, "/", name_);
    // Delete may remove an emptied folder between any two of these steps; then they are taken again.
    for (int tries = 1;; ++tries) {
      int error = MakeFolders(root_, name_);
      if (error == 0 && rename(temporary_.c_str(), path.c_str()) != 0) error = errno;
      if (error == 0) break;
      if (error != ENOENT || tries == 100) return Error(error == ENOENT ? EIO : error, name_);
    }
    temporary_.clear();
    return SyncFolders(path.substr(0, path.rfind('/')), root_);
  }

  Fd fd_;
  std::string temporary_;  // "" once renamed
  const std::string root_;
  const std::string name_;
  Clock* const clock_;
  absl::Status failed_;
};

// Removes what processes that are gone have left: their folders' locks are free. Only while the folder's own lock is held
// (`opening`): so a folder is never taken for a left-over before its owner holds its lock.
absl::Status RemoveLeftOversOf(const std::string& folder, const Fd& opening) {
  if (!opening.ok() || flock(opening.get(), LOCK_EX) != 0) return Error(errno, folder);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const Fd fd(open((entry.path().string() + "/lock").c_str(), O_RDWR | O_CLOEXEC));
    if (fd.ok() && flock(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    std::error_code ignored;
    fs::remove_all(entry.path(), ignored);
  }
  return error ? absl::UnavailableError(absl::StrCat(folder, ": ", error.message())) : absl::OkStatus();
}

Fd OpenFolder(const std::string& folder) { return Fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)); }

class DirectoryBlobs : public BlobStore {
 public:
  DirectoryBlobs(std::string root, std::string temporary, Fd alive, Clock* clock)
      : root_(std::move(root)), temporary_(std::move(temporary)), alive_(std::move(alive)), clock_(clock) {}
  ~DirectoryBlobs() override {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }

  absl::StatusOr<std::unique_ptr<Writer>> Create(const std::string& name) override {
    RB_RETURN_IF_ERROR(CheckName(name));
    const std::string temporary = absl::StrCat(temporary_, "/", next_.fetch_add(1));
    Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    // NOT_FOUND would blame the blob for a folder that somebody took away.
    if (!fd.ok()) return errno == ENOENT ? absl::UnavailableError(temporary_ + " is gone") : Error(errno, name);
    return std::make_unique<FileWriter>(std::move(fd), temporary, root_, name, clock_);
  }

  absl::Status Put(const std::string& name, std::string_view bytes) override {
    RB_ASSIGN_OR_RETURN(const std::unique_ptr<Writer> writer, Create(name));
    RB_RETURN_IF_ERROR(writer->Append(bytes));
    return writer->Finish();
  }

  absl::StatusOr<std::string> Get(const std::string& name) override {
    RB_ASSIGN_OR_RETURN(const Fd fd, Open(name));
    RB_ASSIGN_OR_RETURN(const int64_t size, SizeOf(fd, name));
    return Read(fd, name, 0, size);
  }

  absl::StatusOr<std::string> GetRange(const std::string& name, int64_t offset, int64_t size) override {
    if (offset < 0 || size < 0) return absl::InvalidArgumentError("offset and size must not be negative");
    RB_ASSIGN_OR_RETURN(const Fd fd, Open(name));
    RB_ASSIGN_OR_RETURN(const int64_t all, SizeOf(fd, name));
    if (offset >= all) return std::string();
    return Read(fd, name, offset, std::min(size, all - offset));
  }

  absl::StatusOr<int64_t> Size(const std::string& name) override {
    RB_ASSIGN_OR_RETURN(const Fd fd, Open(name));
    return SizeOf(fd, name);
  }

  absl::Status Delete(const std::string& name) override {
    RB_RETURN_IF_ERROR(CheckName(name));
    const std::string path = absl::StrCat(root_, "/", name);
    if (unlink(path.c_str()) != 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == EISDIR) return absl::OkStatus();
      return Error(errno, name);
    }
    std::string folder = path.substr(0, path.rfind('/'));
    // Folders that this emptied go too; one that is not empty stops the way up.
    while (folder.size() > root_.size() && rmdir(folder.c_str()) == 0) folder.resize(folder.rfind('/'));
    return SyncFolders(folder, root_);
  }

  absl::StatusOr<std::vector<BlobInfo>> List(const std::string& prefix, const std::string& after, int limit) override {
    std::vector<BlobInfo> found;
    RB_RETURN_IF_ERROR(Walk("", prefix, after, static_cast<size_t>(std::max(limit, 0)), &found));
    return found;
  }

  absl::Status RemoveLeftOvers() override {
    const std::string temporaries = root_ + "/.tmp";
    return RemoveLeftOversOf(temporaries, OpenFolder(temporaries));
  }

  absl::Status Check() override {
    RB_ASSIGN_OR_RETURN(const std::unique_ptr<Writer> writer, Create("check"));
    return writer->Append("check");
  }

 private:
  absl::StatusOr<Fd> Open(const std::string& name) {
    RB_RETURN_IF_ERROR(CheckName(name));
    Fd fd(open(absl::StrCat(root_, "/", name).c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.ok()) return Error(errno == ENOTDIR ? ENOENT : errno, name);
    return fd;
  }

  static absl::StatusOr<int64_t> SizeOf(const Fd& fd, const std::string& name) {
    struct stat info;
    if (fstat(fd.get(), &info) != 0) return Error(errno, name);
    if (!S_ISREG(info.st_mode)) return absl::NotFoundError(absl::StrCat(name, " is a folder"));
    return info.st_size;
  }

  static absl::StatusOr<std::string> Read(const Fd& fd, const std::string& name, int64_t offset, int64_t size) {
    std::string bytes(static_cast<size_t>(size), '\0');
    size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t got =
          pread(fd.get(), bytes.data() + have, bytes.size() - have, offset + static_cast<int64_t>(have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error(errno, name);
      if (got == 0) break;
      have += static_cast<size_t>(got);
    }
    bytes.resize(have);
    return bytes;
  }

  // Entries of folder `below` ("07/"), folders with a slash behind them: then sorting by name sorts the whole tree.
  absl::Status Walk(const std::string& below, const std::string& prefix, const std::string& after, size_t limit,
                    std::vector<BlobInfo>* found) {
    const std::string path = absl::StrCat(root_, "/", below);
    DIR* const folder = opendir(path.c_str());
    if (folder == nullptr) return errno == ENOENT ? absl::OkStatus() : Error(errno, path);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(folder)) {
      if (entry->d_name[0] == '.') continue;
      struct stat info;
      if (fstatat(dirfd(folder), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(info.st_mode) || S_ISREG(info.st_mode)) {
        names.push_back(absl::StrCat(below, entry->d_name, S_ISDIR(info.st_mode) ? "/" : ""));
      }
    }
    closedir(folder);
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      if (found->size() >= limit) break;
      const bool is_folder = name.back() == '/';
      if (!absl::StartsWith(name, prefix) && !(is_folder && absl::StartsWith(prefix, name))) continue;
      if (name <= after && !(is_folder && absl::StartsWith(after, name))) continue;
      if (is_folder) {
        RB_RETURN_IF_ERROR(Walk(name, prefix, after, limit, found));
        continue;
      }
      struct stat info;
      if (stat(absl::StrCat(root_, "/", name).c_str(), &info) != 0) continue;
      found->push_back({name, info.st_size, absl::TimeFromTimespec(info.st_mtim)});
    }
    return absl::OkStatus();
  }

  const std::string root_;
  const std::string temporary_;  // this process's own folder below root_/.tmp
  const Fd alive_;               // holds the lock that says so
  Clock* const clock_;           // nullptr: the machine's
  std::atomic<uint64_t> next_{1};
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> OpenDirectory(const std::string& root, Clock* clock) {
  std::string clean = root;
  while (clean.size() > 1 && clean.back() == '/') clean.pop_back();
  std::error_code error;
  const bool existed = fs::exists(clean, error);
  fs::create_directories(clean, error);
  // Not NOT_FOUND: that would mean a recording.
  if (error.value() == ENOENT) {
    return absl::FailedPreconditionError(absl::StrCat("cannot make the folder ", clean, ": ", error.message()));
  }
  if (error) return Error(error.value(), clean);
  if (!existed) fs::permissions(clean, fs::perms::owner_all, error);
  const std::string temporaries = clean + "/.tmp";
  if (mkdir(temporaries.c_str(), 0700) != 0 && errno != EEXIST) return Error(errno, temporaries);

  const Fd opening = OpenFolder(temporaries);
  RB_RETURN_IF_ERROR(RemoveLeftOversOf(temporaries, opening));
  std::string own = temporaries + "/XXXXXX";
  if (mkdtemp(own.data()) == nullptr) return Error(errno, temporaries);
  Fd alive(open((own + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!alive.ok() || flock(alive.get(), LOCK_EX | LOCK_NB) != 0) return Error(errno, own);
  return std::make_unique<DirectoryBlobs>(clean, own, std::move(alive), clock);
}

}  // namespace ringback::blob
