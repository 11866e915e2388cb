// The customer's data leaves on time: callbacks whose retention is over are erased, and what erasure left on disk
// (recordings, mails in the outbox) is removed. Here because the outbox is delivery's.
#pragma once

#include <memory>

#include "core/runtime/host.h"

namespace ringback::delivery {

// For stage kRetention; an entry's id is a callback's (its purge date) or a tombstone's (files to be removed).
std::unique_ptr<runtime::JobHandler> NewRetentionHandler(runtime::Host& host);

}  // namespace ringback::delivery
