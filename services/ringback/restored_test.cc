#include "ringback/restored.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/domain/escalation.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"
#include "core/rpc/sign_in.h"
#include "core/store/every_record.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"

namespace ringback {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

const absl::Time kNow = absl::FromUnixSeconds(1795417200);  // a Monday, noon in Berlin

class RestoredTest : public ::testing::Test {
 protected:
  RestoredTest() : clock_(kNow), random_(NewSeededRandom(1)) {
    const std::string dir = ::testing::TempDir() + "/restored_test." + std::to_string(getpid());
    std::filesystem::remove_all(dir);
    std::filesystem::create_directories(dir);
    store_ = *store::OpenSqliteStore({.path = dir + "/ringback.db", .clock = &clock_, .random = random_.get()});
    team_ = domain::NewTeam(NewId(id_prefix::kTeam, 7, *random_), "Demo", "Europe/Berlin", "de", kNow);
    record::Member* const anna = team_.add_members();
    anna->set_id(NewId(id_prefix::kMember, 7, *random_));
    anna->set_name("Anna Schmidt");
    anna->set_email("anna@example.com");
    anna->set_role(record::Member::ROLE_REP);
    store::Commit commit = NewCommit();
    store::AddPut(*store::TeamKey(team_.id()), 0, team_, &commit);
    EXPECT_TRUE(store_->CommitOnce(commit).ok());
  }

  store::Commit NewCommit() {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
    return commit;
  }

  // A callback of Anna's with a voice message on its way; returns the message's id.
  std::string SendVoiceMessage() {
    domain::Request request;
    request.callback_id = NewId(id_prefix::kCallback, 7, *random_);
    request.caller.set_name("Herr Müller");
    request.caller.set_email("mueller@example.com");
    request.assignee_id = team_.members(0).id();
    request.page_token = NewSecret(id_prefix::kPage, 7, *random_);
    const domain::Actor actor{team_.members(0).id()};
    auto decision = *domain::Open(request, team_, actor, kNow);
    Commit(nullptr, 0, decision);
    domain::MakePromise promise;
    promise.promised_time = kNow + absl::Hours(2);
    promise.channel = record::PromiseRecord::CHANNEL_VOICE_MAIL;
    promise.recording_id = NewId(id_prefix::kRecording, 7, *random_);
    promise.recording_ready = true;
    const record::CallbackRecord before = decision.callback;
    const auto promised = domain::Apply(before, promise, team_, actor, kNow);
    EXPECT_TRUE(promised.ok()) << promised.status();
    Commit(&before, 1, *promised);
    for (const DeliveryRecord& delivery : promised->new_deliveries) {
      if (delivery.kind() == DeliveryRecord::KIND_VOICE_MESSAGE) return delivery.id();
    }
    ADD_FAILURE() << "no voice message was made";
    return "";
  }

  void Commit(const record::CallbackRecord* before, uint64_t version, const domain::Decision& decision) {
    store::Commit commit = NewCommit();
    store::AddDecision(before, version, decision, kNow, &commit);
    EXPECT_TRUE(store_->CommitOnce(commit).ok());
  }

