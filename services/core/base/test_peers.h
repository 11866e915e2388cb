// The other side of a wire, for tests: real programs as children, and a small scripted TCP server. Loopback only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/base/temp_dir.h"

namespace ringback {

inline sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// A socket that listens on a free port of 127.0.0.1.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(fd_, 64), 0);
    socklen_t size = sizeof address;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { Close(); }
  int port() const { return port_; }
  int fd() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
  int port_ = 0;
};

inline int FreePort() { return Listener().port(); }

inline bool Accepts(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(port);
  const bool connected = connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return connected;
}

// A child program that serves `port`; killed with the object, and with the test should that die.
class Child {
 public:
  Child(const std::vector<std::string>& command, int port) {
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      execv(argv[0], argv.data());
      _exit(127);
    }
    // Waits for the child's own sign of life: its port. Ten seconds are for a loaded machine.
    for (int i = 0; i < 1000 && !Accepts(port); ++i) {
      EXPECT_EQ(waitpid(pid_, nullptr, WNOHANG), 0) << command[0] << " did not start";
      usleep(10000);
    }
  }
  ~Child() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = 0;
};

inline std::string FileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

// One accepted connection, line by line.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  void Say(const std::string& text) { (void)!send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // The next line without its end; "" with ended() when the other side has gone.
  std::string Line() {
    for (;;) {
      const size_t end = buffer_.find('\n');
      if (end != std::string::npos) {
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        return line;
      }
      if (!More()) return "";
    }
  }
  std::string Bytes(size_t count) {
    while (buffer_.size() < count && More()) {
    }
    std::string bytes = buffer_.substr(0, count);
    buffer_.erase(0, count);
    return bytes;
  }
  bool ended() const { return ended_; }

 private:
  bool More() {
    char chunk[4096];
    const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(chunk, static_cast<size_t>(n));
    return true;
  }
  const int fd_;
  std::string buffer_;
  bool ended_ = false;
};

// Runs `script` for each connection, on a thread of its own: one after the other, or `together`, each on one more thread.
// Destroyed after the client is.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(Peer&)> script, bool together = false)
      : script_(std::move(script)), together_(together), thread_([this] { Serve(); }) {}
  ~ScriptedServer() {
    stop_ = true;
    shutdown(listener_.fd(), SHUT_RDWR);
    thread_.join();
    for (std::thread& each : each_) each.join();
  }
  int port() const { return listener_.port(); }
  int connections() const { return connections_; }

 private:
  void Serve() {
    while (!stop_) {
      const int fd = accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      const auto serve = [this, fd] {
        Peer peer(fd);
        script_(peer);
        close(fd);
      };
      if (together_) {
        each_.emplace_back(serve);
      } else {
        serve();
      }
    }
  }
  Listener listener_;
  const std::function<void(Peer&)> script_;
  const bool together_;
  std::vector<std::thread> each_;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace ringback
