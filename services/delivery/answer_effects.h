// What an answer means for its callback, as domain's commands: a reply is the brief (and a decline, where it
// says that the time does not suit), a calendar's yes an agreement and its no a
// decline, a bounce the delivery's outcome, an automatic mail a line in the history. What comes after closing is kept with the
// callback and told to whoever would call: the customer must not write into a void.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/domain/rules.h"
#include "core/store/records.h"

namespace ringback::delivery {

// Adds the callback with everything the answer changes, and for a bounce the delivery. `actor`: the customer, or the member
// who tied it by hand. Counts the answer. What the rules refuse (a brief that is full, a promise that is no longer the one
// meant) becomes a line in the history: the answer itself is kept all the same.
absl::Status AddAnswerEffects(store::Store& store, const store::Loaded<store::v1::CallbackRecord>& callback,
                              const store::v1::TeamRecord& team, const store::v1::AnswerRecord& answer,
                              const domain::Actor& actor, absl::Time now, store::Commit* commit);

// The answer leaves the callback that a member tied it to, for `to` or ("") for none that is known: adds that callback
// without what the answer changed there, and notes in the answer which messages of it may quote it. FAILED_PRECONDITION for
// one that found its callback by itself, or answered a calendar entry: what that changed cannot be told from what came
// after. Nothing for a callback whose caller has left.
absl::Status TakeBackAnswerEffects(store::Store& store, const store::v1::TeamRecord& team, const std::string& to,
                                   const domain::Actor& actor, absl::Time now, store::v1::AnswerRecord* answer,
                                   store::Commit* commit);

}  // namespace ringback::delivery
