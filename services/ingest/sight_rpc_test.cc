// What a rep sees of colleagues' callbacks, and what not: lists, the watch, answers to commands. That every method asks is
// walked in tests/strangers_test.cc; who sees what is held in core/domain/sight_test.cc.
#include <thread>

#include "core/domain/team.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using Stub = api::CallbackService::Stub;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class SightRpcTest : public IngestTest {
 protected:
  api::CreateCallbackRequest Caller(int n) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_phone("030 12345" + std::to_string(n));
    request.mutable_caller()->set_email("c" + std::to_string(n) + "@example.com");
    return request;
  }
  // One that the member owes, or nobody.
  std::string Owed(int n, const std::string& assignee) {
    api::CreateCallbackRequest request = Caller(n);
    request.set_assignee_id(assignee);
    const std::string id = Create(request, team_.clara_token).id();
    host_->fake_clock().Advance(absl::Seconds(1));
    return id;
  }
  std::vector<std::string> List(const api::ListCallbacksRequest& request, const std::string& token) {
    std::vector<std::string> ids;
    api::ListCallbacksRequest asked = request;
    for (int pages = 0; pages < 20; ++pages) {
      api::ListCallbacksResponse page;
      const absl::Status status = Do(*callbacks_, &Stub::ListCallbacks, asked, &page, token);
      EXPECT_TRUE(status.ok()) << status;
      for (const auto& callback : page.callbacks()) ids.push_back(callback.id());
      if (page.next_page_token().empty()) return ids;
      asked.set_page_token(page.next_page_token());
    }
    ADD_FAILURE() << "pages without an end";
    return ids;
  }
  api::AssignCallbackRequest Assignment(const std::string& id, const std::string& to) {
    api::AssignCallbackRequest request;
    request.set_request_id(NextRequestId());
    request.set_callback_id(id);
    request.set_member_id(to);
    request.set_nobody(to.empty());
    return request;
  }
  absl::Status Assign(const std::string& id, const std::string& to, const std::string& token) {
    api::AssignCallbackResponse response;
    return Do(*callbacks_, &Stub::AssignCallback, Assignment(id, to), &response, token);
  }
  void BeAway(const std::string& who, absl::Time from, absl::Time until) {
    api::SetAbsenceRequest request;
    request.set_request_id(NextRequestId());
    request.set_member_id(who);
    api::Absence& absence = *request.add_absences();
    *absence.mutable_start_time() = rpc::ToProto(from);
    *absence.mutable_end_time() = rpc::ToProto(until);
    api::SetAbsenceResponse response;
    ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::SetAbsence, request, &response, team_.clara_token).ok());
  }
};

TEST_F(SightRpcTest, ARepsListHoldsTheOwnAndTheUnassignedInTheOrderOfWhatIsDue) {
  const auto anna1 = Owed(1, team_.anna), nobody1 = Owed(2, ""), ben = Owed(3, team_.ben), anna2 = Owed(4, team_.anna),
             nobody2 = Owed(5, ""), clara = Owed(6, team_.clara);
  api::ListCallbacksRequest all;
  for (const int size : {0, 1, 2, 3}) {
    all.set_page_size(size);
    EXPECT_THAT(List(all, team_.anna_token), ElementsAre(anna1, nobody1, anna2, nobody2)) << size;
    EXPECT_THAT(List(all, team_.clara_token), ElementsAre(anna1, nobody1, ben, anna2, nobody2, clara)) << size;
  }
  api::ListCallbacksRequest of_ben;
  of_ben.set_assignee_id(team_.ben);
  EXPECT_THAT(List(of_ben, team_.anna_token), IsEmpty());
  EXPECT_THAT(List(of_ben, team_.clara_token), ElementsAre(ben));
  api::ListCallbacksRequest unassigned;
  unassigned.set_unassigned_only(true);
  EXPECT_THAT(List(unassigned, team_.anna_token), ElementsAre(nobody1, nobody2));
  EXPECT_THAT(List(unassigned, team_.clara_token), ElementsAre(nobody1, nobody2));
  unassigned.set_assignee_id(team_.anna);
  EXPECT_THAT(List(unassigned, team_.clara_token), IsEmpty()) << "nobody's and Anna's at once is none";
}

