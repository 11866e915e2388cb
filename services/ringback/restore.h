// `ringback restore DIR`: a backup becomes a data directory again.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "ringback/cli/commands.h"
#include "ringback/erased_again.h"
#include "ringback/restored.h"

namespace ringback {

struct RestoreOptions {
  std::string from;           // the backup
  std::string data_dir;
  bool force = false;         // move aside what is in data_dir
  std::string erasures_file;  // an erasure journal besides the one in data_dir: of the lost server, or of a later backup
  std::string mail_domain;    // of the Message-IDs in the outbox
};

// What is known of erasures between the backup and now.
struct ErasuresKnown {
  bool journal = false;         // whether there was any but the backup's own
  absl::Time since;             // the journal knows every erasure from then on
  absl::Time newest = absl::InfinitePast();  // its last entry
  bool complete = false;        // it reaches back to the backup
};

struct RestoreResult {
  absl::Time backup_time;
  ErasuresKnown known;
  ErasedAgain erased;
  Settled settled;
  std::string moved_aside;  // where the old data directory went; "" when there was none
};

// Checks every file of the backup, builds the data directory beside its place, erases again who was erased since, settles
// what was on its way and moves it in place at last: a restore that fails leaves everything as it was. ALREADY_EXISTS when
// `data_dir` holds something and `force` is not set (then it is moved aside, never removed); FAILED_PRECONDITION while a
// server uses it; DATA_LOSS for a damaged backup or erasure journal; NOT_FOUND when `erasures_file` is not there.
absl::StatusOr<RestoreResult> Restore(const RestoreOptions& options, Clock* clock, Random* random);

void AddRestoreCommand(cli::Commands& commands);

}  // namespace ringback
