// The ingest service: callbacks and recordings come in, teams and contacts are kept. Its parts list is RunIngest; the
// rules it carries out are domain's.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::ingest {

// Adds CallbackService, RecordingService, TeamService and ContactService and what they need to the host.
absl::Status RunIngest(runtime::Host& host);

}  // namespace ringback::ingest
