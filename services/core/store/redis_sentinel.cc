#include "core/store/redis_sentinel.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

// A sentinel that hangs must leave time for the others.
constexpr std::chrono::milliseconds kAskMax{500};

}  // namespace

absl::StatusOr<std::tuple<std::string, int>> RedisSentinel::FindMaster(Steady::time_point deadline) {
  const size_t count = options_.sentinels->addresses.size();
  size_t first = 0;
  {
    MutexLock lock(&mutex_);
    first = first_;
  }
  std::string said;
  for (size_t i = 0; i < count; ++i) {
    const size_t which = (first + i) % count;
    auto found = Ask(which, std::min(deadline, Steady::now() + kAskMax));
    if (found.ok()) {
      MutexLock lock(&mutex_);
      first_ = which;
      return found;
    }
    const auto& [host, port] = options_.sentinels->addresses[which];
    absl::StrAppend(&said, said.empty() ? "" : "; ", host, ":", port, ": ", found.status().message());
  }
  return absl::UnavailableError(absl::StrCat("no sentinel names the master: ", said));
}

absl::StatusOr<std::tuple<std::string, int>> RedisSentinel::Ask(size_t which, Steady::time_point deadline) const {
  RedisOptions options;
  std::tie(options.host, options.port) = options_.sentinels->addresses[which];
  options.password = options_.sentinels->password;
  options.tls = options_.tls;
  options.connect_timeout = kAskMax;
  RB_ASSIGN_OR_RETURN(const auto connection, RedisConnection::OpenPlain(options, deadline));
  const std::string& name = options_.sentinels->master_name;
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                      connection->Send({{"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name}}, deadline));
  RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  if (replies[0]->elements != 2) return absl::UnavailableError(absl::StrCat("knows no master named ", name));
  return std::make_tuple(TextOf(*replies[0]->element[0]), static_cast<int>(IntOf(*replies[0]->element[1])));
}

}  // namespace ringback::store
