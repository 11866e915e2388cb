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

TEST(After, BeforeThePromiseIsAtStakeNoNumberOfTriesEndsIt) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  const absl::Time stake = kNow + absl::Hours(7);
  *delivery.mutable_stake_time() = rpc::ToProto(stake);
  for (int i = 0; i < 80; ++i) AddTry(&delivery, kNow + absl::Minutes(5) * i);
  const absl::Time late = kNow + absl::Hours(6) + absl::Minutes(50);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), late, 0.5, 12).kind, NextStep::Kind::kAgain);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kUnknown), late, 0.5, 12).kind, NextStep::Kind::kAgain);
  // From the stake on they count.
  for (int i = 0; i < 11; ++i) AddTry(&delivery, stake + absl::Minutes(i));
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), stake + absl::Minutes(11), 0.5, 12).kind,
            NextStep::Kind::kAgain);
  AddTry(&delivery, stake + absl::Minutes(12));
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), stake + absl::Minutes(12), 0.5, 12).kind,
            NextStep::Kind::kFailed);
}

TEST(After, ARecordThatIsTriedForDaysStaysSmall) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  const absl::Time stake = kNow + absl::Hours(24);
  *delivery.mutable_stake_time() = rpc::ToProto(stake);
  for (int i = 0; i < 200; ++i) {
    AddTry(&delivery, kNow + absl::Minutes(5) * i);
    ForgetMiddleTries(&delivery, kNow + absl::Minutes(5) * i);
  }
  ASSERT_EQ(delivery.tries_size(), 50);
  EXPECT_EQ(rpc::FromProto(delivery.tries(0).time()), kNow);
  EXPECT_EQ(rpc::FromProto(delivery.tries(49).time()), kNow + absl::Minutes(5) * 199);
  // Those that count are all kept.
  for (int i = 0; i < 100; ++i) AddTry(&delivery, stake);
  ForgetMiddleTries(&delivery, stake);
  EXPECT_EQ(delivery.tries_size(), 150);
}

TEST(After, ACustomersNextChannelFiresWhenThePromiseIsAtStake) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  delivery.add_channels()->set_kind(Channel::KIND_SMS);
  *delivery.mutable_stake_time() = rpc::ToProto(kNow);
  AddTry(&delivery, kNow - absl::Hours(1));
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), kNow - absl::Hours(1), 0.5, 12).kind, NextStep::Kind::kAgain);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kTemporary), kNow, 0.5, 12).kind, NextStep::Kind::kNextChannel);
}

TEST(After, TriesBeforeADeadLetterWasRetriedCountNoMore) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  for (int i = 0; i < 12; ++i) AddTry(&delivery, kNow - absl::Hours(1));
  delivery.set_tries_set_aside(12);
  AddTry(&delivery, kNow);
  const NextStep next = After(delivery, Outcome(SendResult::kTemporary), kNow, 0.5, 12);
  EXPECT_EQ(next.kind, NextStep::Kind::kAgain);
  EXPECT_EQ(next.when, kNow + absl::Seconds(2)) << "as after the first";
}

TEST(After, ACustomersMessageFailsWhenItsTriesAreUsedUp) {
  DeliveryRecord delivery;
  delivery.add_channels()->set_kind(Channel::KIND_MAIL);
  for (int i = 0; i < 3; ++i) AddTry(&delivery, kNow);
  EXPECT_EQ(After(delivery, Outcome(SendResult::kUnknown), kNow, 0.5, 3).kind, NextStep::Kind::kFailed);
}

}  // namespace
}  // namespace ringback::delivery
