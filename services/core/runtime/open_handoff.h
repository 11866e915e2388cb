// The hand-off as the config names it.
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "core/handoff/handoff.h"
#include "core/runtime/config.h"
#include "core/runtime/metrics.h"

namespace ringback::runtime {

// nullopt without keys in the config; INVALID_ARGUMENT for key files that cannot be read or that others may read.
absl::StatusOr<std::optional<handoff::CurveKeys>> HandoffKeys(const Config& config);

// Counts what happens in `metrics` (ringback_handoff_total), which must outlive it. Errors as Handoff::Create's and
// HandoffKeys'.
absl::StatusOr<std::unique_ptr<handoff::Handoff>> OpenHandoff(const Config& config, Metrics& metrics);

}  // namespace ringback::runtime
