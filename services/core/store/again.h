// Deciding anew when somebody else was quicker.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace ringback::store {

// Runs `once`, which loads, decides and commits, until it is not ABORTED by somebody else's change, ten times at most; its
// last result, an absl::Status or StatusOr. What `once` does besides its commit must be safe to repeat.
template <typename Once>
auto Again(const Once& once) {
  const auto aborted = [](const auto& result) {
    if constexpr (requires { result.status(); }) {
      return absl::IsAborted(result.status());
    } else {
      return absl::IsAborted(result);
    }
  };
  auto result = once();
  for (int i = 1; i < 10 && aborted(result); ++i) result = once();
  return result;
}

}  // namespace ringback::store
