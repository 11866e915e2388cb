#include "delivery/retry.h"

#include <gtest/gtest.h>

#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

using store::v1::Channel;
using store::v1::DeliveryRecord;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

DeliveryRecord ToMember(std::initializer_list<Channel::Kind> channels) {
  DeliveryRecord delivery;
  delivery.set_member_id("mb07anna");
  for (const Channel::Kind kind : channels) delivery.add_channels()->set_kind(kind);
  return delivery;
}

void AddTry(DeliveryRecord* delivery, absl::Time at) {
  auto* made = delivery->add_tries();
  made->set_channel(delivery->channel());
  *made->mutable_time() = rpc::ToProto(at);
}

SendOutcome Outcome(SendResult result) {
  SendOutcome outcome;
  outcome.result = result;
  return outcome;
}

TEST(After, AcceptedIsDone) {
  DeliveryRecord delivery = ToMember({Channel::KIND_MAIL});
  AddTry(&delivery, kNow);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kAccepted), kNow, 0.5, 5).kind, NextStep::Kind::kDone);
}

TEST(After, ARefusalFiresTheNextChannelAndBehindTheLastItFailed) {
  DeliveryRecord delivery = ToMember({Channel::KIND_MAIL, Channel::KIND_WEBHOOK});
  AddTry(&delivery, kNow);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kPermanent), kNow, 0.5, 5).kind, NextStep::Kind::kNextChannel);
  delivery.set_channel(1);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kPermanent), kNow, 0.5, 5).kind, NextStep::Kind::kFailed);
}

TEST(After, PausesDoubleUpToFiveMinutes) {
  DeliveryRecord delivery = ToMember({Channel::KIND_MAIL});
  absl::Duration before = absl::ZeroDuration();
  for (int i = 0; i < 12; ++i) {
    AddTry(&delivery, kNow);
    const NextStep next = After(delivery, Outcome(SendResult::kTemporary), kNow, 0.5, 100);
    ASSERT_EQ(next.kind, NextStep::Kind::kAgain);
    const absl::Duration pause = next.when - kNow;
    EXPECT_GE(pause, before);
    EXPECT_LE(pause, absl::Minutes(5));
    before = pause;
  }
  EXPECT_EQ(before, absl::Minutes(5));
}

TEST(After, TheOtherSidesWishIsHonoured) {
  DeliveryRecord delivery = ToMember({Channel::KIND_MAIL});
  AddTry(&delivery, kNow);
  SendOutcome outcome = Outcome(SendResult::kTemporary);
  outcome.retry_after = absl::Seconds(90);
  EXPECT_EQ(After(delivery, outcome, kNow, 0.5, 5).when, kNow + absl::Seconds(90));
}

TEST(After, NearTheStakeItIsTriedAgainBefore) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  *delivery.mutable_stake_time() = rpc::ToProto(kNow + absl::Seconds(20));
  for (int i = 0; i < 9; ++i) AddTry(&delivery, kNow);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), kNow, 0.5, 100).when, kNow + absl::Seconds(10));
}

TEST(After, AMemberIsToldByAnotherChannelAfterAMinuteButTheDeskIsTheLastResort) {
  DeliveryRecord webhook_next = ToMember({Channel::KIND_MAIL, Channel::KIND_WEBHOOK});
  AddTry(&webhook_next, kNow - absl::Minutes(1));
  AddTry(&webhook_next, kNow);
  EXPECT_EQ(After(webhook_next, Outcome(SendResult::kTemporary), kNow, 0.5, 9).kind, NextStep::Kind::kNextChannel);

  DeliveryRecord desk_next = ToMember({Channel::KIND_MAIL, Channel::KIND_DESK});
  AddTry(&desk_next, kNow - absl::Minutes(1));
  AddTry(&desk_next, kNow);
  EXPECT_EQ(After(desk_next, Outcome(SendResult::kTemporary), kNow, 0.5, 9).kind, NextStep::Kind::kAgain);
  EXPECT_EQ(After(desk_next, Outcome(SendResult::kTemporary), kNow, 0.5, 2).kind, NextStep::Kind::kNextChannel);
}

TEST(After, ACustomersMessageFailsWhenItsTriesAreUsedUp) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  for (int i = 0; i < 3; ++i) AddTry(&delivery, kNow);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kUnknown), kNow, 0.5, 3).kind, NextStep::Kind::kFailed);
}

}  // namespace
}  // namespace ringback::delivery
