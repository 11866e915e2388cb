// hiredis behind a connection, its commands and its replies. Redis's errors become absl::Status here and nowhere else;
// what the commands mean is said in redis_store and redis_scripts.
#pragma once

#include <hiredis/hiredis.h>

#include <array>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/store/redis_scripts.h"
#include "core/store/redis_store.h"

namespace ringback::store {

// Waiting for Redis is measured on the steady clock: a call as a whole has a deadline, however many replies it reads.
using Steady = std::chrono::steady_clock;

struct ReplyDeleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, ReplyDeleter>;

// The parts of a command as they go over the wire (RESP bulk strings).
class RedisCommand {
 public:
  RedisCommand() = default;
  RedisCommand(std::initializer_list<std::string_view> parts) {
    for (const std::string_view part : parts) Add(part);
  }
  RedisCommand& Add(std::string_view part);
  RedisCommand& Add(int64_t number);
  RedisCommand& Add(const RedisCommand& more);
  int parts() const { return parts_; }
  size_t bytes() const { return wire_.size(); }
  void AppendTo(std::string& wire) const;
  friend bool operator<(const RedisCommand& a, const RedisCommand& b) { return a.wire_ < b.wire_; }

 private:
  int parts_ = 0;
  std::string wire_;
};

// Reading a reply. A reply of another type than asked for reads as "" or 0.
std::string TextOf(const redisReply& reply);
int64_t IntOf(const redisReply& reply);  // an integer, or a number as text
// A number in stored bytes; DATA_LOSS naming `what` when they are none.
absl::StatusOr<int64_t> StoredNumber(std::string_view text, std::string_view what);
// The error of an error reply, as the contract wants it; OK for any other.
absl::Status ErrorOf(const redisReply& reply);
absl::Status ErrorOfText(const std::string& text);
// Whether the error means that the server is no master (any more): another one is to be found.
bool LostMaster(const std::string& error_text);

// One connection to a master, signed in, with the scripts loaded. One thread at a time.
class RedisConnection {
 public:
  // Connects to options.host and port, or to unix_socket; `deadline` bounds all but the resolver of host names.
  // UNAVAILABLE when nobody answers, the user is refused, or the server is no master.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> Open(const RedisOptions& options, Steady::time_point deadline);
  // The same without the master's duties: for sentinels.
  static absl::StatusOr<std::unique_ptr<RedisConnection>> OpenPlain(const RedisOptions& options,
                                                                    Steady::time_point deadline);

  // Sends all commands at once and reads their replies, in order. A reply may be an error (ErrorOf). UNAVAILABLE: the
  // connection broke or the deadline passed, the outcome is unknown, and the connection is of no more use.
  absl::StatusOr<std::vector<Reply>> Send(const std::vector<RedisCommand>& commands, Steady::time_point deadline);

  // The beginning of a command that runs a script with so many keys; keys and arguments follow.
  RedisCommand Begin(Script script, int64_t keys) const;
  // Loads the scripts (again, should Redis have forgotten them: NOSCRIPT).
  absl::Status LoadScripts(Steady::time_point deadline);
  // OK while the server is a master; asked again when the last answer is more than a second old.
  absl::Status StillMaster(Steady::time_point deadline);

  bool broken() const { return broken_ || context_->err != 0; }
  // Whether the idle connection has been closed by the other side.
  bool Stale() const;

  uint64_t generation = 0;  // the pool's

 private:
  struct ContextDeleter {
    void operator()(redisContext* context) const { redisFree(context); }
  };
  explicit RedisConnection(redisContext* context) : context_(context) {}
  absl::Status Failure();
  absl::Status Late();
  // Sets the socket's time limit to what is left until the deadline; false when it has passed.
  bool Arm(Steady::time_point deadline);

  const std::unique_ptr<redisContext, ContextDeleter> context_;
  bool broken_ = false;
  int armed_ms_ = 0;
  Steady::time_point master_until_{};
  std::array<std::string, kScripts> hashes_;  // as SCRIPT LOAD named them
};

}  // namespace ringback::store
