// See target.h.
#include "ringback/cli/target.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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

absl::Status WrongTarget(const std::string& address, const std::string& what) {
  return absl::FailedPreconditionError(
      absl::StrCat("the target \"", address, "\" ", what,
                   "; it is an address like 127.0.0.1:7420, or ingest=ADDRESS,delivery=ADDRESS,reminder=ADDRESS"));
}

// Several replicas as one target of gRPC, which tries them in turn.
std::string Joined(std::vector<std::string> replicas) {
  if (replicas.size() == 1) return replicas.front();
  std::string scheme;
  for (std::string& replica : replicas) {
    if (!absl::StartsWith(replica, "https://")) continue;
    scheme = "https://";
    replica.erase(0, scheme.size());
  }
  const char* family = absl::StartsWith(replicas.front(), "[") ? "ipv6:" : "ipv4:";
  return absl::StrCat(scheme, family, absl::StrJoin(replicas, ","));
}

}  // namespace

absl::StatusOr<Places> ParsePlaces(const std::string& address) {
  if (address.find('=') == std::string::npos) return Places{address, address, address};
  std::vector<std::string> ingest, delivery, reminder;
  for (const auto& part : absl::StrSplit(address, ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> pair = absl::StrSplit(absl::StripAsciiWhitespace(part), absl::MaxSplits('=', 1));
    if (pair.second.empty()) return WrongTarget(address, "names no address for " + pair.first);
    if (pair.first == "ingest") {
      ingest.push_back(pair.second);
    } else if (pair.first == "delivery") {
      delivery.push_back(pair.second);
    } else if (pair.first == "reminder") {
      reminder.push_back(pair.second);
    } else {
      return WrongTarget(address, absl::StrCat("names \"", pair.first, "\", which the command line does not talk to"));
    }
  }
  if (ingest.empty()) return WrongTarget(address, "lacks ingest");
  if (delivery.empty()) return WrongTarget(address, "lacks delivery");
  if (reminder.empty()) return WrongTarget(address, "lacks reminder");
  return Places{Joined(ingest), Joined(delivery), Joined(reminder)};
}

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
