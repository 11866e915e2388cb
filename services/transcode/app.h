// The transcode service: recordings become renditions. What a take sounds like is codec/'s business, this only claims,
// calls the codec, and commits what came of it.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::transcode {

// Adds the worker of stage kTranscode to the host. FAILED_PRECONDITION when the codec program is not there.
absl::Status RunTranscode(runtime::Host& host);

}  // namespace ringback::transcode
