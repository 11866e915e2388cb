// Over the wire: what the customer wished is answered, what was called off comes back, and free times are listed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/change_callback.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

class CustomerCallsTest : public IngestTest {
 protected:
  CustomerCallsTest() {
    api::CreateCallbackRequest request = Mueller();
    request.set_assignee_id(team_.anna);
    id_ = Create(request, team_.anna_token).id();
  }

  absl::Time Now() { return host_->fake_clock().Now(); }
  void AsCustomer(const domain::Command& command, const store::AddToChange& also = {}) {
    const auto changed = store::ChangeCallback(
        host_->store(), *store::CallbackKey(id_), NextRequestId(),
        [&](const auto& callback, const auto& team, absl::Time now) {
          return domain::Apply(callback, command, team, domain::Actor{"", true}, now);
        },
        also);
    ASSERT_TRUE(changed.ok()) << changed.status();
  }
  void Promise(absl::Duration ahead) {
    api::MakePromiseRequest request;
    api::MakePromiseResponse response;
    request.set_request_id(NextRequestId());
    request.set_callback_id(id_);
    *request.mutable_promised_time() = rpc::ToProto(Now() + ahead);
    request.set_channel(api::PROMISE_CHANNEL_SPOKEN);
    const absl::Status status = Do(*callbacks_, &api::CallbackService::Stub::MakePromise, request, &response, team_.anna_token);
    ASSERT_TRUE(status.ok()) << status;
  }
  absl::Status Answer(std::optional<absl::Time> at, api::AnswerProposalResponse* response,
                      const std::string& request_id = "") {
    api::AnswerProposalRequest request;
    request.set_request_id(request_id.empty() ? NextRequestId() : request_id);
    request.set_callback_id(id_);
    if (at.has_value()) *request.mutable_promised_time() = rpc::ToProto(*at);
    return Do(*callbacks_, &api::CallbackService::Stub::AnswerProposal, request, response, team_.anna_token);
  }

  std::string id_;
};

TEST_F(CustomerCallsTest, AWishIsAcceptedOnceHoweverOftenItIsSent) {
  Promise(absl::Hours(2));
  AsCustomer(domain::CustomerTopic{record::TOPIC_QUESTION});
  AsCustomer(domain::CustomerPropose{Now() + absl::Hours(4)});
  EXPECT_EQ(rpc::FromProto(Get(id_).proposal().promised_time()), Now() + absl::Hours(4));
  EXPECT_EQ(Get(id_).topic(), api::TOPIC_QUESTION);
  api::AnswerProposalResponse response;
  ASSERT_TRUE(Answer(std::nullopt, &response, "same").ok());
  ASSERT_TRUE(Answer(std::nullopt, &response, "same").ok());
  ASSERT_EQ(response.callback().promises_size(), 2);
  EXPECT_EQ(response.callback().promises(0).verdict(), api::VERDICT_MOVED_BY_CUSTOMER);
  EXPECT_TRUE(response.callback().promises(1).has_agreed_time());
  EXPECT_FALSE(response.callback().has_proposal());
  EXPECT_EQ(Answer(std::nullopt, &response).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(CustomerCallsTest, AnOfferOfTheTeamsLeavesTheOldPromiseInForce) {
  Promise(absl::Hours(2));
  AsCustomer(domain::CustomerPropose{Now() + absl::Hours(4)});
  api::AnswerProposalResponse response;
  ASSERT_TRUE(Answer(Now() + absl::Hours(5), &response).ok());
  EXPECT_EQ(response.callback().promises(0).state(), api::Promise::STATE_ARMED);
  EXPECT_EQ(response.callback().promises(1).state(), api::Promise::STATE_PENDING);
}

TEST_F(CustomerCallsTest, AWishIsDeclined) {
  Promise(absl::Hours(2));
  AsCustomer(domain::CustomerPropose{Now() + absl::Hours(4)});
  api::DeclineProposalRequest request;
  api::DeclineProposalResponse response;
  request.set_request_id(NextRequestId());
  request.set_callback_id(id_);
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::DeclineProposal, request, &response, team_.clara_token).ok());
  EXPECT_FALSE(response.callback().has_proposal());
  EXPECT_EQ(response.callback().promises_size(), 1);
}

