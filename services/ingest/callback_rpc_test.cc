#include <thread>

#include "core/domain/deliveries.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using Stub = api::CallbackService::Stub;

class CallbackRpcTest : public IngestTest {
 protected:
  api::MakePromiseRequest Promise(const std::string& callback_id, absl::Duration from_now, api::PromiseChannel channel) {
    api::MakePromiseRequest request;
    request.set_request_id(NextRequestId());
    request.set_callback_id(callback_id);
    *request.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + from_now);
    request.set_channel(channel);
    return request;
  }
  absl::Status MakePromise(const api::MakePromiseRequest& request, api::MakePromiseResponse* response) {
    return Do(*callbacks_, &Stub::MakePromise, request, response, team_.anna_token);
  }
  record::DeliveryRecord Delivery(const api::Callback& callback, int n) {
    const auto key = store::DeliveryKey(domain::DeliveryId(callback.id(), n)).value();
    auto delivery = store::Load<record::DeliveryRecord>(host_->store(), key);
    EXPECT_TRUE(delivery.ok()) << delivery.status();
    return delivery.ok() ? delivery->message : record::DeliveryRecord();
  }
  api::ListCallbacksResponse List(const api::ListCallbacksRequest& request) {
    api::ListCallbacksResponse response;
    const absl::Status status = Do(*callbacks_, &Stub::ListCallbacks, request, &response, team_.clara_token);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  }
};

TEST_F(CallbackRpcTest, ACallerComesInAndIsFoundWhole) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  const api::Callback found = Get(made.id());
  EXPECT_EQ(found.SerializeAsString(), made.SerializeAsString());
  EXPECT_EQ(found.caller().phone(), "+4930123456");
  EXPECT_EQ(found.caller().email(), "mueller@example.com");
  EXPECT_EQ(found.assignee_id(), team_.anna);
  EXPECT_EQ(found.assignee_name(), "Anna");
  EXPECT_EQ(found.phase(), api::Callback::PHASE_WAITING);
  EXPECT_THAT(found.page_url(), testing::StartsWith("https://calls.example.com/m/pg07"));
  EXPECT_TRUE(found.has_next_timer_time());
}

TEST_F(CallbackRpcTest, TheSameCallerRingsAgainOnTheOpenCallback) {
  const api::Callback first = Create(Mueller(), team_.clara_token);
  EXPECT_EQ(first.assignee_id(), "") << "a manager takes in for the team";
  api::CreateCallbackRequest again;
  again.set_request_id(NextRequestId());
  again.mutable_caller()->set_phone("+49 30 123456");
  again.set_note("zum zweiten Mal");
  api::CreateCallbackResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CreateCallback, again, &response, team_.clara_token).ok());
  EXPECT_TRUE(response.rang_again());
  EXPECT_EQ(response.callback().id(), first.id());
  EXPECT_EQ(response.callback().rings(), 2);
  EXPECT_EQ(response.callback().caller().name(), "Herr Müller");
}

TEST_F(CallbackRpcTest, WhoRingsAgainMayLeaveTheAddressThatWasMissing) {
  api::CreateCallbackRequest bare;
  bare.set_request_id(NextRequestId());
  bare.mutable_caller()->set_phone("030 123456");
  const api::Callback first = Create(bare, team_.anna_token);
  const api::Callback again = Create(Mueller(), team_.anna_token);
  EXPECT_EQ(again.id(), first.id());
  EXPECT_EQ(again.caller().email(), "mueller@example.com");
  EXPECT_EQ(again.caller().name(), "Herr Müller");
}

TEST_F(CallbackRpcTest, TwoTelephoneLinesAtOnceMakeOneCallback) {
  std::vector<std::string> ids(8);
  std::vector<api::CreateCallbackRequest> requests;
  for (size_t i = 0; i < ids.size(); ++i) requests.push_back(Mueller());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < ids.size(); ++i) {
    threads.emplace_back([&, i] {
      api::CreateCallbackResponse response;
      grpc::ClientContext context;
      Identify(context, team_.intake_token);
      if (callbacks_->CreateCallback(&context, requests[i], &response).ok()) ids[i] = response.callback().id();
    });
  }
  for (auto& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_NE(ids[0], "");
  EXPECT_EQ(List({}).callbacks_size(), 1);
}