TEST_F(SightRpcTest, WhoTakesInACallerOfAColleaguesLearnsThatOneIsOpenAndWhose) {
  const std::string bens = Owed(1, team_.ben);
  api::CreateCallbackRequest again = Caller(1);
  const auto learned = [&] {
    again.set_request_id(NextRequestId());
    api::CreateCallbackResponse response;
    EXPECT_TRUE(Do(*callbacks_, &Stub::CreateCallback, again, &response, team_.anna_token).ok());
    EXPECT_EQ(response.callback().id(), bens);
    EXPECT_EQ(response.callback().assignee_id(), team_.ben);
    EXPECT_FALSE(response.callback().has_caller());
    EXPECT_EQ(response.callback().note(), "");
    return response;
  };
  again.set_validate_only(true);
  EXPECT_TRUE(learned().rang_again());
  again.set_validate_only(false);
  again.mutable_same_ring_within()->set_seconds(60);
  EXPECT_TRUE(learned().same_ring());
  again.clear_same_ring_within();
  EXPECT_TRUE(learned().rang_again());

  api::CreateCallbackRequest asked = Caller(1);
  asked.set_validate_only(true);
  api::CreateCallbackResponse told;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CreateCallback, asked, &told, team_.intake_token).ok());
  EXPECT_EQ(told.callback().assignee_id(), "") << "a telephone system learns less";
  EXPECT_FALSE(told.callback().has_caller());
}

TEST_F(SightRpcTest, WhatIsGivenBackToNobodyStaysInSightOfWhoGaveItAndComesInSightOfAll) {
  const std::string id = Owed(1, team_.anna);
  api::AssignCallbackRequest back = Assignment(id, "");
  api::AssignCallbackResponse response;
  const auto give = [&](const std::string& token) {
    back.set_request_id(NextRequestId());
    return Do(*callbacks_, &Stub::AssignCallback, back, &response, token);
  };
  back.set_nobody(false);
  EXPECT_EQ(ReasonOf(give(team_.anna_token)), "MEMBER_MISSING");
  back.set_nobody(true);
  back.set_member_id(team_.ben);
  EXPECT_EQ(ReasonOf(give(team_.anna_token)), "MEMBER_AND_NOBODY");
  back.clear_member_id();
  EXPECT_TRUE(absl::IsNotFound(give(team_.ben_token))) << "Anna's, and not in Ben's sight";
  EXPECT_TRUE(absl::IsPermissionDenied(give(team_.intake_token)));
  BeAway(team_.anna, Morning(), Morning() + absl::Hours(48));
  EXPECT_EQ(ReasonOf(give(team_.ben_token)), "NOT_YOUR_CALLBACK") << "standing in is not disposing";
  ASSERT_TRUE(give(team_.anna_token).ok());
  EXPECT_EQ(response.callback().assignee_id(), "");
  EXPECT_EQ(response.callback().caller().name(), "Herr Müller") << "she sees it as before";
  EXPECT_THAT(List({}, team_.anna_token), ElementsAre(id));
  EXPECT_THAT(List({}, team_.ben_token), ElementsAre(id));
  api::ListCallbacksRequest unassigned;
  unassigned.set_unassigned_only(true);
  EXPECT_THAT(List(unassigned, team_.clara_token), ElementsAre(id));
  // Whoever takes it gives it back as well, and a manager anybody's.
  ASSERT_TRUE(Assign(id, team_.ben, team_.ben_token).ok());
  EXPECT_THAT(List({}, team_.anna_token), IsEmpty());
  ASSERT_TRUE(give(team_.clara_token).ok());
  EXPECT_THAT(List({}, team_.anna_token), ElementsAre(id));
}

TEST_F(SightRpcTest, WhoStandsInListsWhatTheAbsentOwes) {
  const auto annas = Owed(1, team_.anna), bens = Owed(2, team_.ben);
  EXPECT_THAT(List({}, team_.ben_token), ElementsAre(bens));
  BeAway(team_.anna, Morning(), Morning() + absl::Hours(48));  // Ben is her substitute
  EXPECT_THAT(List({}, team_.ben_token), ElementsAre(annas, bens));
  host_->fake_clock().Advance(absl::Hours(49));
  EXPECT_THAT(List({}, team_.ben_token), ElementsAre(bens));
}

