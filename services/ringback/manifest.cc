// See manifest.h.
#include "ringback/manifest.h"

#include <fcntl.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/base/sync_folder.h"

namespace ringback {
namespace {

namespace fs = std::filesystem;

constexpr char kName[] = "manifest.json";
constexpr size_t kBlock = 1 << 18;

absl::Status Failed(const std::string& path) {
  const int error = errno;
  const std::string text = absl::StrCat(path, ": ", std::strerror(error));
  if (error == ENOENT) return absl::NotFoundError(text);
  if (error == ENOSPC || error == EDQUOT) return absl::ResourceExhaustedError(text);
  return absl::UnavailableError(text);
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status WriteAll(int fd, const std::string& path, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t wrote = write(fd, data, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return Failed(path);
    data += wrote;
    size -= static_cast<size_t>(wrote);
  }
  return absl::OkStatus();
}

// A path from a manifest must stay in its folder: a backup may come from anywhere.
bool StaysInside(const std::string& path) {
  const fs::path relative(path);
  if (path.empty() || relative.is_absolute()) return false;
  for (const fs::path& part : relative) {
    if (part == ".." || part == ".") return false;
  }
  return true;
}

}  // namespace

absl::StatusOr<ManifestFile> Measure(const std::string& folder, const std::string& path) {
  const std::string full = folder + "/" + path;
  const Fd fd(open(full.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return Failed(full);
  ManifestFile file{path, 0, ""};
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  std::string buffer(kBlock, '\0');
  for (;;) {
    const ssize_t got = read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(full);
    if (got == 0) break;
    crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(buffer.data()), static_cast<size_t>(got));
    file.size += got;
  }
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256_final(&state, hash);
  file.sha256 = absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(hash), sizeof hash));
  return file;
}

absl::Status CopyFile(const std::string& from, const std::string& to) {
  std::error_code error;
  const fs::path folder = fs::path(to).parent_path();
  fs::create_directories(folder, error);
  if (error) return absl::UnavailableError(absl::StrCat(folder.string(), ": ", error.message()));
  const Fd in(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return Failed(from);
  const Fd out(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (out.get() < 0) return Failed(to);
  std::string buffer(kBlock, '\0');
  for (;;) {
    const ssize_t got = read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(from);
    if (got == 0) break;
    RB_RETURN_IF_ERROR(WriteAll(out.get(), to, buffer.data(), static_cast<size_t>(got)));
  }
  if (fsync(out.get()) != 0) return Failed(to);
  return SyncFolder(folder.string());
}

absl::Status WriteManifest(const std::string& folder, const Manifest& manifest) {
  google::protobuf::Struct json;
  auto& fields = *json.mutable_fields();
  fields["ringback"].set_string_value(manifest.version);
  fields["time"].set_string_value(absl::FormatTime(absl::RFC3339_full, manifest.time, absl::UTCTimeZone()));
  auto* const files = fields["files"].mutable_list_value();
  for (const ManifestFile& file : manifest.files) {
    auto& entry = *files->add_values()->mutable_struct_value()->mutable_fields();
    entry["path"].set_string_value(file.path);
    entry["size"].set_string_value(absl::StrCat(file.size));  // JSON's numbers are doubles
    entry["sha256"].set_string_value(file.sha256);
  }
  auto* const missing = fields["missing_blobs"].mutable_list_value();
  for (const std::string& name : manifest.missing_blobs) missing->add_values()->set_string_value(name);
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  if (!google::protobuf::util::MessageToJsonString(json, &text, options).ok()) {
    return absl::InternalError("the manifest does not print");
  }
  const std::string path = folder + "/" + kName, part = path + ".part";
  {
    const Fd fd(open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (fd.get() < 0) return Failed(part);
    RB_RETURN_IF_ERROR(WriteAll(fd.get(), part, text.data(), text.size()));
    if (fsync(fd.get()) != 0) return Failed(part);
  }
  if (rename(part.c_str(), path.c_str()) != 0) return Failed(path);
  return SyncFolder(folder);
}

absl::StatusOr<Manifest> ReadManifest(const std::string& folder) {
  const std::string path = folder + "/" + kName;
  std::ifstream file(path);
  if (!file) {
    return absl::NotFoundError(absl::StrCat(folder, " is no finished backup: there is no ", kName, " in it"));
  }
  std::stringstream text;
  text << file.rdbuf();
  google::protobuf::Struct json;
  const absl::Status broken = absl::DataLossError(absl::StrCat(path, " is damaged; take another backup"));
  if (!google::protobuf::util::JsonStringToMessage(text.str(), &json).ok()) return broken;
  const auto text_of = [](const google::protobuf::Struct& object, const char* key) {
    const auto found = object.fields().find(key);
    return found == object.fields().end() ? std::string() : found->second.string_value();
  };
  Manifest manifest;
  manifest.version = text_of(json, "ringback");
  if (!absl::ParseTime(absl::RFC3339_full, text_of(json, "time"), &manifest.time, nullptr)) return broken;
  const auto files = json.fields().find("files");
  if (files == json.fields().end()) return broken;
  for (const auto& value : files->second.list_value().values()) {
    ManifestFile entry{text_of(value.struct_value(), "path"), 0, text_of(value.struct_value(), "sha256")};
    if (!absl::SimpleAtoi(text_of(value.struct_value(), "size"), &entry.size) || !StaysInside(entry.path)) return broken;
    manifest.files.push_back(std::move(entry));
  }
  if (const auto missing = json.fields().find("missing_blobs"); missing != json.fields().end()) {
    for (const auto& value : missing->second.list_value().values()) manifest.missing_blobs.push_back(value.string_value());
  }
  return manifest;
}

absl::Status VerifyFiles(const std::string& folder, const Manifest& manifest) {
  for (const ManifestFile& expected : manifest.files) {
    const absl::StatusOr<ManifestFile> found = Measure(folder, expected.path);
    if (!found.ok()) return absl::DataLossError(absl::StrCat("the backup is not whole: ", found.status().message()));
    if (found->size != expected.size || found->sha256 != expected.sha256) {
      return absl::DataLossError(absl::StrCat("the backup is damaged: ", expected.path,
                                              " is not what it was when it was written; use another backup"));
    }
  }
  return absl::OkStatus();
}

}  // namespace ringback
