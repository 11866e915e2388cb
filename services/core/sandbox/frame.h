// Length-prefixed frames over a socket between parent and child. Nothing here knows what a frame holds.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::sandbox {

// First frame, parent to child: the limits to apply. Both ends are built together, so it is a plain struct.
struct Hello {
  static constexpr uint32_t kMagic = 0x52425331;
  uint32_t magic = kMagic;
  int32_t parent_pid = 0;
  uint64_t memory_bytes = 0;
  uint64_t response_bytes_max = 0;
  int64_t cpu_per_job_s = 0;
};

// Sends the parts as one frame. UNAVAILABLE when the other end is gone, DEADLINE_EXCEEDED after `timeout`.
// `steady_deadline` is a point of MonotonicNow().
absl::Status SendFrame(int fd, std::initializer_list<std::string_view> parts, absl::Duration steady_deadline);

// Receives one frame of at most `bytes_max`. UNAVAILABLE when the other end closed, DEADLINE_EXCEEDED, or
// INVALID_ARGUMENT when the announced length is over `bytes_max`.
absl::StatusOr<std::string> ReceiveFrame(int fd, uint64_t bytes_max, absl::Duration steady_deadline);

// Time since boot that no clock change moves.
absl::Duration MonotonicNow();

}  // namespace ringback::sandbox