TEST_F(CallbackRpcTest, AnExtensionSaysWhoOwesTheCallOrWhoStandsIn) {
  const auto has = [&](const std::string& member, const std::string& extension) {
    api::UpdateMemberRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_member()->set_id(member);
    request.mutable_member()->add_extensions(extension);
    api::UpdateMemberResponse response;
    ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::UpdateMember, request, &response, team_.admin_token).ok());
  };
  has(team_.anna, "21");
  const auto called = [&](const std::string& phone, const std::string& extension) {
    api::CreateCallbackRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_caller()->set_phone(phone);
    request.set_extension(extension);
    return Get(Create(request, team_.intake_token).id());
  };
  EXPECT_EQ(called("030 1111111", "21").assignee_id(), team_.anna);
  EXPECT_EQ(called("030 2222222", "99").assignee_id(), "") << "nobody's extension means nothing";

  api::SetAbsenceRequest away;
  away.set_request_id(NextRequestId());
  away.set_member_id(team_.anna);
  *away.add_absences()->mutable_start_time() = rpc::ToProto(Morning() - absl::Hours(1));
  *away.mutable_absences(0)->mutable_end_time() = rpc::ToProto(Morning() + absl::Hours(1));
  api::SetAbsenceResponse absent;
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::SetAbsence, away, &absent, team_.clara_token).ok());
  EXPECT_EQ(called("030 3333333", "21").assignee_id(), team_.ben);
  EXPECT_EQ(called("030 1111111", "99").assignee_id(), team_.anna) << "a ring gives an open callback to nobody else";
}

TEST_F(CallbackRpcTest, ARingThatIsReportedTwiceCountsOnce) {
  api::CreateCallbackRequest ring;
  ring.mutable_caller()->set_phone("030 123456");
  ring.mutable_same_ring_within()->set_seconds(60);
  const auto report = [&] {
    ring.set_request_id(NextRequestId());
    api::CreateCallbackResponse response;
    const absl::Status status = Do(*callbacks_, &Stub::CreateCallback, ring, &response, team_.intake_token);
    EXPECT_TRUE(status.ok()) << status;
    return response;
  };
  const std::string id = report().callback().id();
  host_->fake_clock().Advance(absl::Seconds(59));
  ring.mutable_caller()->set_email("mueller@example.com");
  const api::CreateCallbackResponse same = report();
  EXPECT_EQ(same.callback().id(), id);
  EXPECT_TRUE(same.same_ring());
  EXPECT_FALSE(same.rang_again());
  EXPECT_EQ(Get(id).rings(), 1);
  EXPECT_EQ(Get(id).caller().email(), "mueller@example.com") << "what it brings is not lost";

  host_->fake_clock().Advance(absl::Seconds(2));
  EXPECT_TRUE(report().rang_again()) << "61 s after the ring";
  ring.set_note("dringend");
  EXPECT_TRUE(report().rang_again()) << "somebody wrote that";
  EXPECT_EQ(Get(id).rings(), 3);
}

TEST_F(CallbackRpcTest, ARingThatIsReportedLateCountsByWhenItWas) {
  api::CreateCallbackRequest ring = Mueller();
  ring.mutable_same_ring_within()->set_seconds(60);
  *ring.mutable_ring_time() = rpc::ToProto(Morning() - absl::Minutes(10));
  const std::string id = Create(ring, team_.intake_token).id();
  api::ListHistoryRequest list;
  list.set_callback_id(id);
  api::ListHistoryResponse history;
  ASSERT_TRUE(Do(*callbacks_, &Stub::ListHistory, list, &history, team_.clara_token).ok());
  EXPECT_EQ(history.events(0).details().at("ring_time"), "2026-11-24T07:50:00Z");
  ring.set_request_id(NextRequestId());
  ring.clear_ring_time();
  api::CreateCallbackResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CreateCallback, ring, &response, team_.intake_token).ok());
  EXPECT_TRUE(response.rang_again());

  ring.set_request_id(NextRequestId());
  *ring.mutable_ring_time() = rpc::ToProto(Morning() + absl::Hours(1));
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::CreateCallback, ring, &response, team_.intake_token)), "ring_time");
  ring.clear_ring_time();
  ring.mutable_same_ring_within()->set_seconds(7200);
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::CreateCallback, ring, &response, team_.intake_token)), "same_ring_within");
}

