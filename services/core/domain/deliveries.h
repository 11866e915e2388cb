// Messages that go out for a callback: their ids, and whether one that waited is still worth sending. Pure.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

// "dl07h3k9x2m4q8w10003": the callback's id with its count of deliveries, so a repeated decision names the same.
std::string DeliveryId(const std::string& callback_id, int count);

// Whether the message still says something true. Ask right before it is sent and withdraw it when not: a reminder of a
// promise that was kept meanwhile, an alarm that somebody answered, a voice message or an update that a newer one
// replaced or whose promised time has passed, a notice of a wish that was answered, or of a promise that stands and does not
// any more. Other notices, and cancellations of a closed callback, are always needed.
bool StillNeeded(const store::v1::CallbackRecord& callback, const store::v1::DeliveryRecord& delivery,
                 const store::v1::TeamRecord& team, absl::Time now);

// An update that carries a promise of its own, the team's answer to a wish or to a declined time: its acceptance arms it.
// Other updates speak of one that is armed.
bool IsOffer(const store::v1::DeliveryRecord& delivery);

// Whether its recipient may have it: it was accepted, is being sent, or a try's outcome is not known for sure.
bool MayHaveLeft(const store::v1::DeliveryRecord& delivery);

}  // namespace ringback::domain
