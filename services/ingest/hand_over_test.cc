// Hand-overs through the service: who gets what is held in core/domain/hand_over_test.cc.
#include "core/domain/deliveries.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HandOverTest : public IngestTest {
 protected:
  api::CreateCallbackRequest Caller(int n) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_phone("030 12345" + std::to_string(n));
    request.mutable_caller()->set_email("c" + std::to_string(n) + "@example.com");
    return request;
  }
  // Promised `hours` from now.
  std::string Promised(int n, const std::string& assignee, int hours) {
    api::CreateCallbackRequest request = Caller(n);
    request.set_assignee_id(assignee);
    const std::string id = Create(request, team_.clara_token).id();
    api::MakePromiseRequest promise;
    promise.set_request_id(NextRequestId());
    promise.set_callback_id(id);
    promise.set_channel(api::PROMISE_CHANNEL_SPOKEN);
    promise.set_confirm(true);
    *promise.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + absl::Hours(hours));
    api::MakePromiseResponse response;
    EXPECT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &response, team_.clara_token).ok());
    return id;
  }
  api::HandOverMemberRequest Request(const std::string& member, const std::vector<std::string>& to = {}) {
    api::HandOverMemberRequest request;
    request.set_request_id(NextRequestId());
    request.set_member_id(member);
    for (const std::string& id : to) request.add_to_member_ids(id);
    return request;
  }
  absl::Status HandOver(const api::HandOverMemberRequest& request, api::HandOverMemberResponse* response,
                        const std::string& token = "") {
    return Do(*teams_, &api::TeamService::Stub::HandOverMember, request, response, token.empty() ? team_.clara_token : token);
  }
  // "cb07… to mb07…" as the answer lists them.
  static std::vector<std::pair<std::string, std::string>> Of(const api::HandOverMemberResponse& response) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const auto& one : response.handed_over()) all.emplace_back(one.callback_id(), one.member_id());
    return all;
  }
};

TEST_F(HandOverTest, SickTodayGivesEverythingToTheSubstituteAndNotesTheAbsence) {
  const auto late = Promised(1, team_.anna, 6), soon = Promised(2, team_.anna, 2), bens = Promised(3, team_.ben, 3);
  api::HandOverMemberRequest request = Request(team_.anna);
  *request.mutable_away_until() = rpc::ToProto(Morning() + absl::Hours(24));
  api::HandOverMemberResponse response, repeated;
  ASSERT_TRUE(HandOver(request, &response).ok());
  EXPECT_THAT(Of(response), ElementsAre(std::pair(soon, team_.ben), std::pair(late, team_.ben)));
  EXPECT_FALSE(response.more());
  ASSERT_TRUE(HandOver(request, &repeated).ok());
  EXPECT_EQ(repeated.SerializeAsString(), response.SerializeAsString());
  EXPECT_EQ(Get(soon).assignee_id(), team_.ben);

  const auto team = store::Load<record::TeamRecord>(host_->store(), store::TeamKey(team_.id).value()).value().message;
  ASSERT_EQ(team.members(0).absences_size(), 1);
  EXPECT_EQ(rpc::FromProto(team.members(0).absences(0).start_time()), Morning());
  EXPECT_EQ(rpc::FromProto(team.members(0).absences(0).end_time()), Morning() + absl::Hours(24));

  // Each as AssignCallback does it: who did it, the customer told who calls instead, and the new assignee.
  api::ListHistoryRequest list;
  list.set_callback_id(soon);
  api::ListHistoryResponse history;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListHistory, list, &history, team_.clara_token).ok());
  const auto& last = *history.events().rbegin();
  EXPECT_EQ(last.what(), "assigned");
  EXPECT_EQ(last.author(), team_.clara);
  EXPECT_EQ(last.details().at("from"), team_.anna);
  const auto message = [&](int n) {
    return store::Load<record::DeliveryRecord>(host_->store(), store::DeliveryKey(domain::DeliveryId(soon, n)).value())
        .value().message;
  };
  EXPECT_EQ(message(2).kind(), record::DeliveryRecord::KIND_HANDOVER);
  EXPECT_EQ(message(2).member_id(), team_.ben);
  EXPECT_EQ(message(3).kind(), record::DeliveryRecord::KIND_PROMISE_UPDATE);
  EXPECT_EQ(message(3).what(), "other_caller");
}

TEST_F(HandOverTest, SeveralShareByWhatTheyHavePlanned) {
  const auto at2 = Promised(1, team_.anna, 2), at2too = Promised(2, team_.anna, 2), at6 = Promised(3, team_.anna, 6);
  Promised(4, team_.ben, 6);
  Promised(5, team_.ben, 20);
  api::HandOverMemberResponse response;
  ASSERT_TRUE(HandOver(Request(team_.anna, {team_.ben, team_.clara}), &response).ok());
  ASSERT_EQ(response.handed_over_size(), 3);
  EXPECT_NE(Get(at2).assignee_id(), Get(at2too).assignee_id()) << "not both at one time to one of them";
  EXPECT_EQ(Get(at6).assignee_id(), team_.clara) << "Ben has a call then";
}

