#include "core/rpc/places.h"

#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace ringback::rpc {
namespace {

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
      return WrongTarget(address, absl::StrCat("names \"", pair.first, "\", which is none of them"));
    }
  }
  if (ingest.empty()) return WrongTarget(address, "lacks ingest");
  if (delivery.empty()) return WrongTarget(address, "lacks delivery");
  if (reminder.empty()) return WrongTarget(address, "lacks reminder");
  return Places{Joined(ingest), Joined(delivery), Joined(reminder)};
}

}  // namespace ringback::rpc
