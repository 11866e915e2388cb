#include "core/runtime/store_address.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status_macros.h"

namespace ringback::runtime {
namespace {

constexpr int kRedisPort = 6379;
constexpr int kSentinelPort = 26379;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("ringback.store: ", absl::string_view(what.data(), what.size())));
}

// "host", "host:port", "[::1]" or "[::1]:port"
absl::StatusOr<std::pair<std::string, int>> HostAndPort(std::string text, int port) {
  const size_t colon = text.rfind(':');
  if (colon != std::string::npos && !absl::EndsWith(text, "]")) {
    if (!absl::SimpleAtoi(text.substr(colon + 1), &port) || port < 1 || port > 65535) {
      return Wrong("the port must be a number, like redis://127.0.0.1:6379");
    }
    text.resize(colon);
  }
  if (absl::StartsWith(text, "[") && absl::EndsWith(text, "]")) {
    text = text.substr(1, text.size() - 2);
  } else if (absl::StrContains(text, ":")) {
    return Wrong("an IPv6 address stands in brackets, like redis://[::1]:6379");
  }
  if (text.empty()) return Wrong("names no host; redis://127.0.0.1:6379 would");
  return std::make_pair(std::move(text), port);
}

absl::Status ReadDatabase(const std::string& text, int& database) {
  if (text.empty() || (absl::SimpleAtoi(text, &database) && database >= 0)) return absl::OkStatus();
  return Wrong("the database behind the slash must be a number");
}

}  // namespace

bool IsRedisAddress(std::string_view store) {
  const absl::string_view text(store.data(), store.size());
  for (const char* scheme : {"redis://", "rediss://", "sentinel://", "sentinels://"}) {
    if (absl::StartsWith(text, scheme)) return true;
  }
  return false;
}

absl::StatusOr<store::RedisOptions> RedisOptionsFrom(const Config& config) {
  store::RedisOptions options;
  options.replicas = config.store_replicas;
  const size_t scheme_end = config.store.find("://");
  const std::string scheme = config.store.substr(0, scheme_end);
  std::string rest = config.store.substr(scheme_end + 3);
  if (absl::EndsWith(scheme, "s") && scheme != "redis") {
    options.tls = store::RedisTls{config.store_ca_file, config.store_certificate_file, config.store_key_file};
  }
  if (const size_t at = rest.rfind('@'); at != std::string::npos) {
    options.user = rest.substr(0, at);
    rest.erase(0, at + 1);
    if (absl::StrContains(options.user, ":")) return Wrong("no password in the address; name a file in store_password_file");
  }
  const std::vector<std::string> parts = absl::StrSplit(rest, '/');
  if (absl::StartsWith(scheme, "sentinel")) {
    if (parts.size() < 2 || parts[1].empty() || parts.size() > 3) {
      return Wrong("sentinels are named with their master, like sentinel://a:26379,b:26379,c:26379/mymaster");
    }
    store::RedisSentinels sentinels;
    sentinels.master_name = parts[1];
    for (const absl::string_view each : absl::StrSplit(parts[0], ',')) {
      RB_ASSIGN_OR_RETURN(auto address, HostAndPort(std::string(each), kSentinelPort));
      sentinels.addresses.push_back(std::move(address));
    }
    if (!config.store_sentinel_password_file.empty()) {
      RB_ASSIGN_OR_RETURN(sentinels.password, ReadSecretFile(config.store_sentinel_password_file));
    }
    options.sentinels = std::move(sentinels);
    RB_RETURN_IF_ERROR(ReadDatabase(parts.size() == 3 ? parts[2] : "", options.database));
  } else {
    if (parts.size() > 2) return Wrong("has too many slashes; redis://host:port/database is right");
    RB_ASSIGN_OR_RETURN(std::tie(options.host, options.port), HostAndPort(parts[0], kRedisPort));
    RB_RETURN_IF_ERROR(ReadDatabase(parts.size() == 2 ? parts[1] : "", options.database));
  }
  if (!config.store_password_file.empty()) {
    options.read_password = [path = config.store_password_file] { return ReadSecretFile(path); };
    RB_RETURN_IF_ERROR(options.read_password().status());
  }
  return options;
}

}  // namespace ringback::runtime
