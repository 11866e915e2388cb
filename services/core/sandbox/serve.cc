#include "core/sandbox/serve.h"

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <new>

#include "core/sandbox/frame.h"
#include "core/sandbox/syscall_filter.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define RB_SANITIZED 1
#else
#define RB_SANITIZED 0
#endif

namespace ringback::sandbox {
namespace {

constexpr size_t kHeapKept = 4 << 20;

void SetLimit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// Standard streams lead nowhere: a parser's chatter may hold a customer's words. Everything else the parent happened
// to leave open is closed. A sanitizer's report goes to the tests that it is for.
void DropDescriptors(int socket) {
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd < (RB_SANITIZED ? 2 : 3); ++fd) dup2(null, fd);
  if (socket != kChildSocket) dup2(socket, kChildSocket);
  if (syscall(__NR_close_range, kChildSocket + 1, ~0u, 0) != 0) {
    for (int fd = kChildSocket + 1; fd < 1024; ++fd) close(fd);
  }
}

}  // namespace

void ServeSandboxed(const Handler& handler, const std::function<void()>& warm_up, int socket) {
  DropDescriptors(socket);
  const absl::Duration forever = absl::InfiniteDuration();
  auto frame = ReceiveFrame(kChildSocket, sizeof(Hello), forever);
  Hello hello;
  if (!frame.ok() || frame->size() != sizeof hello) _exit(kExitBadHello);
  memcpy(&hello, frame->data(), sizeof hello);
  if (hello.magic != Hello::kMagic) _exit(kExitBadHello);

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != hello.parent_pid) _exit(0);  // The parent died before the line above.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  // Service managers ask the whole group to stop: the parent lets this job end, then ends the child.
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) signal(number, SIG_IGN);

  if (warm_up) warm_up();

  SetLimit(RLIMIT_CORE, 0);
  SetLimit(RLIMIT_FSIZE, 0);
  std::set_new_handler([] { _exit(kExitOutOfMemory); });
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(kExitFilterRefused);
#if !RB_SANITIZED
  // A sanitizer's shadow is larger than any limit, it looks at memory through a pipe, and makes calls of its own.
  SetLimit(RLIMIT_NOFILE, kChildSocket + 1);
  // The default of 8 MiB of stack per thread would all count against the memory limit.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 2u << 20);
  pthread_setattr_default_np(&attributes);
  // One extra arena per thread would spread freed blocks over more memory than the job needs.
  mallopt(M_ARENA_MAX, 2);
  // Large blocks go back to the kernel when freed. Left to itself malloc would learn to keep them, and the limit
  // counts what is mapped.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  SetLimit(RLIMIT_DATA, hello.memory_bytes);
  if (!InstallSyscallFilter()) _exit(kExitFilterRefused);
#endif
  if (!SendFrame(kChildSocket, {}, forever).ok()) _exit(0);

  for (;;) {
    auto request = ReceiveFrame(kChildSocket, hello.memory_bytes, forever);
    if (!request.ok()) _exit(0);
    std::string response;
    try {
      response = handler(*std::move(request));
    } catch (const std::bad_alloc&) {
      _exit(kExitOutOfMemory);
    } catch (const std::exception&) {
      abort();
    }
    if (!SendFrame(kChildSocket, {response}, forever).ok()) _exit(0);
    response = std::string();
    // Between jobs little memory stays; trimming after each small one would cost more than the job.
    if (mallinfo2().arena > kHeapKept) malloc_trim(0);
  }
}

}  // namespace ringback::sandbox
