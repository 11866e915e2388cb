// What a restore does to the records: a restored server must neither send again what may have gone out since the backup
// was taken, nor keep silent about it.
#pragma once

#include "absl/status/statusor.h"
#include "core/store/store.h"

namespace ringback {

struct Settled {
  int withdrawn = 0;  // messages that were on their way and are not sent again
  int alarmed = 0;    // promises whose voice message was on its way: the assignee is told to look after it
};

// Everybody is signed out: who was signed in when the backup was made may have been signed out since.
// Every delivery that was still open is withdrawn. The one exception is a voice message whose promise is pending: whether
// the customer heard of the promise is not known, so it fails, with an alarm to the assignee, and stands in the dead
// letters where it can be retried. Reminders and alarms to the team need no memory: the callback's next timer fires as
// always, once however long the time between backup and restore was. Idempotent. Call before any server uses the store.
absl::StatusOr<Settled> SettleRestored(store::Store& store);

}  // namespace ringback
