#include "core/sandbox/syscall_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <vector>

namespace ringback::sandbox {
namespace {

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "syscall_filter.cc: add this architecture's audit number"
#endif

constexpr int kAllowed[] = {
    __NR_read, __NR_write, __NR_readv, __NR_writev, __NR_close, __NR_ppoll,
#if defined(__NR_poll)
    __NR_poll,
#endif
    __NR_munmap, __NR_mremap, __NR_madvise, __NR_brk, __NR_futex, __NR_exit, __NR_exit_group, __NR_rt_sigaction,
    __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_sigaltstack, __NR_clock_gettime, __NR_clock_nanosleep, __NR_nanosleep,
    __NR_gettimeofday, __NR_sched_yield, __NR_sched_getaffinity, __NR_getrandom, __NR_set_robust_list, __NR_rseq,
    __NR_getpid, __NR_gettid, __NR_restart_syscall, __NR_membarrier, __NR_getrusage,
};

constexpr size_t ArgumentLow(int index) { return offsetof(seccomp_data, args) + 8 * index; }  // Little-endian both.

}  // namespace

bool InstallSyscallFilter() {
  std::vector<sock_filter> program;
  const auto load = [&](size_t offset) {
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  const auto answer = [&](unsigned value) { program.push_back(BPF_STMT(BPF_RET | BPF_K, value)); };
  const auto unless_equal_skip = [&](unsigned value, unsigned char skip) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip));
  };
  const unsigned refuse = SECCOMP_RET_ERRNO | EPERM;

  load(offsetof(seccomp_data, arch));
  unless_equal_skip(kArchitecture, 0);
  program.back().jt = 1;
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(seccomp_data, nr));
#if defined(__x86_64__)
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));  // The x32 numbers.
  answer(SECCOMP_RET_KILL_PROCESS);
#endif
  for (int number : kAllowed) {
    unless_equal_skip(static_cast<unsigned>(number), 1);
    answer(SECCOMP_RET_ALLOW);
  }
  // Memory, but never executable memory.
  for (int number : {__NR_mmap, __NR_mprotect}) {
    unless_equal_skip(static_cast<unsigned>(number), 4);
    load(ArgumentLow(2));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    answer(refuse);
    answer(SECCOMP_RET_ALLOW);
  }
  // Threads, but never processes. The C library tries clone3 first, whose flags a filter cannot see: ENOSYS sends it
  // to clone.
  unless_equal_skip(__NR_clone, 4);
  load(ArgumentLow(0));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  answer(refuse);
  answer(SECCOMP_RET_ALLOW);
  unless_equal_skip(__NR_clone3, 1);
  answer(SECCOMP_RET_ERRNO | ENOSYS);
  // abort() signals itself; nobody else may be signalled.
  unless_equal_skip(__NR_tgkill, 4);
  load(ArgumentLow(0));
  unless_equal_skip(static_cast<unsigned>(getpid()), 1);
  answer(SECCOMP_RET_ALLOW);
  answer(refuse);
  answer(refuse);

  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0;
}

}  // namespace ringback::sandbox
