// The reminder service: fires what is due. What is due, and whom it alarms, is domain's.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"

namespace ringback::reminder {

// Adds the worker of stage kPromise and ReminderService to the host.
absl::Status RunReminder(runtime::Host& host);

}  // namespace ringback::reminder
