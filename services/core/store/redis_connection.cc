#include "core/store/redis_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/store/redis_tls.h"

namespace ringback::store {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::seconds kMasterFor{1};
// The socket's limit is set in such steps: in the common case it need not be set anew for every reply.
constexpr int kArmStepMs = 250;

timeval ToTimeval(milliseconds duration) {
  timeval time;
  time.tv_sec = duration.count() / 1000;
  time.tv_usec = (duration.count() % 1000) * 1000;
  return time;
}

milliseconds Left(Steady::time_point deadline) {
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(deadline - Steady::now()));
}

// A peer that vanished without a word is noticed although nothing is sent (keepalive) or nothing is acknowledged.
void GuardSocket(redisContext* context, milliseconds timeout) {
  redisEnableKeepAlive(context);
  const unsigned int limit = static_cast<unsigned int>(timeout.count());
  setsockopt(context->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
}

}  // namespace

RedisCommand& RedisCommand::Add(std::string_view part) {
  absl::StrAppend(&wire_, "$", part.size(), "\r\n");
  wire_.append(part);
  wire_.append("\r\n");
  ++parts_;
  return *this;
}

RedisCommand& RedisCommand::Add(int64_t number) {
  const absl::AlphaNum text(number);
  return Add(std::string_view(text.data(), text.size()));
}

RedisCommand& RedisCommand::Add(const RedisCommand& more) {
  wire_.append(more.wire_);
  parts_ += more.parts_;
  return *this;
}

void RedisCommand::AppendTo(std::string& wire) const {
  absl::StrAppend(&wire, "*", parts_, "\r\n");
  wire.append(wire_);
}

std::string TextOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return absl::StrCat(reply.integer);
  if (reply.str == nullptr) return "";
  return std::string(reply.str, static_cast<size_t>(reply.len));
}

int64_t IntOf(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_INTEGER) return reply.integer;
  return reply.str == nullptr ? 0 : std::strtoll(reply.str, nullptr, 10);
}

absl::StatusOr<int64_t> StoredNumber(std::string_view text, std::string_view what) {
  int64_t number = 0;
  if (absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &number)) return number;
  return absl::DataLossError(absl::StrCat("Redis holds a damaged ", absl::string_view(what.data(), what.size())));
}

bool LostMaster(const std::string& error_text) {
  for (const char* code : {"READONLY", "MASTERDOWN"}) {
    if (absl::StartsWith(error_text, code) || absl::StrContains(error_text, absl::StrCat("-", code))) return true;
  }
  return false;
}

absl::Status ErrorOfText(const std::string& text) {
  // A script's error is wrapped: "ERR … script: …, on @user_script:1: -OOM command not allowed".
  const auto says = [&](const char* code) {
    return absl::StartsWith(text, code) || absl::StrContains(text, absl::StrCat("-", code));
  };
  if (says("OOM")) return absl::ResourceExhaustedError(absl::StrCat("Redis has no memory left; raise its maxmemory: ", text));
  if (says("MISCONF")) return absl::ResourceExhaustedError(absl::StrCat("Redis cannot write to its disk; make room on it: ", text));
  for (const char* code : {"LOADING", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "BUSY",
                           "UNKILLABLE", "EXECABORT"}) {
    if (says(code)) return absl::UnavailableError(absl::StrCat("Redis: ", text));
  }
  // The last one: a password is sent, and Redis has none.
  if (says("NOAUTH") || says("WRONGPASS") || says("NOPERM") || absl::StartsWith(text, "ERR AUTH")) {
    return absl::UnavailableError(absl::StrCat("Redis refuses the user or password: ", text));
  }
  if (says("WRONGTYPE")) return absl::DataLossError(absl::StrCat("Redis holds something else under a key of ringback: ", text));
  return absl::InternalError(absl::StrCat("Redis: ", text));
}

absl::Status ErrorOf(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ERROR ? ErrorOfText(TextOf(reply)) : absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::OpenPlain(const RedisOptions& options,
                                                                            Steady::time_point deadline) {
  const timeval timeout = ToTimeval(std::clamp(Left(deadline), milliseconds(1), options.connect_timeout));
  redisContext* context = options.unix_socket.empty()
                              ? redisConnectWithTimeout(options.host.c_str(), options.port, timeout)
                              : redisConnectUnixWithTimeout(options.unix_socket.c_str(), timeout);
  if (context == nullptr) return absl::ResourceExhaustedError("no memory for a Redis connection");
  std::unique_ptr<RedisConnection> connection(new RedisConnection(context));
  if (connection->broken()) return connection->Failure();
  if (options.unix_socket.empty()) GuardSocket(context, options.command_timeout);
  if (!connection->Arm(deadline)) return connection->Late();
  if (options.tls.has_value()) RB_RETURN_IF_ERROR(StartTls(context, *options.tls, options.host));

  std::string password = options.password;
  if (options.read_password) {
    RB_ASSIGN_OR_RETURN(password, options.read_password());
  }
  if (password.empty()) return connection;
  const RedisCommand sign_in = options.user.empty() ? RedisCommand{"AUTH", password}
                                                    : RedisCommand{"AUTH", options.user, password};
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, connection->Send({sign_in}, deadline));
  RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  return connection;
}

