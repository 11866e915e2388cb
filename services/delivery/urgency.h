// Which of several messages leaves first when a transport's rate limit holds them up. Pure.
#pragma once

#include "delivery/rate_limit.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::delivery {

// Alarms, reminders and what a customer said against the promised time first, oldest first; then what goes to customers, nearest promised time first; then the rest.
Urgency UrgencyOf(const store::v1::DeliveryRecord& delivery, const store::v1::CallbackRecord& callback);

}  // namespace ringback::delivery