TEST_F(SightRpcTest, ACustomersHistoryIsOpenAndClosedNewestFirstAndOnlyWhatOneSees) {
  std::vector<std::string> ids;
  std::string contact;
  for (const std::string& owner : {team_.anna, team_.ben, team_.anna}) {
    api::CreateCallbackRequest request = Mueller();
    request.set_assignee_id(owner);
    const api::Callback made = Create(request, team_.clara_token);
    ids.push_back(made.id());
    contact = made.contact_id();
    host_->fake_clock().Advance(absl::Seconds(1));
    if (ids.size() == 3) break;
    api::CancelCallbackRequest cancel;
    cancel.set_request_id(NextRequestId());
    cancel.set_callback_id(made.id());
    cancel.set_reason("Doppelt");
    api::CancelCallbackResponse cancelled;
    ASSERT_TRUE(Do(*callbacks_, &Stub::CancelCallback, cancel, &cancelled, team_.clara_token).ok());
  }
  Owed(7, team_.anna);  // another customer
  api::ListCallbacksRequest request;
  request.set_contact_id(contact);
  for (const int size : {0, 1, 2}) {
    request.set_page_size(size);
    EXPECT_THAT(List(request, team_.clara_token), ElementsAre(ids[2], ids[1], ids[0])) << size;
    EXPECT_THAT(List(request, team_.anna_token), ElementsAre(ids[2], ids[0])) << size;
    EXPECT_THAT(List(request, strangers_.clara_token), IsEmpty());
  }
  request.set_contact_id("nonsense");
  api::ListCallbacksResponse response;
  EXPECT_EQ(FieldOf(Do(*callbacks_, &Stub::ListCallbacks, request, &response, team_.anna_token)), "contact_id");
}

TEST_F(SightRpcTest, AWatchTellsARepOfTheOwnOfNobodysAndOfWhatGoesOutOfSight) {
  const auto annas = Owed(1, team_.anna);
  grpc::ClientContext context;
  Identify(context, team_.anna_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  const auto bens = Owed(2, team_.ben);
  const auto nobodys = Owed(3, "");
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.callback().id(), nobodys) << "of Ben's nothing is told";
  ASSERT_TRUE(Assign(nobodys, team_.ben, team_.ben_token).ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.gone(), nobodys);
  EXPECT_FALSE(message.has_callback());
  EXPECT_EQ(message.event().details().at("to"), team_.ben);
  ASSERT_TRUE(Assign(annas, team_.ben, team_.clara_token).ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.gone(), annas);
  ASSERT_TRUE(Assign(bens, team_.clara, team_.clara_token).ok());  // nothing of Anna's
  ASSERT_TRUE(Assign(annas, team_.anna, team_.clara_token).ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.callback().id(), annas);
  EXPECT_EQ(message.gone(), "");
  ASSERT_TRUE(Assign(bens, "", team_.clara_token).ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.callback().id(), bens) << "nobody's by now";
  EXPECT_EQ(message.event().details().count("to"), 0u);
  context.TryCancel();
}

TEST_F(SightRpcTest, AResumedWatchSaysWhatWentOutOfSightMeanwhile) {
  const auto annas = Owed(1, team_.anna);
  api::ListCallbacksResponse list;
  ASSERT_TRUE(Do(*callbacks_, &Stub::ListCallbacks, api::ListCallbacksRequest(), &list, team_.anna_token).ok());
  ASSERT_TRUE(Assign(annas, team_.ben, team_.clara_token).ok());
  Owed(2, team_.ben);
  grpc::ClientContext context;
  Identify(context, team_.anna_token);
  api::WatchCallbacksRequest request;
  request.set_since_revision(list.revision());
  auto stream = callbacks_->WatchCallbacks(&context, request);
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.gone(), annas);
  context.TryCancel();
}

