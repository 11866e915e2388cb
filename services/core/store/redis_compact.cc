#include "core/store/redis_compact.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

constexpr std::chrono::minutes kRewriteMax{2};
constexpr std::chrono::milliseconds kLookEvery{10};

// Redis answers BGREWRITEAOF with an error while a rewrite runs; that one may have begun before the erasure, so the next
// one is what counts: a loop until one was started here and has ended.
absl::Status Rewrite(RedisConnection& connection, const RedisOptions& options) {
  const Steady::time_point give_up = Steady::now() + kRewriteMax;
  bool started = false;
  while (Steady::now() < give_up) {
    const Steady::time_point deadline = Steady::now() + options.command_timeout;
    RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, connection.Send({{"INFO", "persistence"}}, deadline));
    RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
    const std::string info = TextOf(*replies[0]);
    const bool idle = absl::StrContains(info, "aof_rewrite_in_progress:0") &&
                      absl::StrContains(info, "aof_rewrite_scheduled:0");
    if (idle && started) {
      if (absl::StrContains(info, "aof_last_bgrewrite_status:ok")) return absl::OkStatus();
      return absl::ResourceExhaustedError("Redis could not rewrite its append-only file; see its log");
    }
    if (idle) {
      RB_ASSIGN_OR_RETURN(const std::vector<Reply> rewrite, connection.Send({{"BGREWRITEAOF"}}, deadline));
      RB_RETURN_IF_ERROR(ErrorOf(*rewrite[0]));
      started = true;
    }
    std::this_thread::sleep_for(kLookEvery);
  }
  return absl::UnavailableError("Redis is still rewriting its append-only file; compact again");
}

}  // namespace

absl::Status CompactRedis(RedisConnection& master, const RedisOptions& options) {
  RB_RETURN_IF_ERROR(Rewrite(master, options));
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> role, master.Send({{"ROLE"}}, Steady::now() + options.command_timeout));
  // master, offset, replicas: each host, port, offset. Where ROLE is forbidden the replicas are the operator's care.
  if (role[0]->elements < 3) return absl::OkStatus();
  const redisReply& replicas = *role[0]->element[2];
  for (size_t i = 0; i < replicas.elements; ++i) {
    const redisReply& replica = *replicas.element[i];
    if (replica.elements < 2) continue;
    RedisOptions there = options;
    there.unix_socket.clear();
    there.host = TextOf(*replica.element[0]);
    there.port = static_cast<int>(IntOf(*replica.element[1]));
    const auto connection = RedisConnection::OpenPlain(there, Steady::now() + options.command_timeout);
    const absl::Status status = connection.ok() ? Rewrite(**connection, there) : connection.status();
    if (!status.ok()) {
      return absl::Status(status.code(), absl::StrCat("the replica ", there.host, ":", there.port, ": ", status.message()));
    }
  }
  return absl::OkStatus();
}

}  // namespace ringback::store
