#include "delivery/urgency.h"

#include "core/rpc/translate.h"

namespace ringback::delivery {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

Urgency UrgencyOf(const DeliveryRecord& delivery, const record::CallbackRecord& callback) {
  const absl::Time created = rpc::FromProto(delivery.create_time());
  switch (delivery.kind()) {
    case DeliveryRecord::KIND_SIGN_IN:  // somebody sits before the page and waits
    case DeliveryRecord::KIND_REMINDER:
    case DeliveryRecord::KIND_ESCALATION:
    case DeliveryRecord::KIND_DELIVERY_ALARM: return {0, created};
    case DeliveryRecord::KIND_NOTICE:
      if (delivery.what() == "time_proposed" || delivery.what() == "time_declined" || delivery.what() == "time_stands") {
        return {0, created};
      }
      break;
    default: break;
  }
  if (!delivery.member_id().empty()) return {2, created};
  for (const record::PromiseRecord& promise : callback.promises()) {
    if (promise.revision() == delivery.promise_revision()) return {1, rpc::FromProto(promise.promised_time())};
  }
  return {1, created};
}

}  // namespace ringback::delivery