TEST_F(CallbackRpcTest, ValidatingShowsTheCallbackAsItWouldBeAndChangesNothing) {
  api::CreateCallbackRequest request = Mueller();
  request.clear_request_id();
  request.set_validate_only(true);
  request.set_assignee_id(team_.ben);
  api::CreateCallbackResponse response;
  const auto validate = [&] {
    response.Clear();
    return Do(*callbacks_, &Stub::CreateCallback, request, &response, team_.clara_token);
  };
  const int64_t revision = List({}).revision();
  ASSERT_TRUE(validate().ok());
  EXPECT_FALSE(response.rang_again());
  EXPECT_EQ(response.callback().id(), "");
  EXPECT_EQ(response.callback().page_url(), "");
  EXPECT_EQ(response.callback().contact_id(), "");
  EXPECT_EQ(response.callback().caller().phone(), "+4930123456");
  EXPECT_EQ(response.callback().caller().phone_national(), "030 123456");
  EXPECT_EQ(response.callback().caller().email(), "mueller@example.com");
  EXPECT_EQ(response.callback().assignee_name(), "Ben");
  EXPECT_EQ(List({}).callbacks_size(), 0);
  EXPECT_EQ(List({}).revision(), revision);

  request.mutable_caller()->set_phone("keine Nummer");
  EXPECT_EQ(FieldOf(validate()), "caller.phone");
  request.mutable_caller()->set_phone("030 123456");
  request.set_assignee_id("mb07nobody");
  EXPECT_EQ(FieldOf(validate()), "assignee_id");
  request.set_assignee_id(team_.ben);

  const api::Callback open = Create(Mueller(), team_.clara_token);
  request.mutable_caller()->clear_email();
  request.set_note("noch einmal");
  ASSERT_TRUE(validate().ok());
  EXPECT_TRUE(response.rang_again());
  EXPECT_EQ(response.callback().id(), open.id());
  EXPECT_EQ(response.callback().contact_id(), open.contact_id());
  EXPECT_EQ(response.callback().rings(), 2);
  EXPECT_EQ(response.callback().note(), "noch einmal");
  EXPECT_EQ(response.callback().assignee_id(), "") << "a ring gives it to nobody";
  EXPECT_EQ(Get(open.id()).rings(), 1);
  EXPECT_EQ(Get(open.id()).version(), open.version());
}

TEST_F(CallbackRpcTest, ANumberAloneFindsWhatTheTeamKnows) {
  const api::Callback first = Create(Mueller(), team_.anna_token);
  api::CancelCallbackRequest cancel;
  cancel.set_request_id(NextRequestId());
  cancel.set_callback_id(first.id());
  cancel.set_reason("Doppelt");
  api::CancelCallbackResponse cancelled;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CancelCallback, cancel, &cancelled, team_.anna_token).ok());
  api::CreateCallbackRequest bare;
  bare.set_request_id(NextRequestId());
  bare.mutable_caller()->set_phone("030/123456");
  const api::Callback second = Create(bare, team_.anna_token);
  EXPECT_NE(second.id(), first.id());
  EXPECT_EQ(second.caller().name(), "Herr Müller");
  EXPECT_EQ(second.caller().email(), "mueller@example.com");
  EXPECT_EQ(second.contact_id(), first.contact_id());
}

TEST_F(CallbackRpcTest, ARepeatedRequestGetsTheFirstAnswer) {
  const api::CreateCallbackRequest request = Mueller();
  const api::Callback first = Create(request, team_.anna_token);
  const api::Callback second = Create(request, team_.anna_token);
  EXPECT_EQ(second.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(second.rings(), 1);
  api::CreateCallbackRequest other = request;
  other.set_note("etwas anderes");
  api::CreateCallbackResponse response;
  const absl::Status status = Do(*callbacks_, &Stub::CreateCallback, other, &response, team_.anna_token);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldOf(status), "request_id");
}

