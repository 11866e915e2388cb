// What fails is told, once and as long as it is true: workers handed their leases one by one, over the room's services.
#include <algorithm>

#include "core/domain/deliveries.h"
#include "delivery/delivery_rpc.h"
#include "ingest/ingest_fixture.h"
#include "reminder/app.h"
#include "ringback/v1/delivery_service.grpc.pb.h"
#include "transcode/app.h"

namespace ringback::ingest {
namespace {

class FailuresTest : public IngestTest {
 protected:
  FailuresTest()
      : IngestTest([](runtime::Host& host) {
          static_cast<TestHost&>(host).mutable_config().codec_path = "/bin/true";  // never run here
          EXPECT_TRUE(transcode::RunTranscode(host).ok());
          EXPECT_TRUE(reminder::RunReminder(host).ok());
          host.AddRpcService(delivery::NewDeliveryRpc(host));
        }),
        deliveries_(api::DeliveryService::NewStub(channel_)) {}

  store::Lease Claim(const store::DueKey& key) {
    auto lease = host_->store().Claim(key, absl::Seconds(30));
    EXPECT_TRUE(lease.ok()) << lease.status();
    return lease.ok() ? *lease : store::Lease();
  }
  store::Lease ClaimTimer(const std::string& callback_id) {
    return Claim(store::DueKey{store::Stage::kPromise, team_.shard, team_.id, callback_id});
  }
  record::CallbackRecord Record(const std::string& callback_id) {
    return store::Load<record::CallbackRecord>(host_->store(), *store::CallbackKey(callback_id)).value().message;
  }
  std::vector<std::string> Dead() {
    api::ListDeadLettersResponse list;
    EXPECT_TRUE(Do(*deliveries_, &api::DeliveryService::Stub::ListDeadLetters, api::ListDeadLettersRequest(), &list,
                   team_.clara_token).ok());
    std::vector<std::string> ids;
    for (const auto& dead : list.dead_letters()) ids.push_back(dead.id());
    return ids;
  }
  absl::Status GetDead(const std::string& id) {
    api::GetDeadLetterRequest request;
    request.set_id(id);
    api::GetDeadLetterResponse response;
    return Do(*deliveries_, &api::DeliveryService::Stub::GetDeadLetter, request, &response, team_.clara_token);
  }
  size_t DeadMembers() {
    const store::IndexKey index{team_.shard, team_.id, std::string(store::index::kDead)};
    return host_->store().Scan(index, "", "", store::Page{}).value().members.size();
  }
  // A timer whose handler failed over and over, `times` hours in a row.
  void LetTimerDie(const std::string& callback_id, int times) {
    host_->fake_clock().Set(std::max(host_->fake_clock().Now(), rpc::FromProto(Record(callback_id).next_timer_time())));
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(host_->worker("promise").DeadLetter(ClaimTimer(callback_id), "the disk is full").ok());
      host_->fake_clock().Advance(absl::Hours(1));
    }
  }

  std::unique_ptr<api::DeliveryService::Stub> deliveries_;
};

TEST_F(FailuresTest, ATimerThatDoesNotFireIsListedOnceUntilItDoes) {
  const std::string id = Create(Mueller(), team_.anna_token).id();
  EXPECT_TRUE(absl::IsNotFound(GetDead(id)));
  LetTimerDie(id, 3);
  EXPECT_THAT(Dead(), testing::ElementsAre(id));
  EXPECT_EQ(DeadMembers(), 1u);
  EXPECT_TRUE(GetDead(id).ok());
  ASSERT_TRUE(host_->worker("promise").Handle({ClaimTimer(id), nullptr}).ok());
  EXPECT_THAT(Dead(), testing::IsEmpty());
  EXPECT_EQ(DeadMembers(), 0u);
  EXPECT_TRUE(absl::IsNotFound(GetDead(id)));
}

TEST_F(FailuresTest, ADeadTimersRetryAndErasureTakeItFromTheList) {
  const std::string retried = Create(Mueller(), team_.anna_token).id();
  LetTimerDie(retried, 2);
  api::RetryDeadLetterRequest retry;
  retry.set_request_id(NextRequestId());
  retry.set_id(retried);
  api::RetryDeadLetterResponse response;
  const absl::Status status =
      Do(*deliveries_, &api::DeliveryService::Stub::RetryDeadLetter, retry, &response, team_.clara_token);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(DeadMembers(), 0u);
  LetTimerDie(retried, 2);
  EXPECT_EQ(DeadMembers(), 1u);
  api::EraseSubjectRequest erase;
  erase.set_request_id(NextRequestId());
  erase.set_who(retried);
  api::EraseSubjectResponse erased;
  ASSERT_TRUE(Do(*contacts_, &api::ContactService::Stub::EraseSubject, erase, &erased, team_.admin_token).ok());
  EXPECT_EQ(DeadMembers(), 0u);
}

// The customer has the link already and will find nothing behind it.
TEST_F(FailuresTest, ASharedLinksRecordingThatFailsAlarmsTheRep) {
  const std::string id = Create(Mueller(), team_.anna_token).id();
  const std::string take = UploadTake("voice", id).id();
  api::MakePromiseRequest promise;
  promise.set_request_id(NextRequestId());
  promise.set_callback_id(id);
  promise.set_channel(api::PROMISE_CHANNEL_LINK_SHARED);
  promise.set_recording_id(take);
  *promise.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(4));
  api::MakePromiseResponse promised;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token).ok());
  ASSERT_EQ(promised.callback().promises(0).state(), api::Promise::STATE_ARMED);
  const int deliveries = Record(id).delivery_count();

  const auto lease = Claim(store::DueKey{store::Stage::kTranscode, team_.shard, team_.id, take});
  ASSERT_TRUE(host_->worker("transcode").DeadLetter(lease, "the take is no audio").ok());
  EXPECT_THAT(Record(id).delivery_alarm(), testing::HasSubstr("recording_failed"));
  ASSERT_GT(Record(id).delivery_count(), deliveries);
  const auto alarm = store::Load<record::DeliveryRecord>(
      host_->store(), *store::DeliveryKey(domain::DeliveryId(id, deliveries + 1)));
  ASSERT_TRUE(alarm.ok());
  EXPECT_EQ(alarm->message.kind(), record::DeliveryRecord::KIND_DELIVERY_ALARM);
  EXPECT_EQ(alarm->message.member_id(), team_.anna);
  EXPECT_EQ(Record(id).promises(0).state(), record::PromiseRecord::STATE_ARMED) << "the time was told";
}

TEST_F(FailuresTest, ARecordingThatNoPromiseSpeaksWithLeavesTheCallbackAlone) {
  const std::string id = Create(Mueller(), team_.anna_token).id();
  const std::string take = UploadTake("voice", id).id();
  const std::string before = Record(id).SerializeAsString();
  const auto lease = Claim(store::DueKey{store::Stage::kTranscode, team_.shard, team_.id, take});
  ASSERT_TRUE(host_->worker("transcode").DeadLetter(lease, "the take is no audio").ok());
  EXPECT_EQ(Record(id).SerializeAsString(), before);
}

}  // namespace
}  // namespace ringback::ingest
