// A store that tells the rest of the pipeline what its commits make due and change: a job goes to a free worker by the
// hand-off, everything else is a nudge. Nothing else is added to the store it wraps.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/handoff/handoff.h"
#include "core/handoff/signals.h"
#include "core/store/store.h"

namespace ringback::runtime {

// An entry whose job is handed off is born leased for this long, to the worker that it is sent to: who gets the message
// need not claim it. A lost message may cost a second per stage and no more: a worker looks at least once a second, sees
// when that lease ends, and sleeps no longer.
inline constexpr absl::Duration kHandoffReserve = absl::Milliseconds(750);

struct NotifyingParts {
  handoff::Signals* signals = nullptr;
  Clock* clock = nullptr;
  handoff::Handoff* handoff = nullptr;  // nullptr: nudges only
  Random* random = nullptr;             // for lease ids and trace parents; with `handoff`
};

// For each due change that is due at commit, a credit is taken before it and the job, with its payload and the calling
// thread's trace, sent after it. Who finds no credit nudges instead: "due/<stage>" for every entry due within a second
// (later ones are found by the workers' own look once a second). "changes/<team>" goes out for every team with an event.
// All of `parts` must outlive the store.
std::unique_ptr<store::Store> NewNotifyingStore(std::unique_ptr<store::Store> store, NotifyingParts parts);

// "due/transcode", "due/delivery", "due/promise", "due/retention".
const char* DueTopic(store::Stage stage);
// "transcode", …
const char* StageName(store::Stage stage);

}  // namespace ringback::runtime