TEST_F(CallbackRpcTest, BadInputNamesItsField) {
  struct Row {
    std::function<void(api::CreateCallbackRequest*)> spoil;
    std::string field;
  };
  const std::vector<Row> rows = {
      {[](auto* r) { r->clear_caller(); }, "caller"},
      {[](auto* r) { r->clear_request_id(); }, "request_id"},
      {[](auto* r) { r->mutable_caller()->set_email("a@b\r\nBcc: x@y.example"); }, "caller.email"},
      {[](auto* r) { r->mutable_caller()->set_phone("not a number"); }, "caller.phone"},
      {[](auto* r) { r->mutable_caller()->set_name(std::string("Herr\0M", 6)); }, "caller.name"},
      {[](auto* r) { r->mutable_caller()->set_language("klingon"); }, "caller.language"},
      {[](auto* r) { r->mutable_caller()->set_time_zone("Europe/Atlantis"); }, "caller.time_zone"},
      {[](auto* r) { r->set_note(std::string(5000, 'x')); }, "note"},
      {[](auto* r) { r->set_assignee_id("mb07nobody000000"); }, "assignee_id"},
  };
  for (const Row& row : rows) {
    api::CreateCallbackRequest request = Mueller();
    row.spoil(&request);
    api::CreateCallbackResponse response;
    const absl::Status status = Do(*callbacks_, &Stub::CreateCallback, request, &response, team_.anna_token);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.field << ": " << status;
    EXPECT_EQ(FieldOf(status), row.field) << status;
    EXPECT_FALSE(ReasonOf(status).empty());
  }
  EXPECT_EQ(List({}).callbacks_size(), 0);
}

TEST_F(CallbackRpcTest, AnIntakeTokenLearnsNothingAndAssignsNobody) {
  const api::Callback known = Create(Mueller(), team_.anna_token);
  api::CreateCallbackRequest bare;
  bare.set_request_id(NextRequestId());
  bare.mutable_caller()->set_phone("030 123456");
  const api::Callback shown = Create(bare, team_.intake_token);
  EXPECT_EQ(shown.id(), known.id());
  EXPECT_FALSE(shown.has_caller());
  EXPECT_EQ(shown.page_url(), "");
  api::CreateCallbackRequest assigning = Mueller();
  assigning.set_assignee_id(team_.anna);
  api::CreateCallbackResponse response;
  EXPECT_EQ(Do(*callbacks_, &Stub::CreateCallback, assigning, &response, team_.intake_token).code(),
            absl::StatusCode::kPermissionDenied);
}

TEST_F(CallbackRpcTest, TheFirstCharactersOfAnIdAreEnoughWhenTheyAreUnique) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  EXPECT_EQ(Get(made.id().substr(0, 9)).id(), made.id());
  api::GetCallbackRequest request;
  request.set_id(made.id().substr(0, 5));
  api::GetCallbackResponse response;
  EXPECT_EQ(Do(*callbacks_, &Stub::GetCallback, request, &response, team_.anna_token).code(),
            absl::StatusCode::kInvalidArgument);
  request.set_id(made.id().substr(0, 9));
  EXPECT_EQ(Do(*callbacks_, &Stub::GetCallback, request, &response, strangers_.admin_token).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(CallbackRpcTest, ASpokenPromiseIsArmedAtOnceAndKeptByACall) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::MakePromiseResponse promised;
  const auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_SPOKEN);
  ASSERT_TRUE(MakePromise(request, &promised).ok());
  EXPECT_EQ(promised.callback().phase(), api::Callback::PHASE_PROMISED);
  EXPECT_EQ(promised.callback().promises(0).state(), api::Promise::STATE_ARMED);

  host_->fake_clock().Advance(absl::Hours(4) + absl::Minutes(1));
  api::LogAttemptRequest attempt;
  attempt.set_request_id(NextRequestId());
  attempt.set_callback_id(made.id());
  attempt.set_outcome(api::ATTEMPT_OUTCOME_REACHED);
  api::LogAttemptResponse attempted;
  ASSERT_TRUE(Do(*callbacks_, &Stub::LogAttempt, attempt, &attempted, team_.anna_token).ok());
  EXPECT_EQ(attempted.callback().promises(0).verdict(), api::VERDICT_KEPT);

  api::CompleteCallbackRequest complete;
  complete.set_request_id(NextRequestId());
  complete.set_callback_id(made.id());
  complete.set_disposition("bestellt");
  api::CompleteCallbackResponse completed;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CompleteCallback, complete, &completed, team_.anna_token).ok());
  EXPECT_EQ(completed.callback().phase(), api::Callback::PHASE_CLOSED);
  // The same request again, though the callback is closed by now.
  api::CompleteCallbackResponse repeated;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CompleteCallback, complete, &repeated, team_.anna_token).ok());
  EXPECT_EQ(repeated.SerializeAsString(), completed.SerializeAsString());
  EXPECT_EQ(List({}).callbacks_size(), 0);
  api::ListCallbacksRequest closed;
  closed.set_closed(true);
  EXPECT_EQ(List(closed).callbacks_size(), 1);
}