absl::StatusOr<std::unique_ptr<RedisConnection>> RedisConnection::Open(const RedisOptions& options,
                                                                       Steady::time_point deadline) {
  RB_ASSIGN_OR_RETURN(std::unique_ptr<RedisConnection> connection, OpenPlain(options, deadline));
  if (options.database != 0) {
    RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies,
                        connection->Send({RedisCommand({"SELECT"}).Add(int64_t{options.database})}, deadline));
    RB_RETURN_IF_ERROR(ErrorOf(*replies[0]));
  }
  RB_RETURN_IF_ERROR(connection->StillMaster(deadline));
  RB_RETURN_IF_ERROR(connection->LoadScripts(deadline));
  return connection;
}

absl::Status RedisConnection::StillMaster(Steady::time_point deadline) {
  const Steady::time_point now = Steady::now();
  if (now < master_until_) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Send({{"ROLE"}}, deadline));
  const absl::Status error = ErrorOf(*replies[0]);
  // Services for hire may forbid ROLE; then a replica shows itself by refusing writes.
  const bool unknown = replies[0]->type == REDIS_REPLY_ERROR && absl::StartsWith(TextOf(*replies[0]), "NOPERM");
  if (!error.ok() && !unknown) return error;
  if (!unknown && (replies[0]->elements < 1 || TextOf(*replies[0]->element[0]) != "master")) {
    return absl::UnavailableError("this Redis is a replica; ringback needs the master");
  }
  master_until_ = now + kMasterFor;
  return absl::OkStatus();
}

absl::Status RedisConnection::LoadScripts(Steady::time_point deadline) {
  std::vector<RedisCommand> loads;
  for (const std::string& source : ScriptSources()) loads.push_back({"SCRIPT", "LOAD", source});
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, Send(loads, deadline));
  for (int i = 0; i < kScripts; ++i) {
    RB_RETURN_IF_ERROR(ErrorOf(*replies[i]));
    hashes_[i] = TextOf(*replies[i]);
  }
  return absl::OkStatus();
}

RedisCommand RedisConnection::Begin(Script script, int64_t keys) const {
  RedisCommand command{"EVALSHA", hashes_[static_cast<int>(script)]};
  command.Add(keys);
  return command;
}

absl::Status RedisConnection::Failure() {
  broken_ = true;
  return absl::UnavailableError(absl::StrCat("Redis cannot be reached: ", context_->errstr));
}

absl::Status RedisConnection::Late() {
  broken_ = true;
  return absl::UnavailableError("Redis does not answer in time");
}

bool RedisConnection::Arm(Steady::time_point deadline) {
  const int64_t left = Left(deadline).count();
  if (left == 0) return false;
  const int armed = static_cast<int>((left + kArmStepMs - 1) / kArmStepMs * kArmStepMs);
  if (armed != armed_ms_) redisSetTimeout(context_.get(), ToTimeval(milliseconds(armed)));
  armed_ms_ = armed;
  return true;
}

absl::StatusOr<std::vector<Reply>> RedisConnection::Send(const std::vector<RedisCommand>& commands,
                                                         Steady::time_point deadline) {
  std::string wire;
  for (const RedisCommand& command : commands) command.AppendTo(wire);
  if (redisAppendFormattedCommand(context_.get(), wire.data(), wire.size()) != REDIS_OK) return Failure();
  for (int written = 0; written == 0;) {
    if (!Arm(deadline)) return Late();
    if (redisBufferWrite(context_.get(), &written) != REDIS_OK) return Failure();
  }
  std::vector<Reply> replies;
  replies.reserve(commands.size());
  while (replies.size() < commands.size()) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(context_.get(), &reply) != REDIS_OK) return Failure();
    if (reply != nullptr) {
      replies.emplace_back(static_cast<redisReply*>(reply));
      continue;
    }
    if (!Arm(deadline)) return Late();
    if (redisBufferRead(context_.get()) != REDIS_OK) return Failure();
  }
  return replies;
}

bool RedisConnection::Stale() const {
  // Nothing is owed to an idle connection: what is readable is its end.
  pollfd fd{context_->fd, POLLIN, 0};
  return poll(&fd, 1, 0) != 0;
}

}  // namespace ringback::store
