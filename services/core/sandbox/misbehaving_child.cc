// A child for sandbox_test and codec_client_test that does on request what a taken-over parser would try. Tests only.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/sandbox/serve.h"

namespace {

std::string Outcome(bool refused) { return refused ? "refused" : "allowed"; }

std::string Do(std::string request) {
  // codec_client_test puts a header in front; what to do is the last word.
  const std::string what = request.substr(request.find_last_of(' ') + 1);
  if (what == "crash") raise(SIGSEGV);
  if (what == "abort") abort();
  if (what == "exit") _exit(7);
  // As somebody else's kill would, or the kernel short of memory.
  if (what == "killed") raise(SIGKILL);
  if (what == "stop") {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) raise(number);
  }
  if (what == "group") return std::to_string(getpgrp());
  if (what == "hang") {
    for (;;) pause();
  }
  if (what == "sleep") {
    for (;;) usleep(100'000);
  }
  if (what == "spin") {
    volatile unsigned count = 0;
    for (;;) count = count + 1;
  }
  if (what == "hog") {
    std::vector<std::string> blocks;
    for (;;) blocks.emplace_back(1 << 20, 'x');
  }
  if (what == "throw") throw std::bad_alloc();
  if (what == "verbose") return std::string(2 << 20, 'v');
  if (what == "pid") return std::to_string(getpid());
  if (what == "open") return Outcome(open("/etc/passwd", O_RDONLY) < 0);
  if (what == "create") return Outcome(open("/tmp/ringback-sandbox-escape", O_CREAT | O_WRONLY, 0600) < 0);
  if (what == "network") return Outcome(socket(AF_INET, SOCK_STREAM, 0) < 0);
  if (what == "fork") return Outcome(fork() < 0);
  if (what == "exec") {
    char path[] = "/bin/true";
    char* argv[] = {path, nullptr};
    execv(path, argv);
    return "refused";
  }
  if (what == "kill") return Outcome(kill(getppid(), 0) < 0);
  if (what == "code") {
    return Outcome(mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED);
  }
  if (what == "threads") {
    int sum = 0;
    std::thread one([&] { sum += 1; });
    one.join();
    std::thread two([&] { sum += 2; });
    two.join();
    return std::to_string(sum);
  }
  if (what == "descriptors") {
    int open_count = 0;
    for (int fd = 4; fd < 64; ++fd) {
      char byte;
      open_count += read(fd, &byte, 0) == 0 || errno != EBADF;
    }
    return std::to_string(open_count);
  }
  if (what == "lie") {
    // Announces more than any limit, then half of it never comes.
    const uint64_t size = 1ull << 60;
    (void)!write(ringback::sandbox::kChildSocket, &size, sizeof size);
    for (;;) pause();
  }
  return request;
}

}  // namespace

int main() { ringback::sandbox::ServeSandboxed(&Do); }