TEST_F(CallbackRpcTest, AVoicePromiseWaitsForItsRecordingUnlessThatIsReady) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  const api::Recording take = UploadTake("voice", made.id());
  auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_UNSPECIFIED);
  request.set_recording_id(take.id());
  api::MakePromiseResponse promised;
  ASSERT_TRUE(MakePromise(request, &promised).ok());
  EXPECT_EQ(promised.callback().promises(0).state(), api::Promise::STATE_PENDING);
  const auto recording =
      store::Load<record::RecordingRecord>(host_->store(), store::RecordingKey(take.id()).value()).value().message;
  ASSERT_EQ(recording.waiting_delivery_ids_size(), 1);
  EXPECT_EQ(recording.waiting_delivery_ids(0), promised.callback().promises(0).delivery_id());
  EXPECT_EQ(Delivery(made, 1).state(), record::DeliveryRecord::STATE_WAITING);
}

TEST_F(CallbackRpcTest, ATranscodeThatFinishesInTheSameMomentDoesNotLoseTheDelivery) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  const api::Recording take = UploadTake("voice", made.id());
  auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_VOICE_MAIL);
  request.set_recording_id(take.id());
  // Decided on a recording that is not ready; before the commit it is.
  host_->racing().BeforeNextCommit([&] { FinishTranscode(take.id(), record::RecordingRecord::STATE_READY); });
  api::MakePromiseResponse promised;
  ASSERT_TRUE(MakePromise(request, &promised).ok());
  EXPECT_EQ(Delivery(made, 1).state(), record::DeliveryRecord::STATE_QUEUED);
  EXPECT_TRUE(host_->store().Claim(store::DeliveryDue(Delivery(made, 1)), absl::Seconds(30)).ok());
}

TEST_F(CallbackRpcTest, ARecordingThatCannotBeUsedIsRefusedByName) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  const api::Recording take = UploadTake("noise", made.id());
  FinishTranscode(take.id(), record::RecordingRecord::STATE_FAILED);
  auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_VOICE_MAIL);
  api::MakePromiseResponse promised;
  EXPECT_EQ(ReasonOf(MakePromise(request, &promised)), "RECORDING_MISSING");
  request.set_recording_id(take.id());
  EXPECT_EQ(ReasonOf(MakePromise(request, &promised)), "RECORDING_FAILED");

  api::CreateCallbackRequest other = Mueller();
  other.mutable_caller()->set_phone("030 654321");
  other.mutable_caller()->set_email("other@example.com");
  request.set_callback_id(Create(other, team_.anna_token).id());
  EXPECT_EQ(ReasonOf(MakePromise(request, &promised)), "RECORDING_OF_OTHER_CALLBACK");
  EXPECT_EQ(Get(made.id()).promises_size(), 0);
}

TEST_F(CallbackRpcTest, ATimeThatCannotBePromisedNamesTheField) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  for (const absl::Duration at : {absl::Minutes(-1), absl::Hours(24) * 91}) {
    api::MakePromiseResponse response;
    const absl::Status status = MakePromise(Promise(made.id(), at, api::PROMISE_CHANNEL_SPOKEN), &response);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(FieldOf(status), "promised_time");
  }
  auto unset = Promise(made.id(), absl::Hours(1), api::PROMISE_CHANNEL_SPOKEN);
  unset.clear_promised_time();
  api::MakePromiseResponse response;
  EXPECT_EQ(FieldOf(MakePromise(unset, &response)), "promised_time");
}

TEST_F(CallbackRpcTest, ValidatingChangesNothing) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_SPOKEN);
  request.set_validate_only(true);
  api::MakePromiseResponse response;
  ASSERT_TRUE(MakePromise(request, &response).ok());
  EXPECT_EQ(Get(made.id()).SerializeAsString(), made.SerializeAsString());
}

