#include "core/store/redis_connection.h"

#include <poll.h>
#include <sys/time.h>

#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

timeval ToTimeval(std::chrono::milliseconds duration) {
  timeval time;
  time.tv_sec = duration.count() / 1000;
  time.tv_usec = (duration.count() % 1000) * 1000;
  return time;
}

}  // namespace

std::string TextOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return absl::StrCat(reply.integer);
  if (reply.str == nullptr) return "";
  return std::string(reply.str, static_cast<size_t>(reply.len));
}

int64_t IntOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return reply.integer;
  return reply.str == nullptr ? 0 : std::strtoll(reply.str, nullptr, 10);
}

absl::Status ErrorOf(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ERROR) return absl::OkStatus();
  const std::string text = TextOf(reply);
  // A script's error is wrapped: "ERR … script: …, on @user_script:1: -OOM command not allowed".
  const auto says = [&](const char* code) {
    return absl::StartsWith(text, code) || absl::StrContains(text, absl::StrCat("-", code));
  };
  if (says("OOM")) return absl::ResourceExhaustedError(absl::StrCat("Redis has no memory left: ", text));
  if (says("MISCONF")) return absl::ResourceExhaustedError(absl::StrCat("Redis cannot write to its disk: ", text));
  for (const char* code : {"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY",
                           "UNKILLABLE"}) {
    if (says(code)) return absl::UnavailableError(absl::StrCat("Redis: ", text));
  }
  if (says("NOAUTH") || says("WRONGPASS") || says("NOPERM")) {
    return absl::UnavailableError(absl::StrCat("Redis refuses the user or password: ", text));
  }
  return absl::InternalError(absl::StrCat("Redis: ", text));
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(const RedisOptions& options) {
  const timeval timeout = ToTimeval(options.connect_timeout);
  redisContext* context = options.unix_socket.empty()
                              ? redisConnectWithTimeout(options.host.c_str(), options.port, timeout)
                              : redisConnectUnixWithTimeout(options.unix_socket.c_str(), timeout);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for a Redis connection");
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context));
  if (connection->broken()) return connection->Failure();
  redisSetTimeout(context, ToTimeval(options.command_timeout));

  std::vector<Command> hello;
  if (!options.password.empty()) {
    hello.push_back(options.user.empty() ? Command{"AUTH", options.password}
                                         : Command{"AUTH", options.user, options.password});
  }
  if (options.database != 0) hello.push_back({"SELECT", absl::StrCat(options.database)});
  const size_t scripts_at = hello.size();
  for (const std::string& source : ScriptSources()) hello.push_back({"SCRIPT", "LOAD", source});
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, connection->Send(hello));
  for (const Reply& reply : replies) RB_RETURN_IF_ERROR(ErrorOf(*reply));
  for (int i = 0; i < kScripts; ++i) connection->hashes_[i] = TextOf(*replies[scripts_at + i]);
  return connection;
}

absl::Status RedisConnection::Failure() const {
  return absl::UnavailableError(absl::StrCat("Redis cannot be reached: ", context_->errstr));
}

absl::StatusOr<std::vector<Reply>> RedisConnection::Send(const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    std::vector<const char*> parts;
    std::vector<size_t> sizes;
    for (const std::string& part : command) {
      parts.push_back(part.data());
      sizes.push_back(part.size());
    }
    if (redisAppendCommandArgv(context_.get(), static_cast<int>(parts.size()), parts.data(), sizes.data()) != REDIS_OK) {
      return Failure();
    }
  }
  std::vector<Reply> replies;
  for (size_t i = 0; i < commands.size(); ++i) {
    void* reply = nullptr;
    if (redisGetReply(context_.get(), &reply) != REDIS_OK) return Failure();
    replies.emplace_back(static_cast<redisReply*>(reply));
  }
  return replies;
}

absl::StatusOr<std::vector<Reply>> RedisConnection::Run(const std::vector<Call>& calls) {
  const auto command_of = [&](const Call& call, bool by_hash) {
    const int script = static_cast<int>(call.script);
    Command command = {by_hash ? "EVALSHA" : "EVAL", by_hash ? hashes_[script] : ScriptSources()[script], "1",
                       call.base};
    command.insert(command.end(), call.arguments.begin(), call.arguments.end());
    return command;
  };
  std::vector<Command> commands;
  for (const Call& call : calls) commands.push_back(command_of(call, /*by_hash=*/true));
  RB_ASSIGN_OR_RETURN(std::vector<Reply> replies, Send(commands));

  // A script Redis does not know has done nothing, so it may run now; EVAL loads it for the next time.
  commands.clear();
  std::vector<size_t> again;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i]->type != REDIS_REPLY_ERROR || !absl::StartsWith(TextOf(*replies[i]), "NOSCRIPT")) continue;
    commands.push_back(command_of(calls[i], /*by_hash=*/false));
    again.push_back(i);
  }
  if (again.empty()) return replies;
  RB_ASSIGN_OR_RETURN(std::vector<Reply> second, Send(commands));
  for (size_t i = 0; i < again.size(); ++i) replies[again[i]] = std::move(second[i]);
  return replies;
}

bool RedisConnection::Stale() const {
  // Nothing is owed to an idle connection: what is readable is its end.
  pollfd fd{context_->fd, POLLIN, 0};
  return poll(&fd, 1, 0) != 0;
}

absl::StatusOr<RedisPool::Loan> RedisPool::Borrow() {
  {
    MutexLock lock(&mutex_);
    while (true) {
      while (!free_.empty()) {
        std::unique_ptr<RedisConnection> connection = std::move(free_.back());
        free_.pop_back();
        if (!connection->Stale()) return Loan(this, std::move(connection));
        --open_;
      }
      if (open_ < options_.connections_max) break;
      if (!returned_.WaitFor(&mutex_, options_.command_timeout) && free_.empty() && open_ >= options_.connections_max) {
        return absl::UnavailableError("all connections to Redis are busy");
      }
    }
    ++open_;
  }
  absl::StatusOr<std::unique_ptr<RedisConnection>> connection = RedisConnection::Open(options_);
  if (connection.ok()) return Loan(this, *std::move(connection));
  MutexLock lock(&mutex_);
  --open_;
  returned_.NotifyOne();
  return connection.status();
}

void RedisPool::Return(std::unique_ptr<RedisConnection> connection) {
  MutexLock lock(&mutex_);
  if (connection->broken()) {
    --open_;
  } else {
    free_.push_back(std::move(connection));
  }
  returned_.NotifyOne();
}

}  // namespace ringback::store
