// For tests: a real redis-server of their own, on a free port of loopback, that ends with the object.
#pragma once

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"

namespace ringback::store {

inline int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

// Asks until the answer is yes; fails the test after `patience`.
template <typename Question>
void Eventually(Question question, const char* what, absl::Duration patience = absl::Seconds(30)) {
  const absl::Time give_up = absl::Now() + patience;
  while (!question()) {
    ASSERT_LT(absl::Now(), give_up) << "in vain: " << what;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

class RedisServer {
 public:
  // `more` are further words of its command line.
  explicit RedisServer(bool sentinel = false, std::vector<std::string> more = {})
      : sentinel_(sentinel), more_(std::move(more)), port_(FreePort()) {
    std::string name = testing::TempDir() + "/ringback_redis_XXXXXX";
    folder_ = mkdtemp(name.data());
    Start();
  }
  ~RedisServer() {
    Kill();
    // A child that rewrites the file outlives its parent for a moment.
    std::error_code error;
    Eventually([&] { return std::filesystem::remove_all(folder_, error), !error; }, "the folder goes away");
  }
  RedisServer(const RedisServer&) = delete;

  void Start() {
    std::vector<std::string> words = {
        "redis-server", "--bind", "127.0.0.1", "--port", absl::StrCat(port_), "--dir", folder_, "--appendonly", "yes",
        "--appendfsync", "always", "--save", "", "--aof-use-rdb-preamble", "no", "--logfile", folder_ + "/log",
        "--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes"};
    words.insert(words.end(), more_.begin(), more_.end());
    if (sentinel_) {
      // A sentinel keeps what it learns in a file of its own.
      std::ofstream(folder_ + "/sentinel.conf", std::ios::app).flush();
      words = {"redis-server", folder_ + "/sentinel.conf", "--sentinel", "--bind", "127.0.0.1",
               "--port", absl::StrCat(port_), "--dir", folder_, "--logfile", folder_ + "/log"};
    }
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // a crashed test leaves no server behind
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    ASSERT_GT(pid_, 0);
    Eventually([&] { return Say({"PING"}) == "PONG"; }, "redis-server answers");
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void Signal(int signal) { ASSERT_EQ(kill(pid_, signal), 0); }

  int port() const { return port_; }
  const std::string& folder() const { return folder_; }

  // One command on a connection of its own; "" when that fails.
  std::string Say(const std::vector<std::string>& words) const {
    redisContext* context = redisConnect("127.0.0.1", port_);
    std::string answer;
    if (context != nullptr && context->err == 0) {
      std::vector<const char*> arguments;
      for (const std::string& word : words) arguments.push_back(word.c_str());
      auto* reply = static_cast<redisReply*>(
          redisCommandArgv(context, static_cast<int>(arguments.size()), arguments.data(), nullptr));
      if (reply != nullptr && reply->str != nullptr) answer = reply->str;
      freeReplyObject(reply);
    }
    redisFree(context);
    return answer;
  }

  void Follow(const RedisServer& master) {
    ASSERT_EQ(Say({"REPLICAOF", "127.0.0.1", absl::StrCat(master.port())}), "OK");
    Eventually([&] { return absl::StrContains(Say({"INFO", "replication"}), "master_link_status:up"); }, "the replica is up");
    Eventually([&] { return absl::StrContains(master.Say({"INFO", "replication"}), "state=online"); }, "the master sees it");
  }

 private:
  const bool sentinel_;
  const std::vector<std::string> more_;
  const int port_;
  std::string folder_;
  pid_t pid_ = 0;
};

// The machine's clock, shifted: what the offset file does to the real services.
class ShiftedClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now() + Offset(); }
  absl::Duration Offset() override {
    MutexLock lock(&mutex_);
    return shift_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(&mutex_);
    shift_ += by;
  }

 private:
  Mutex mutex_;
  absl::Duration shift_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback::store