TEST_F(CallbackRpcTest, ListsAreInTheOrderOfWhatIsDueAndPageThrough) {
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_phone("030 12345" + std::to_string(i));
    request.mutable_caller()->set_email("c" + std::to_string(i) + "@example.com");
    expected.push_back(Create(request, team_.anna_token).id());
    host_->fake_clock().Advance(absl::Minutes(1));
  }
  api::ListCallbacksRequest request;
  request.set_page_size(3);
  std::vector<std::string> seen;
  for (int pages = 0; pages < 5; ++pages) {
    const auto page = List(request);
    for (const auto& callback : page.callbacks()) seen.push_back(callback.id());
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  EXPECT_EQ(seen, expected);
  EXPECT_GE(List({}).revision(), 7);

  api::ListCallbacksRequest overdue;
  overdue.set_overdue_only(true);
  EXPECT_EQ(List(overdue).callbacks_size(), 0);
  host_->fake_clock().Advance(absl::Hours(6));
  EXPECT_EQ(List(overdue).callbacks_size(), 7) << "past the response target";
  api::ListCallbacksRequest of_ben;
  of_ben.set_assignee_id(team_.ben);
  EXPECT_EQ(List(of_ben).callbacks_size(), 0);
}

TEST_F(CallbackRpcTest, HistorySaysWhoAndPagesThrough) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  for (int i = 0; i < 100; ++i) Create(Mueller(), team_.clara_token);
  api::ListHistoryRequest request;
  request.set_callback_id(made.id());
  request.set_page_size(40);
  int number = 0;
  for (;;) {
    api::ListHistoryResponse page;
    ASSERT_TRUE(Do(*callbacks_, &Stub::ListHistory, request, &page, team_.clara_token).ok());
    for (const auto& event : page.events()) {
      EXPECT_EQ(event.number(), ++number);
      EXPECT_EQ(event.author(), number == 1 ? team_.anna : team_.clara);
    }
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  EXPECT_EQ(number, 101);
}

TEST_F(CallbackRpcTest, ACorrectedCallerIsFoundUnderTheNewAddressAndLearned) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::UpdateCallerRequest request;
  request.set_request_id(NextRequestId());
  request.set_callback_id(made.id());
  request.mutable_caller()->set_email("h.mueller@example.com");
  api::UpdateCallerResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::UpdateCaller, request, &response, team_.anna_token).ok());
  EXPECT_EQ(response.callback().caller().phone(), "+4930123456");
  api::CreateCallbackRequest again;
  again.set_request_id(NextRequestId());
  again.mutable_caller()->set_email("h.mueller@example.com");
  EXPECT_EQ(Create(again, team_.anna_token).id(), made.id());
  api::GetContactRequest contact;
  contact.set_who("030 123456");
  api::GetContactResponse known;
  ASSERT_TRUE(Do(*contacts_, &api::ContactService::Stub::GetContact, contact, &known, team_.anna_token).ok());
  EXPECT_EQ(known.contact().caller().email(), "h.mueller@example.com");
}

TEST_F(CallbackRpcTest, AMaskEmptiesACallersFieldButNotTheCaller) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::UpdateCallerRequest request;
  request.set_request_id(NextRequestId());
  request.set_callback_id(made.id());
  request.mutable_update_mask()->add_paths("email");
  api::UpdateCallerResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::UpdateCaller, request, &response, team_.anna_token).ok());
  api::Caller expected = made.caller();
  expected.clear_email();
  EXPECT_EQ(response.callback().caller().DebugString(), expected.DebugString());

  request.set_request_id(NextRequestId());
  for (const char* path : {"name", "phone"}) request.mutable_update_mask()->add_paths(path);
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::UpdateCaller, request, &response, team_.anna_token)), "caller");
  request.set_request_id(NextRequestId());
  request.mutable_update_mask()->add_paths("shoe_size");
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::UpdateCaller, request, &response, team_.anna_token)), "update_mask.paths[3]");
}

TEST_F(CallbackRpcTest, ARepCancelsOnlyTheOwn) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::CancelCallbackRequest request;
  request.set_request_id(NextRequestId());
  request.set_callback_id(made.id());
  request.set_reason("keine Lust");
  api::CancelCallbackResponse response;
  EXPECT_EQ(Do(*callbacks_, &Stub::CancelCallback, request, &response, team_.ben_token).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(Do(*callbacks_, &Stub::CancelCallback, request, &response, team_.clara_token).ok());
}

