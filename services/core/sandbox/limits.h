// What a sandboxed child may use. Set by the parent, applied by the child to itself before it sees untrusted bytes.
#pragma once

#include <cstdint>

#include "absl/time/time.h"

namespace ringback::sandbox {

struct Limits {
  // Private writable memory of the child (RLIMIT_DATA): heap, thread stacks, libraries' data. Program text and the
  // libraries' read-only pages come on top, some 15 MB for the largest child, so that all stays under 256 MB.
  uint64_t memory_bytes = 240ull << 20;
  // CPU seconds (user and system, all threads) one job may use, rounded up to whole seconds.
  absl::Duration cpu_per_job = absl::Seconds(60);
  // A longer answer counts as misbehaviour.
  uint64_t response_bytes_max = 64ull << 20;
  // How long the child may take from its start until it is ready for the first job.
  absl::Duration start_timeout = absl::Seconds(10);
};

}  // namespace ringback::sandbox
