#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using Stub = api::CallbackService::Stub;

class LogCallTest : public IngestTest {
 protected:
  api::LogCallRequest CallWith(const std::string& phone, api::AttemptOutcome outcome) {
    api::LogCallRequest request;
    request.set_request_id(NextRequestId());
    request.set_phone(phone);
    request.set_outcome(outcome);
    return request;
  }
  api::LogCallResponse Log(const api::LogCallRequest& request) {
    api::LogCallResponse response;
    const absl::Status status = Do(*callbacks_, &Stub::LogCall, request, &response, team_.intake_token);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
  void GiveExtension(const std::string& member, const std::string& extension) {
    api::UpdateMemberRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_member()->set_id(member);
    request.mutable_member()->add_extensions(extension);
    api::UpdateMemberResponse response;
    const absl::Status status =
        Do(*teams_, &api::TeamService::Stub::UpdateMember, request, &response, team_.admin_token);
    ASSERT_TRUE(status.ok()) << status;
  }
  std::map<std::string, std::string> LastEvent(const std::string& callback_id, std::string* author) {
    api::ListHistoryRequest request;
    request.set_callback_id(callback_id);
    api::ListHistoryResponse response;
    EXPECT_TRUE(Do(*callbacks_, &Stub::ListHistory, request, &response, team_.clara_token).ok());
    const api::HistoryEvent& last = response.events(response.events_size() - 1);
    *author = last.author();
    return {last.details().begin(), last.details().end()};
  }
};

TEST_F(LogCallTest, AConversationIsLoggedOnTheCallersOpenCallback) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const api::LogCallResponse logged = Log(CallWith("030/123456", api::ATTEMPT_OUTCOME_REACHED));
  EXPECT_TRUE(logged.logged());
  EXPECT_EQ(logged.callback_id(), callback.id());
  const api::Callback after = Get(callback.id());
  EXPECT_EQ(after.phase(), api::Callback::PHASE_TALKED);
  ASSERT_EQ(after.attempts_size(), 1);
  EXPECT_EQ(after.attempts(0).author(), team_.intake_token_id);
}

TEST_F(LogCallTest, WhoSpokeIsWhoHasTheExtensionAndTheHistoryKeepsWhoSaidSo) {
  GiveExtension(team_.ben, "22");
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  api::LogCallRequest request = CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED);
  request.set_extension("22");
  Log(request);
  EXPECT_EQ(Get(callback.id()).attempts(0).author(), team_.ben);
  std::string author;
  const auto details = LastEvent(callback.id(), &author);
  EXPECT_EQ(author, team_.intake_token_id);
  EXPECT_EQ(details.at("member_id"), team_.ben);
}

TEST_F(LogCallTest, ADialThatReachedNobodyBeforeThePromisedTimeStaysOnRecordAndSettlesNothing) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  api::MakePromiseRequest promise;
  promise.set_request_id(NextRequestId());
  promise.set_callback_id(callback.id());
  *promise.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(4));
  promise.set_channel(api::PROMISE_CHANNEL_SPOKEN);
  api::MakePromiseResponse promised;
  ASSERT_TRUE(Do(*callbacks_, &Stub::MakePromise, promise, &promised, team_.anna_token).ok());
  EXPECT_TRUE(Log(CallWith("+4930123456", api::ATTEMPT_OUTCOME_BUSY)).logged());
  api::Callback after = Get(callback.id());
  EXPECT_EQ(after.phase(), api::Callback::PHASE_PROMISED);
  EXPECT_EQ(after.attempts_size(), 1);
  host_->fake_clock().Advance(absl::Hours(4));
  Log(CallWith("+4930123456", api::ATTEMPT_OUTCOME_NO_ANSWER));
  after = Get(callback.id());
  EXPECT_EQ(after.phase(), api::Callback::PHASE_FOLLOW_UP);
  EXPECT_EQ(after.promises(0).verdict(), api::VERDICT_KEPT);
}

TEST_F(LogCallTest, ACallThatIsAboutNoCallbackIsNoError) {
  EXPECT_FALSE(Log(CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED)).logged());
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  api::LogCallRequest before = CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED);
  *before.mutable_called_time() = rpc::ToProto(Morning() - absl::Minutes(1));
  const api::LogCallResponse response = Log(before);
  EXPECT_FALSE(response.logged()) << "that call was before the customer asked";
  EXPECT_EQ(response.callback_id(), "");
  EXPECT_EQ(Get(callback.id()).attempts_size(), 0);
}

TEST_F(LogCallTest, ARepeatedReportIsOneAttempt) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const api::LogCallRequest request = CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED);
  EXPECT_EQ(Log(request).SerializeAsString(), Log(request).SerializeAsString());
  EXPECT_EQ(Get(callback.id()).attempts_size(), 1);
}

TEST_F(LogCallTest, AClockThatIsALittleAheadDoesNoHarmAndOneFarAheadIsRefused) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  api::LogCallRequest request = CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED);
  *request.mutable_called_time() = rpc::ToProto(Morning() + absl::Minutes(2));
  EXPECT_TRUE(Log(request).logged());
  EXPECT_EQ(rpc::FromProto(Get(callback.id()).attempts(0).called_time()), Morning());

  request.set_request_id(NextRequestId());
  *request.mutable_called_time() = rpc::ToProto(Morning() + absl::Hours(2));
  api::LogCallResponse response;
  const absl::Status status = Do(*callbacks_, &Stub::LogCall, request, &response, team_.intake_token);
  EXPECT_EQ(FieldOf(status), "called_time");
}

TEST_F(LogCallTest, BadInputNamesItsField) {
  api::LogCallResponse response;
  api::LogCallRequest request = CallWith("12 oder so", api::ATTEMPT_OUTCOME_REACHED);
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::LogCall, request, &response, team_.intake_token)), "phone");
  request = CallWith("+4930123456", api::ATTEMPT_OUTCOME_UNSPECIFIED);
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::LogCall, request, &response, team_.intake_token)), "outcome");
  request = CallWith("+4930123456", api::ATTEMPT_OUTCOME_REACHED);
  request.set_team_id(strangers_.id);
  EXPECT_TRUE(absl::IsPermissionDenied(Do(*callbacks_, &Stub::LogCall, request, &response, team_.intake_token)));
}

}  // namespace
}  // namespace ringback::ingest