TEST_F(SightRpcTest, AManagersWatchHasEverythingAndNothingGone) {
  const auto annas = Owed(1, team_.anna);
  grpc::ClientContext context;
  Identify(context, team_.clara_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  ASSERT_TRUE(Assign(annas, team_.ben, team_.clara_token).ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.callback().assignee_id(), team_.ben);
  EXPECT_EQ(message.gone(), "");
  context.TryCancel();
}

TEST_F(SightRpcTest, AWatchIsToldToListAgainWhenTheSubstituteBeginsToStandIn) {
  Owed(1, team_.anna);
  grpc::ClientContext context;
  Identify(context, team_.ben_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  BeAway(team_.anna, Morning(), Morning() + absl::Hours(48));
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_TRUE(message.resync());
  context.TryCancel();
}

TEST_F(SightRpcTest, WhoBeganToStandInOvernightIsToldToListAgainInTheMorning) {
  Owed(1, team_.anna);
  api::ListCallbacksResponse list;
  ASSERT_TRUE(Do(*callbacks_, &Stub::ListCallbacks, api::ListCallbacksRequest(), &list, team_.ben_token).ok());
  for (const bool away : {false, true}) {
    if (away) BeAway(team_.anna, Morning() + absl::Hours(10), Morning() + absl::Hours(48));
    host_->fake_clock().Advance(absl::Hours(12));
    grpc::ClientContext context;
    Identify(context, team_.ben_token);
    api::WatchCallbacksRequest request;
    request.set_since_revision(list.revision());
    auto stream = callbacks_->WatchCallbacks(&context, request);
    api::WatchCallbacksResponse message;
    ASSERT_TRUE(stream->Read(&message));
    EXPECT_FALSE(message.resync());
    Owed(away ? 2 : 3, "");
    ASSERT_TRUE(stream->Read(&message));
    EXPECT_EQ(message.resync(), away) << message.ShortDebugString();
    context.TryCancel();
  }
}

TEST_F(SightRpcTest, WhoGivesACallbackAwaySeesItOnceMoreAndARepeatStillGetsItsAnswer) {
  const auto annas = Owed(1, team_.anna);
  const api::AssignCallbackRequest request = Assignment(annas, team_.ben);
  api::AssignCallbackResponse first, repeated;
  ASSERT_TRUE(Do(*callbacks_, &Stub::AssignCallback, request, &first, team_.anna_token).ok());
  EXPECT_EQ(first.callback().assignee_id(), team_.ben);
  EXPECT_TRUE(first.callback().has_caller());
  ASSERT_TRUE(Do(*callbacks_, &Stub::AssignCallback, request, &repeated, team_.anna_token).ok());
  EXPECT_EQ(repeated.callback().id(), annas);
  EXPECT_EQ(repeated.callback().assignee_name(), "Ben");
  EXPECT_FALSE(repeated.callback().has_caller()) << "by now it is Ben's";
  EXPECT_EQ(Assign(annas, team_.anna, team_.anna_token).code(), absl::StatusCode::kNotFound);
}

TEST_F(SightRpcTest, WhoStandsInReadsButDoesNotDispose) {
  const auto annas = Owed(1, team_.anna);
  BeAway(team_.anna, Morning(), Morning() + absl::Hours(48));
  api::GetCallbackRequest get;
  get.set_id(annas);
  api::GetCallbackResponse found;
  EXPECT_TRUE(Do(*callbacks_, &Stub::GetCallback, get, &found, team_.ben_token).ok());
  EXPECT_EQ(ReasonOf(Assign(annas, team_.ben, team_.ben_token)), "NOT_YOUR_CALLBACK");
}

TEST_F(SightRpcTest, ACallersSecondRequestTellsARepWhoseItIsAndNoMore) {
  api::CreateCallbackRequest bens = Mueller();
  bens.set_assignee_id(team_.ben);
  bens.set_note("vertraulich");
  const std::string id = Create(bens, team_.clara_token).id();
  api::CreateCallbackResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::CreateCallback, Mueller(), &response, team_.anna_token).ok());
  EXPECT_TRUE(response.rang_again());
  EXPECT_EQ(response.callback().id(), id);
  EXPECT_EQ(response.callback().assignee_name(), "Ben");
  EXPECT_FALSE(response.callback().has_caller());
  EXPECT_EQ(response.callback().note(), "");
  EXPECT_EQ(Get(id).rings(), 2);
}

