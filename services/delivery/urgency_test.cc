#include "delivery/urgency.h"

#include <gtest/gtest.h>

#include <tuple>

#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

using store::v1::CallbackRecord;
using store::v1::DeliveryRecord;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

TEST(Urgency, AlarmsAndRemindersThenTheNearestPromiseThenTheRest) {
  CallbackRecord callback;
  for (int i = 1; i <= 2; ++i) {
    auto* promise = callback.add_promises();
    promise->set_revision(i);
    *promise->mutable_promised_time() = rpc::ToProto(kNow + absl::Hours(i == 1 ? 7 : 4));
  }
  const auto at = [&](DeliveryRecord::Kind kind, const char* member, int revision, absl::Time created,
                      const char* what = "") {
    DeliveryRecord delivery;
    delivery.set_what(what);
    delivery.set_kind(kind);
    delivery.set_member_id(member);
    delivery.set_promise_revision(revision);
    *delivery.mutable_create_time() = rpc::ToProto(created);
    const Urgency urgency = UrgencyOf(delivery, callback);
    return std::make_tuple(urgency.rank, urgency.time);
  };
  const auto alarm = at(DeliveryRecord::KIND_ESCALATION, "mb07anna", 1, kNow);
  const auto reminder = at(DeliveryRecord::KIND_REMINDER, "mb07anna", 1, kNow + absl::Seconds(1));
  const auto at_four = at(DeliveryRecord::KIND_VOICE_MESSAGE, "", 2, kNow + absl::Seconds(2));
  const auto at_seven = at(DeliveryRecord::KIND_VOICE_MESSAGE, "", 1, kNow - absl::Hours(1));
  const auto handover = at(DeliveryRecord::KIND_HANDOVER, "mb07anna", 1, kNow - absl::Hours(2));
  EXPECT_LT(alarm, reminder);
  EXPECT_LT(reminder, at_four);
  EXPECT_LT(at_four, at_seven);
  EXPECT_LT(at_seven, handover);
  const auto wish = at(DeliveryRecord::KIND_NOTICE, "mb07anna", 1, kNow + absl::Seconds(1), "time_proposed");
  const auto closed = at(DeliveryRecord::KIND_NOTICE, "mb07anna", 1, kNow, "cancelled_without_attempt");
  const auto stands = at(DeliveryRecord::KIND_NOTICE, "mb07anna", 1, kNow + absl::Seconds(1), "time_stands");
  EXPECT_LT(wish, at_four) << "it endangers the promise";
  EXPECT_LT(stands, at_four) << "somebody believes that it does not count";
  EXPECT_LT(at_seven, closed);
}

}  // namespace
}  // namespace ringback::delivery
