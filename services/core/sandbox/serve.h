// The child's side: apply the limits, then answer jobs, one at a time, until the parent closes. The parent's side is
// child_pool.h.
#pragma once

#include <functional>
#include <string>

namespace ringback::sandbox {

// Request bytes in, response bytes out. May throw std::bad_alloc, which the parent sees as RESOURCE_EXHAUSTED. The
// request is given away so that a handler can free it as soon as it has been parsed.
using Handler = std::function<std::string(std::string request)>;

// Descriptor on which a spawned child finds its parent.
inline constexpr int kChildSocket = 3;

// Exit codes by which a child says why it stopped.
inline constexpr int kExitOutOfMemory = 66;
inline constexpr int kExitBadHello = 67;
inline constexpr int kExitFilterRefused = 68;

// Never returns. Call it first thing in main(), while the process has one thread.
// Reads the limits, runs `warm_up` (still free: load libraries, open files), then gives up: no new privileges, no files
// and no network beyond the socket (system call filter), no file growth, bounded memory and CPU. Then it loops over
// jobs. Needs no root. In sanitizer builds filter and memory limit are left out, as the sanitizers cannot run in them.
[[noreturn]] void ServeSandboxed(const Handler& handler, const std::function<void()>& warm_up = {},
                                 int socket = kChildSocket);

}  // namespace ringback::sandbox
