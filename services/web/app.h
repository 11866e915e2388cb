// The HTTP edge: the customer's page, the team's pages with sign-in and their JSON, telephone systems' hooks, health and
// metrics.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::web {

// Adds the HTTP listeners to the host: http_listen carries everything, web.public_listen the customers' pages and hooks
// alone; none where the address is empty. The addresses are bound when the host starts.
absl::Status RunWeb(runtime::Host& host);

}  // namespace ringback::web
