#include "core/handoff/curve.h"

#include <sys/stat.h>
#include <zmq.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"

namespace ringback::handoff {
namespace {

constexpr size_t kKeyText = 40, kKeyBytes = 32;

}  // namespace

CurvePair NewCurvePair() {
  char public_key[kKeyText + 1], secret_key[kKeyText + 1];
  zmq_curve_keypair(public_key, secret_key);
  return {public_key, secret_key};
}

absl::StatusOr<std::string> PublicKeyOf(const std::string& secret_key) {
  char public_key[kKeyText + 1];
  if (secret_key.size() != kKeyText || zmq_curve_public(public_key, secret_key.c_str()) != 0) {
    return absl::InvalidArgumentError("a CURVE key has 40 characters of Z85; `ringback keygen` makes one");
  }
  return std::string(public_key);
}

std::string AllowedKeys::Stamp() const {
  struct stat info;
  if (stat(file_.c_str(), &info) != 0) return "";
  return absl::StrCat(info.st_ino, "/", info.st_size, "/", info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec);
}

absl::Status AllowedKeys::Load() {
  const std::string stamp = Stamp();
  std::ifstream in(file_);
  if (!in) return absl::InvalidArgumentError(absl::StrCat("cannot read ", file_, ": ", std::strerror(errno)));
  std::set<std::string> keys;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    line = std::string(absl::StripAsciiWhitespace(line.substr(0, line.find(" #"))));
    // Z85 has a "#" of its own: a comment's is followed by a space.
    if (line.empty() || line == "#" || line.rfind("# ", 0) == 0) continue;
    uint8_t bytes[kKeyBytes];
    if (line.size() != kKeyText || zmq_z85_decode(bytes, line.c_str()) == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(file_, ":", number, ": a public key has 40 characters of Z85"));
    }
    keys.emplace(reinterpret_cast<const char*>(bytes), kKeyBytes);
  }
  if (in.bad()) return absl::InvalidArgumentError(absl::StrCat("cannot read ", file_, ": ", std::strerror(errno)));
  keys_.swap(keys);
  stamp_ = stamp;
  return absl::OkStatus();
}

bool AllowedKeys::AllowsText(const std::string& public_key) {
  uint8_t bytes[kKeyBytes];
  return public_key.size() == kKeyText && zmq_z85_decode(bytes, public_key.c_str()) != nullptr &&
         Allows({reinterpret_cast<const char*>(bytes), kKeyBytes});
}

bool AllowedKeys::Allows(std::string_view key) {
  if (Stamp() != stamp_) {
    if (const absl::Status loaded = Load(); !loaded.ok()) {
      RB_LOG_ERROR("the hand-off keeps the old list of keys: {}", std::string(loaded.message()));
      stamp_ = Stamp();  // said once
    }
  }
  return keys_.contains(std::string(key));
}

}  // namespace ringback::handoff
