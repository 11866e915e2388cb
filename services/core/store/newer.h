// Two versions run side by side on one store. What an older one does not know of a record it carries along untouched
// (protobuf keeps unknown fields); but where a word that decides what happens next is unknown to it (a phase, a kind of
// message), it must not guess: it leaves the record to the newer version. Here is which words those are.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::store {

// Records without such words: whatever else is unknown in them has a meaning of "none" or is only shown.
template <typename Message>
bool Understood(const Message&) {
  return true;
}
// Phase, the alarms' kind, and state and channel of each promise.
bool Understood(const v1::CallbackRecord& callback);
// Kind, state, the alarms' kind, and what the channel in use is.
bool Understood(const v1::DeliveryRecord& delivery);
// State.
bool Understood(const v1::RecordingRecord& recording);

// UNAVAILABLE: another replica may know better. Workers give such an entry back without counting the attempt.
absl::Status LeftToNewer(absl::string_view id);
bool IsLeftToNewer(const absl::Status& status);

}  // namespace ringback::store
