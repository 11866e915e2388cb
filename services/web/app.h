// The HTTP edge: the customer's page, health and metrics.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::web {

// Adds the HTTP listener to the host; none when http_listen is empty. The address is bound when the host starts.
absl::Status RunWeb(runtime::Host& host);

}  // namespace ringback::web
