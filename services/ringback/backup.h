// `ringback backup DIR`: one consistent copy of the embedded mode's data, also while the server is serving.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/runtime/config.h"
#include "ringback/cli/commands.h"
#include "ringback/manifest.h"

namespace ringback {

// Writes database, the blobs that its recordings name, the outbox and a manifest to the new or empty folder `to` (mode
// 0700). ALREADY_EXISTS when something is in it; FAILED_PRECONDITION when the store is no SQLite file of this machine.
// What failed halfway has no manifest, so it cannot be taken for a backup.
absl::StatusOr<Manifest> Backup(const runtime::Config& config, const std::string& to, Clock* clock, Random* random);

void AddBackupCommand(cli::Commands& commands);

}  // namespace ringback
