// /metrics, /healthz and /readyz of any program, on a listener of its own (ringback.metrics_listen).
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/http/listener.h"
#include "core/http/status_pages.h"

namespace ringback::runtime {

// Listens. Every answer is made on the listener's own thread, so that a program whose pool is stuck can still be looked
// at: nothing of `parts` may block.
absl::StatusOr<std::unique_ptr<http::Listener>> StartStatusListener(const std::string& address, http::StatusParts parts,
                                                                    Clock* clock);

}  // namespace ringback::runtime