  store::Loaded<DeliveryRecord> Delivery(const std::string& id) {
    return *store::Load<DeliveryRecord>(*store_, *store::DeliveryKey(id));
  }
  record::CallbackRecord Callback(const std::string& id) {
    return store::Load<record::CallbackRecord>(*store_, *store::CallbackKey(id))->message;
  }
  void Change(DeliveryRecord delivery, uint64_t version) {
    store::Commit commit = NewCommit();
    store::AddDelivery(delivery, version, &commit);
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<store::Store> store_;
  record::TeamRecord team_;
};

TEST_F(RestoredTest, AVoiceMessageOnItsWayIsNotSentAgainButAlarmsTheAssignee) {
  const std::string id = SendVoiceMessage();
  const auto settled = SettleRestored(*store_);
  ASSERT_TRUE(settled.ok()) << settled.status();
  EXPECT_EQ(settled->alarmed, 1);
  const DeliveryRecord message = Delivery(id).message;
  EXPECT_EQ(message.state(), DeliveryRecord::STATE_FAILED);
  EXPECT_EQ(message.dead_reason(), "restored from a backup; not known whether it was sent");
  const record::CallbackRecord callback = Callback(message.callback_id());
  EXPECT_FALSE(callback.delivery_alarm().empty());
  EXPECT_EQ(callback.promises(0).state(), record::PromiseRecord::STATE_NOT_DELIVERED);
  // What is due now are Anna's alarms (by desk and by mail), and nothing to the customer.
  const auto leases = *store_->ClaimDue(store::Stage::kDelivery, {.max = 10});
  EXPECT_FALSE(leases.empty());
  for (const store::Lease& lease : leases) {
    const DeliveryRecord alarm = Delivery(lease.key.id).message;
    EXPECT_EQ(alarm.kind(), DeliveryRecord::KIND_DELIVERY_ALARM);
    EXPECT_EQ(alarm.member_id(), team_.members(0).id());
  }
}

TEST_F(RestoredTest, AnOfferInAnswerToAWishIsAPromiseOnItsWayToo) {
  const std::string first = SendVoiceMessage();
  auto message = Delivery(first);
  const auto before = *store::Load<record::CallbackRecord>(*store_, *store::CallbackKey(message.message.callback_id()));
  const auto wished = domain::Apply(before.message, domain::CustomerPropose{kNow + absl::Hours(4)}, team_, {"", true}, kNow);
  ASSERT_TRUE(wished.ok()) << wished.status();
  const auto offered = domain::Apply(wished->callback, domain::AnswerProposal{kNow + absl::Hours(5)}, team_,
                                     {team_.members(0).id()}, kNow);
  ASSERT_TRUE(offered.ok()) << offered.status();
  Commit(&before.message, before.version, *offered);
  message.message.set_state(DeliveryRecord::STATE_WITHDRAWN);
  Change(message.message, message.version);
  EXPECT_EQ(SettleRestored(*store_)->alarmed, 1);
  EXPECT_EQ(Callback(before.message.id()).promises(1).state(), record::PromiseRecord::STATE_NOT_DELIVERED);
}

TEST_F(RestoredTest, AMessageFoundSendingIsTreatedTheSame) {
  const std::string id = SendVoiceMessage();
  auto delivery = Delivery(id);
  delivery.message.set_state(DeliveryRecord::STATE_SENDING);
  Change(delivery.message, delivery.version);
  EXPECT_EQ(SettleRestored(*store_)->alarmed, 1);
  EXPECT_EQ(Delivery(id).message.state(), DeliveryRecord::STATE_FAILED);
}

TEST_F(RestoredTest, WhatGoesToTheTeamIsWithdrawnAndTheNextTimerStays) {
  const std::string id = SendVoiceMessage();
  auto delivery = Delivery(id);
  const std::string callback_id = delivery.message.callback_id();
  delivery.message.set_kind(DeliveryRecord::KIND_ESCALATION);
  delivery.message.set_member_id(team_.members(0).id());
  Change(delivery.message, delivery.version);
  const auto settled = *SettleRestored(*store_);
  EXPECT_EQ(settled.alarmed, 0);
  EXPECT_EQ(settled.withdrawn, 1);
  EXPECT_EQ(Delivery(id).message.state(), DeliveryRecord::STATE_WITHDRAWN);
  EXPECT_TRUE(store_->ClaimDue(store::Stage::kDelivery, {.max = 10})->empty());
  const auto next = *store_->NextDue(store::Stage::kPromise);
  ASSERT_TRUE(next.has_value());  // law 1: an open callback always has a next timer
  EXPECT_EQ(*next, *domain::NextTimer(Callback(callback_id), team_, kNow));
}

TEST_F(RestoredTest, NobodyIsSignedInAndNoSignInIsUnderWay) {
  const std::string& member = team_.members(0).id();
  ASSERT_TRUE(rpc::MailSignIn(*store_, *random_, team_.id(), member).ok());
  store::Commit commit = NewCommit();
  const auto session = rpc::AddSession(*store_, *random_, team_.id(), member, "", kNow, kNow + absl::Hours(1), &commit);
  ASSERT_TRUE(session.ok() && store_->CommitOnce(commit).ok());
  ASSERT_TRUE(rpc::OpenSession(*store_, session->secret, kNow).ok());

  const auto settled = SettleRestored(*store_);
  ASSERT_TRUE(settled.ok()) << settled.status();
  EXPECT_FALSE(rpc::OpenSession(*store_, session->secret, kNow).ok()) << "signed out since, perhaps";
  for (const store::Kind kind : {store::Kind::kSession, store::Kind::kSignIn, store::Kind::kDelivery}) {
    EXPECT_TRUE(store::AllRecords(*store_, 7, kind)->empty());
  }
  EXPECT_TRUE(store_->ClaimDue(store::Stage::kDelivery, {.max = 10})->empty());
}

TEST_F(RestoredTest, WhatHadArrivedStaysAsItIs) {
  const std::string id = SendVoiceMessage();
  auto delivery = Delivery(id);
  delivery.message.set_state(DeliveryRecord::STATE_ACCEPTED);
  Change(delivery.message, delivery.version);
  const auto settled = *SettleRestored(*store_);
  EXPECT_EQ(settled.alarmed + settled.withdrawn, 0);
  EXPECT_EQ(Delivery(id).message.state(), DeliveryRecord::STATE_ACCEPTED);
}

}  // namespace
}  // namespace ringback