TEST_F(CallbackRpcTest, WhatThisInstallationCannotDoIsNoPromise) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::CreateCallbackRequest by_phone = Mueller();
  by_phone.mutable_caller()->clear_email();
  by_phone.mutable_caller()->set_phone("030 654321");
  const api::Callback phone_only = Create(by_phone, team_.anna_token);
  const api::Recording take = UploadTake("voice", phone_only.id());
  api::MakePromiseResponse promised;
  for (const bool validate_only : {true, false}) {
    auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_SMS);
    request.set_validate_only(validate_only);
    absl::Status status = MakePromise(request, &promised);
    EXPECT_EQ(FieldOf(status), "channel") << status;
    EXPECT_EQ(ReasonOf(status), "NO_SMS_GATEWAY");

    host_->mutable_config().public_url = "";
    request.set_channel(api::PROMISE_CHANNEL_LINK_SHARED);
    status = MakePromise(request, &promised);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(FieldOf(status), "channel") << status;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("public_url"));

    auto voice = Promise(phone_only.id(), absl::Hours(4), api::PROMISE_CHANNEL_VOICE_MAIL);
    voice.set_validate_only(validate_only);
    voice.set_recording_id(take.id());
    status = MakePromise(voice, &promised);
    EXPECT_EQ(FieldOf(status), "caller.email") << status;
    EXPECT_THAT(std::string(status.message()), testing::Not(testing::HasSubstr("LINK_SHARED")));
    host_->mutable_config().public_url = "https://calls.example.com";
    EXPECT_THAT(std::string(MakePromise(voice, &promised).message()), testing::HasSubstr("LINK_SHARED"));
  }
  EXPECT_EQ(Get(made.id()).phase(), api::Callback::PHASE_WAITING);
  EXPECT_TRUE(MakePromise(Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_LINK_SHARED), &promised).ok());
}

TEST_F(CallbackRpcTest, ClosingStopsAMessageThatHasNotLeftAndSaysNothingToTheCustomer) {
  for (const bool leaves_meanwhile : {false, true}) {
    const api::Callback made = Create(Mueller(), team_.anna_token);
    const api::Recording take = UploadTake("voice", made.id());
    FinishTranscode(take.id(), record::RecordingRecord::STATE_READY);
    auto request = Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_VOICE_MAIL);
    request.set_recording_id(take.id());
    api::MakePromiseResponse promised;
    ASSERT_TRUE(MakePromise(request, &promised).ok());
    ASSERT_EQ(Delivery(made, 1).state(), record::DeliveryRecord::STATE_QUEUED);
    if (leaves_meanwhile) {  // a worker begins to send between the decision and its commit
      host_->racing().BeforeNextCommit([&] {
        record::DeliveryRecord sending = Delivery(made, 1);
        sending.set_state(record::DeliveryRecord::STATE_SENDING);
        store::Commit commit;
        commit.shard = team_.shard;
        commit.commit_id = "sending";
        store::AddDelivery(sending, 1, &commit);
        ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
      });
    }
    api::CancelCallbackRequest cancel;
    cancel.set_request_id(NextRequestId());
    cancel.set_callback_id(made.id());
    cancel.set_reason("Doppelt");
    api::CancelCallbackResponse cancelled;
    ASSERT_TRUE(Do(*callbacks_, &Stub::CancelCallback, cancel, &cancelled, team_.anna_token).ok());
    EXPECT_EQ(Delivery(made, 1).state(), leaves_meanwhile ? record::DeliveryRecord::STATE_SENDING
                                                          : record::DeliveryRecord::STATE_WITHDRAWN);
    EXPECT_EQ(Delivery(made, 2).kind(), leaves_meanwhile ? record::DeliveryRecord::KIND_CANCELLATION
                                                         : record::DeliveryRecord::KIND_NOTICE);
  }
}

TEST_F(CallbackRpcTest, ARingWhoseNoteNoLongerFitsIsCountedAndSaysSo) {
  api::CreateCallbackResponse response;
  for (int i = 0; i < 7; ++i) {
    api::CreateCallbackRequest request = Mueller();
    request.set_note(std::string(4000, 'x'));
    ASSERT_TRUE(Do(*callbacks_, &Stub::CreateCallback, request, &response, team_.intake_token).ok());
    EXPECT_EQ(response.warnings_size(), i < 4 ? 0 : 1) << i;
  }
  EXPECT_EQ(Get(response.callback().id()).rings(), 7);
}