TEST_F(SightRpcTest, APrefixFindsOnlyWhatOneSees) {
  const auto bens = Owed(1, team_.ben);
  api::GetCallbackRequest get;
  get.set_id(bens.substr(0, 9));
  api::GetCallbackResponse found;
  EXPECT_EQ(Do(*callbacks_, &Stub::GetCallback, get, &found, team_.anna_token).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Do(*callbacks_, &Stub::GetCallback, get, &found, team_.ben_token).ok());
}

TEST_F(SightRpcTest, AStartedCallIsToldToWhoeverWatchesAndSettlesNothing) {
  const auto annas = Owed(1, team_.anna);
  const api::Callback before = Get(annas);
  grpc::ClientContext context;
  Identify(context, team_.clara_token);
  auto stream = callbacks_->WatchCallbacks(&context, {});
  api::WatchCallbacksResponse message;
  ASSERT_TRUE(stream->Read(&message));
  api::StartCallRequest request;
  request.set_request_id(NextRequestId());
  request.set_callback_id(annas);
  api::StartCallResponse response;
  ASSERT_TRUE(Do(*callbacks_, &Stub::StartCall, request, &response, team_.anna_token).ok());
  ASSERT_TRUE(Do(*callbacks_, &Stub::StartCall, request, &response, team_.anna_token).ok());  // the same again
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.event().what(), "calling");
  EXPECT_EQ(message.event().author(), team_.anna);
  context.TryCancel();
  api::Callback after = response.callback();
  EXPECT_EQ(after.history_count(), before.history_count() + 1);
  after.set_history_count(before.history_count());
  after.set_version(before.version());
  EXPECT_EQ(after.DebugString(), before.DebugString());
}

TEST_F(SightRpcTest, AVoiceIsPlayedByWhoSpokeAndWhoOwesTheCallUnlessTheTeamSaysMore) {
  const auto annas = Owed(1, team_.anna);
  const std::string take = UploadTake("voice", annas).id();  // Anna's
  const auto play = [&](const std::string& token) {
    grpc::ClientContext context;
    Identify(context, token);
    api::DownloadRenditionRequest request;
    request.set_recording_id(take);
    request.set_rendition(api::RENDITION_ORIGINAL);
    auto reader = recordings_->DownloadRendition(&context, request);
    api::DownloadRenditionResponse message;
    while (reader->Read(&message)) {
    }
    return rpc::FromGrpc(reader->Finish());
  };
  const auto allow = [&](bool on, const std::string& token) {
    api::UpdateTeamRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_team()->set_id(team_.id);
    request.mutable_team()->set_play_others_takes(on);
    request.mutable_update_mask()->add_paths("play_others_takes");
    api::UpdateTeamResponse response;
    const absl::Status status = Do(*teams_, &api::TeamService::Stub::UpdateTeam, request, &response, token);
    if (status.ok()) { EXPECT_EQ(response.team().play_others_takes(), on); }
    return status;
  };
  EXPECT_TRUE(play(team_.anna_token).ok());
  EXPECT_EQ(ReasonOf(play(team_.clara_token)), "OTHERS_TAKE");
  EXPECT_EQ(play(team_.admin_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(play(team_.ben_token).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Assign(annas, team_.ben, team_.clara_token).ok());
  EXPECT_TRUE(play(team_.ben_token).ok()) << "who owes the call now";
  EXPECT_TRUE(play(team_.anna_token).ok()) << "the own voice";

  EXPECT_EQ(allow(true, team_.clara_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FieldOf(allow(true, operator_token_)), "team.play_others_takes");
  ASSERT_TRUE(allow(true, team_.admin_token).ok());
  EXPECT_TRUE(play(team_.clara_token).ok());
  ASSERT_TRUE(allow(false, team_.admin_token).ok());
  EXPECT_EQ(play(team_.clara_token).code(), absl::StatusCode::kPermissionDenied);
  api::GetTeamResponse team;
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::GetTeam, api::GetTeamRequest(), &team, team_.anna_token).ok());
  ASSERT_EQ(team.team().history_size(), 2);
  EXPECT_EQ(team.team().history(0).what(), "play_others_takes_on");
  EXPECT_EQ(team.team().history(1).what(), "play_others_takes_off");
}

}  // namespace
}  // namespace ringback::ingest
