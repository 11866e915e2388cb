// Sends the mails with which members sign in: deliveries that belong to no callback, whose secrets are gone from the store
// the moment they have left, ended or cannot leave.
#pragma once

#include "absl/status/status.h"
#include "core/runtime/host.h"
#include "delivery/bundle.h"
#include "delivery/wires.h"

namespace ringback::delivery {

// One try. Not marked SENDING first: a mail that a crash repeats has the same Message-ID and carries nothing new. An error
// when it has to be tried again; at the end of the sign-in's life it is dropped instead.
absl::Status SendSignIn(runtime::Host& host, Wires& wires, const store::Lease& lease, absl::Duration lease_time,
                        const Work& work);

// The tries are used up: nobody is alarmed, because the one who waits for the mail sees that it does not come, and an admin
// can tell link and code instead.
absl::Status DropSignIn(runtime::Host& host, const store::Lease& lease, const Work& work);

}  // namespace ringback::delivery