TEST_F(CallbackRpcTest, ACallThatSettlesNothingIsLoggedWithAWarning) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  host_->fake_clock().Advance(absl::Minutes(5));
  api::MakePromiseResponse promised;
  ASSERT_TRUE(MakePromise(Promise(made.id(), absl::Hours(4), api::PROMISE_CHANNEL_SPOKEN), &promised).ok());
  api::LogAttemptRequest attempt;
  attempt.set_request_id(NextRequestId());
  attempt.set_callback_id(made.id());
  attempt.set_outcome(api::ATTEMPT_OUTCOME_NO_ANSWER);
  api::LogAttemptResponse logged;
  ASSERT_TRUE(Do(*callbacks_, &Stub::LogAttempt, attempt, &logged, team_.anna_token).ok());
  EXPECT_EQ(logged.warnings_size(), 1);
}

// Between the moments when the token or the member ends and when a watch is shown out, nothing more is told.
TEST_F(CallbackRpcTest, AWatchEndsWithItsToken) {
  grpc::ClientContext context;
  Identify(context, team_.ben_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  api::ListTokensRequest list;
  api::ListTokensResponse tokens;
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::ListTokens, list, &tokens, team_.admin_token).ok());
  for (const auto& token : tokens.tokens()) {
    if (token.member_id() != team_.ben) continue;
    api::RevokeTokenRequest revoke;
    revoke.set_request_id(NextRequestId());
    revoke.set_id(token.id());
    api::RevokeTokenResponse revoked;
    ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::RevokeToken, revoke, &revoked, team_.admin_token).ok());
  }
  Create(Mueller(), team_.anna_token);
  EXPECT_FALSE(stream->Read(&message)) << message.ShortDebugString();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(CallbackRpcTest, AQuietWatchEndsWithItsMember) {
  grpc::ClientContext context;
  Identify(context, team_.ben_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  api::RemoveMemberRequest leave;
  leave.set_request_id(NextRequestId());
  leave.set_member_id(team_.ben);
  api::RemoveMemberResponse left;
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::RemoveMember, leave, &left, team_.admin_token).ok());
  EXPECT_FALSE(stream->Read(&message)) << message.ShortDebugString();
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(CallbackRpcTest, AWatchTellsWhereItBeginsAndThenEveryChange) {
  grpc::ClientContext context;
  Identify(context, team_.clara_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_FALSE(message.has_callback());
  const int64_t begin = message.revision();
  const api::Callback made = Create(Mueller(), team_.anna_token);
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.revision(), begin + 1);
  EXPECT_EQ(message.callback().id(), made.id());
  EXPECT_EQ(message.event().what(), "requested");
  context.TryCancel();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

TEST_F(CallbackRpcTest, AWatchResumesWithoutAGap) {
  Create(Mueller(), team_.anna_token);
  const int64_t known = List({}).revision();
  for (int i = 0; i < 450; ++i) Create(Mueller(), team_.clara_token);  // more than one batch
  grpc::ClientContext context;
  Identify(context, team_.clara_token);
  api::WatchCallbacksRequest request;
  request.set_since_revision(known);
  auto stream = callbacks_->WatchCallbacks(&context, request);
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.revision(), known);
  for (int i = 1; i <= 450; ++i) {
    ASSERT_TRUE(stream->Read(&message));
    ASSERT_EQ(message.revision(), known + i);
  }
  context.TryCancel();
}

TEST_F(CallbackRpcTest, AWatchFromTheFutureIsToldToListAgain) {
  Create(Mueller(), team_.anna_token);
  grpc::ClientContext context;
  Identify(context, team_.ben_token);
  api::WatchCallbacksRequest request;
  request.set_since_revision(1000);
  auto stream = callbacks_->WatchCallbacks(&context, request);
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  if (!message.resync()) {
    ASSERT_TRUE(stream->Read(&message));
  }
  EXPECT_TRUE(message.resync());
  EXPECT_EQ(message.revision(), List({}).revision());
  context.TryCancel();
}

TEST_F(CallbackRpcTest, AWatchEndsWhenTheProgramDrains) {
  grpc::ClientContext context;
  Identify(context, team_.ben_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  host_->DrainComponents();
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

}  // namespace
}  // namespace ringback::ingest
