// The seccomp allow-list of a sandboxed child: computing, memory, threads, and the descriptors it already holds.
#pragma once

namespace ringback::sandbox {

// Installs the filter for all threads of this process. Every call outside the list fails with EPERM; another
// architecture's calls kill the process. Needs PR_SET_NO_NEW_PRIVS. False when the kernel refuses.
bool InstallSyscallFilter();

}  // namespace ringback::sandbox
