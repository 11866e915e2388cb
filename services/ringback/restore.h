// `ringback restore DIR`: a backup becomes a data directory again.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "ringback/cli/commands.h"
#include "ringback/restored.h"

namespace ringback {

struct RestoreResult {
  Settled settled;
  std::string moved_aside;  // where the old data directory went; "" when there was none
};

// Checks every file of the backup, builds the data directory beside its place, settles what was on its way and moves it
// in place at last: a restore that fails leaves everything as it was. ALREADY_EXISTS when `data_dir` holds something and
// `force` is not set (then it is moved aside, never removed); FAILED_PRECONDITION while a server uses it; DATA_LOSS for a
// damaged backup.
absl::StatusOr<RestoreResult> Restore(const std::string& from, const std::string& data_dir, bool force, Clock* clock,
                                      Random* random);

void AddRestoreCommand(cli::Commands& commands);

}  // namespace ringback
