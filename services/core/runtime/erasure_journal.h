// What was erased, outside the store: a backup that is older than an erasure still holds the caller, and only this journal
// lets a restore know (law 9). The embedded mode keeps it in DATA/erasures; it holds times and ids, no content, some 40
// bytes for each erasure, and only grows.
//
//   # ringback erasures since 2026-11-24T08:00:00Z
//   2026-11-24T09:30:12Z cb07h3k9x2m4q8w1
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/runtime/config.h"

namespace ringback::runtime {

struct Erasure {
  absl::Time time;
  std::string id;  // of a callback, contact, recording or answer
  friend bool operator==(const Erasure&, const Erasure&) = default;
};

struct Erasures {
  absl::Time since;  // every erasure from then on is in it
  std::vector<Erasure> entries;
};

// Adds the ids, durably; the journal is begun where there is none (an empty `ids` does only that). Call it before the
// erasure is committed: one too many is erased twice, one too few is a caller who comes back. Safe from any thread and
// process. Nothing for a store that `ringback restore` does not restore (Redis). RESOURCE_EXHAUSTED when the disk is
// full, else UNAVAILABLE.
absl::Status NoteErasures(const Config& config, absl::Time now, const std::vector<std::string>& ids);

// NOT_FOUND when there is none; DATA_LOSS, naming the line, when it does not read. A last line without its end is
// passed over: whoever wrote it died before the erasure.
absl::StatusOr<Erasures> ReadErasures(const std::string& path);

// Writes a whole journal to a new file, durably.
absl::Status WriteErasures(const std::string& path, const Erasures& erasures);

}  // namespace ringback::runtime