TEST_F(CustomerCallsTest, WhatIsReopenedIsNotPurged) {
  AsCustomer(domain::CustomerCallOff{});
  EXPECT_EQ(Get(id_).phase(), api::Callback::PHASE_CLOSED);
  api::ReopenCallbackRequest request;
  api::ReopenCallbackResponse response;
  request.set_request_id(NextRequestId());
  request.set_callback_id(id_);
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ReopenCallback, request, &response, team_.anna_token).ok());
  EXPECT_EQ(response.callback().phase(), api::Callback::PHASE_WAITING);
  host_->fake_clock().Advance(absl::Hours(24 * 40));
  const auto leases = host_->store().ClaimDue(store::Stage::kRetention, {.max = 100});
  ASSERT_TRUE(leases.ok());
  for (const store::Lease& lease : *leases) {
    EXPECT_NE(lease.key.id, id_);
  }
}

TEST_F(CustomerCallsTest, FreeTimesAreListedUpToTheCount) {
  api::ListSlotsRequest request;
  api::ListSlotsResponse response;
  request.set_callback_id(id_);
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.anna_token).ok());
  EXPECT_EQ(response.slots_size(), 12);
  EXPECT_GE(rpc::FromProto(response.slots(0)), Now() + absl::Minutes(30));
  request.set_count(-1);
  EXPECT_EQ(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.anna_token).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(CustomerCallsTest, FreeTimesOfAnUnassignedCallbackAreThoseOfWhoeverAsks) {
  api::ListSlotsRequest request;
  api::ListSlotsResponse response;
  api::CreateCallbackRequest unassigned = Mueller();
  unassigned.mutable_caller()->set_phone("+494099887766");
  unassigned.mutable_caller()->set_email("unassigned@example.com");
  request.set_callback_id(Create(unassigned, team_.intake_token).id());
  request.set_count(3);
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.anna_token).ok());
  const absl::Time first = rpc::FromProto(response.slots(0));
  Promise(first - Now());
  *request.mutable_earliest_time() = rpc::ToProto(first);
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.anna_token).ok());
  ASSERT_EQ(response.slots_size(), 3);
  EXPECT_EQ(rpc::FromProto(response.slots(0)), first + absl::Minutes(15)) << "Anna has promised the first";
  EXPECT_EQ(rpc::FromProto(response.slots(1)), first + absl::Minutes(30)) << "one after the other";
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.ben_token).ok());
  EXPECT_EQ(rpc::FromProto(response.slots(0)), first);
}

TEST_F(CustomerCallsTest, AfterAWrongPersonTheNextPromiseHasAPageOfItsOwn) {
  const std::string first = Get(id_).page_url();
  AsCustomer(domain::WrongPerson{}, [this](const auto& before, const auto&, store::Commit* commit) {
    return store::RevokePage(host_->store(), before, commit);
  });
  EXPECT_EQ(Get(id_).page_url(), "");
  EXPECT_EQ(Get(id_).delivery_alarm(), "wrong_person");
  Promise(absl::Hours(2));
  const std::string second = Get(id_).page_url();
  EXPECT_NE(second, "");
  EXPECT_NE(second, first);
  const auto token = store::Load<record::TokenRecord>(
      host_->store(), *store::PageTokenKey(second.substr(second.rfind('/') + 1)));
  ASSERT_TRUE(token.ok()) << token.status();
  EXPECT_EQ(token->message.callback_id(), id_);
  EXPECT_FALSE(token->message.revoked());
}

TEST_F(CustomerCallsTest, ListenedReportsAreForTheTeamsAdminsAndStandInItsHistory) {
  api::UpdateTeamRequest request;
  api::UpdateTeamResponse response;
  request.set_request_id(NextRequestId());
  request.mutable_team()->set_id(team_.id);
  request.mutable_team()->set_report_listened(true);
  request.mutable_team()->mutable_slot_length()->set_seconds(20 * 60);
  EXPECT_EQ(Do(*teams_, &api::TeamService::Stub::UpdateTeam, request, &response, operator_token_).code(),
            absl::StatusCode::kPermissionDenied);
  const absl::Status status = Do(*teams_, &api::TeamService::Stub::UpdateTeam, request, &response, team_.admin_token);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(response.team().report_listened());
  EXPECT_EQ(response.team().slot_length().seconds(), 20 * 60);
  EXPECT_EQ(response.team().history().rbegin()->what(), "report_listened_on");
  request.set_request_id(NextRequestId());
  request.mutable_team()->mutable_slot_length()->set_seconds(61);
  EXPECT_EQ(Do(*teams_, &api::TeamService::Stub::UpdateTeam, request, &response, team_.admin_token).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace ringback::ingest
