// A store that tells the rest of the program what its commits make due and change: commits, releases; nothing else is
// added to the store it wraps.
#pragma once

#include <memory>

#include "core/base/clock.h"
#include "core/handoff/signals.h"
#include "core/store/store.h"

namespace ringback::runtime {

// After each successful commit: "due/<stage>" for every entry due within a second (later ones are found by the workers'
// own look once a second) and "changes/<team>" for every team with an event. `signals` and `clock` must outlive it.
std::unique_ptr<store::Store> NewNotifyingStore(std::unique_ptr<store::Store> store, handoff::Signals* signals,
                                                Clock* clock);

// "due/transcode", "due/delivery", "due/promise", "due/retention".
const char* DueTopic(store::Stage stage);
// "transcode", …
const char* StageName(store::Stage stage);

}  // namespace ringback::runtime
