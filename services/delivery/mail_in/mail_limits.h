// What the program that reads mails may use of the machine.
#pragma once

#include "core/sandbox/limits.h"

namespace ringback::delivery {

inline constexpr uint64_t kMailBytesMax = 50ull << 20;

inline sandbox::Limits MailSandbox() {
  sandbox::Limits limits;
  limits.memory_bytes = 240ull << 20;  // 256 MB with the program's own text
  limits.cpu_per_job = absl::Seconds(1);
  limits.response_bytes_max = 64ull << 20;
  return limits;
}

}  // namespace ringback::delivery