TEST_F(HandOverTest, SomeGoAndComeBack) {
  const auto one = Promised(1, team_.anna, 2), other = Promised(2, team_.anna, 3);
  api::HandOverMemberRequest some = Request(team_.anna, {team_.ben});
  some.add_callback_ids(other);
  api::HandOverMemberResponse response;
  ASSERT_TRUE(HandOver(some, &response).ok());
  EXPECT_THAT(Of(response), ElementsAre(std::pair(other, team_.ben)));
  EXPECT_EQ(Get(one).assignee_id(), team_.anna);
  // The way back: what is not Ben's is passed over.
  api::HandOverMemberRequest back = Request(team_.ben, {team_.anna});
  back.add_callback_ids(one);
  back.add_callback_ids(other);
  ASSERT_TRUE(HandOver(back, &response).ok());
  EXPECT_THAT(Of(response), ElementsAre(std::pair(other, team_.anna)));
  EXPECT_EQ(Get(other).assignee_id(), team_.anna);
}

TEST_F(HandOverTest, WhatChangesInTheSameMomentIsDecidedAgain) {
  const auto id = Promised(1, team_.anna, 2);
  host_->racing().BeforeNextCommit([&] {
    api::StartCallRequest call;
    call.set_request_id("racing");
    call.set_callback_id(id);
    api::StartCallResponse response;
    ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::StartCall, call, &response, team_.anna_token).ok());
  });
  api::HandOverMemberResponse response;
  ASSERT_TRUE(HandOver(Request(team_.anna), &response).ok());
  EXPECT_THAT(Of(response), ElementsAre(std::pair(id, team_.ben)));
  EXPECT_EQ(Get(id).assignee_id(), team_.ben);
}

TEST_F(HandOverTest, WhatIsTooMuchForOneCallSaysThatThereIsMore) {
  const auto team = store::Load<record::TeamRecord>(host_->store(), store::TeamKey(team_.id).value()).value().message;
  store::Commit commit;
  commit.shard = team_.shard;
  commit.commit_id = "many";
  for (int i = 0; i < 501; ++i) {
    domain::Request request;
    request.callback_id = NewId(id_prefix::kCallback, team_.shard, host_->random());
    request.caller.set_name("Jemand");
    request.assignee_id = team_.anna;
    store::AddDecision(nullptr, 0, domain::Open(request, team, domain::Actor{team_.clara}, Morning()).value(), Morning(), &commit);
  }
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  api::HandOverMemberResponse response;
  ASSERT_TRUE(HandOver(Request(team_.anna), &response).ok());
  EXPECT_EQ(response.handed_over_size(), 500);
  EXPECT_TRUE(response.more());
  ASSERT_TRUE(HandOver(Request(team_.anna), &response).ok());
  EXPECT_EQ(response.handed_over_size(), 1);
  EXPECT_FALSE(response.more());
}

TEST_F(HandOverTest, WhoHasNothingHandsNothingOver) {
  api::HandOverMemberResponse response;
  ASSERT_TRUE(HandOver(Request(team_.anna), &response).ok());
  EXPECT_THAT(Of(response), IsEmpty());
  EXPECT_FALSE(response.more());
}

TEST_F(HandOverTest, BadRequestsNameTheirFieldAndChangeNothing) {
  const auto id = Promised(1, team_.anna, 2);
  api::HandOverMemberResponse response;
  EXPECT_EQ(FieldOf(HandOver(Request("nobody"), &response)), "member_id");
  EXPECT_EQ(HandOver(Request(strangers_.anna), &response).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FieldOf(HandOver(Request(team_.anna, {strangers_.ben}), &response)), "to_member_ids[0]");
  EXPECT_EQ(FieldOf(HandOver(Request(team_.anna, {team_.ben, team_.anna}), &response)), "to_member_ids[1]");
  EXPECT_EQ(FieldOf(HandOver(Request(team_.anna, {team_.ben, team_.ben}), &response)), "to_member_ids[1]");
  api::HandOverMemberRequest past = Request(team_.anna);
  *past.mutable_away_until() = rpc::ToProto(Morning());
  EXPECT_EQ(FieldOf(HandOver(past, &response)), "away_until");
  api::HandOverMemberRequest strange = Request(team_.anna);
  strange.add_callback_ids("x");
  EXPECT_EQ(FieldOf(HandOver(strange, &response)), "callback_ids[0]");
  EXPECT_EQ(HandOver(Request(team_.anna), &response, team_.ben_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Get(id).assignee_id(), team_.anna);
}

}  // namespace
}  // namespace ringback::ingest
