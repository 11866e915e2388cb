// See target.h.
#include "ringback/cli/target.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace ringback::cli {
namespace {

absl::StatusOr<Target> ReadTokenFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": ", std::strerror(errno), "; only the user who started ringback may read it (or set RINGBACK_TARGET "
        "and RINGBACK_TOKEN)"));
  }
  std::stringstream text;
  text << file.rdbuf();
  google::protobuf::Struct json;
  if (!google::protobuf::util::JsonStringToMessage(text.str(), &json).ok()) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": is no token file; start ringback again to rewrite it"));
  }
  const auto text_of = [&](const char* key) {
    const auto found = json.fields().find(key);
    return found == json.fields().end() ? std::string() : found->second.string_value();
  };
  Target target{text_of("target"), text_of("token"), text_of("operator_token"), text_of("member")};
  if (target.address.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(path, ": names no target; start ringback again to rewrite it"));
  }
  return target;
}

}  // namespace

std::vector<std::string> DataDirs(const std::string& data_dir, const World& world) {
  if (!data_dir.empty()) return {data_dir};
  if (const std::string set = world.Variable("RINGBACK_DATA"); !set.empty()) return {set};
  std::vector<std::string> dirs = {"data"};
  if (const std::string home = world.Variable("HOME"); !home.empty()) dirs.push_back(home + "/.local/share/ringback");
  return dirs;
}

absl::StatusOr<Target> FindTarget(const std::string& data_dir, const World& world) {
  Target target;
  bool found = false;
  const std::string address = world.Variable("RINGBACK_TARGET");
  const std::string token = world.Variable("RINGBACK_TOKEN");
  // A file is not looked at when both are set: the remote server's user need not be able to read the local one's.
  if (address.empty() || token.empty()) {
    for (const std::string& dir : DataDirs(data_dir, world)) {
      const std::string path = dir + "/token";
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored) && ignored.value() != EACCES) continue;
      absl::StatusOr<Target> read = ReadTokenFile(path);
      if (!read.ok()) return read;
      target = *std::move(read);
      found = true;
      break;
    }
  }
  if (!address.empty()) {
    // A local server's secrets are not for another one.
    if (address != target.address) target.token.clear(), target.operator_token.clear(), target.member_id.clear();
    target.address = address;
    found = true;
  }
  if (!token.empty()) {
    if (token != target.token) target.operator_token.clear(), target.member_id.clear();
    target.token = token;
  }
  if (!found) {
    return absl::UnavailableError(absl::StrCat(
        "no server found: there is no token file in ", absl::StrJoin(DataDirs(data_dir, world), " or "),
        "; start one with ./scripts/run (or `ringback serve`), name its data directory with --data, or set "
        "RINGBACK_TARGET and RINGBACK_TOKEN"));
  }
  return target;
}

}  // namespace ringback::cli
