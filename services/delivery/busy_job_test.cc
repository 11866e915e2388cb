// From a member's calendar on a real web server to the times that a customer is offered.
#include "delivery/busy_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/test_peers.h"
#include "core/rpc/translate.h"
#include "core/store/records.h"
#include "ingest/ingest_fixture.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;
using ::testing::HasSubstr;
using ::testing::Not;

class BusyJobTest : public ingest::IngestTest {
 protected:
  BusyJobTest() : http_(NewHttpSender({.allow_private_addresses = true})) {
    host_->mutable_config().webhook_allow_private = true;
  }

  // Busy from 9:00 to 17:30 UTC today.
  static std::string Calendar(absl::Time now) {
    const std::string day = absl::FormatTime("%Y%m%d", now, absl::UTCTimeZone());
    return absl::StrCat("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:a\r\nDTSTAMP:", day,
                        "T000000Z\r\nDTSTART:", day, "T000000Z\r\nDTEND:", day,
                        "T173000Z\r\nSUMMARY:Geheim\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
  }
  void Subscribe(const std::string& url) {
    api::UpdateMemberRequest request;
    api::UpdateMemberResponse response;
    request.set_request_id(NextRequestId());
    request.mutable_member()->set_id(team_.anna);
    request.mutable_member()->set_busy_url(url);
    request.mutable_update_mask()->add_paths("busy_url");
    const absl::Status status = Do(*teams_, &api::TeamService::Stub::UpdateMember, request, &response, team_.admin_token);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(response.member().busy_url(), "") << "whoever has it reads the calendar";
    EXPECT_EQ(response.member().has_busy_state(), !url.empty());
  }
  api::BusyState State() {
    api::GetTeamRequest request;
    api::GetTeamResponse response;
    EXPECT_TRUE(Do(*teams_, &api::TeamService::Stub::GetTeam, request, &response, team_.anna_token).ok());
    for (const api::Member& member : response.team().members()) {
      if (member.id() == team_.anna) return member.busy_state();
    }
    return {};
  }
  // What is due, as the worker would do it; how many there were.
  int Work(HttpSender& http) {
    const auto handler = NewBusyHandler(*host_, &http, &parser_);
    const auto leases = host_->store().ClaimDue(store::Stage::kBusy, store::ClaimOptions{}).value();
    for (const store::Lease& lease : leases) {
      const absl::Status status = handler->Handle(runtime::Job{lease, nullptr});
      EXPECT_TRUE(status.ok()) << status;
    }
    return static_cast<int>(leases.size());
  }
  absl::Time FirstSlot() {
    api::CreateCallbackRequest asked = Mueller();
    asked.set_assignee_id(team_.anna);
    api::ListSlotsRequest request;
    api::ListSlotsResponse response;
    request.set_callback_id(Create(asked, team_.anna_token).id());
    request.set_count(1);
    EXPECT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::ListSlots, request, &response, team_.anna_token).ok());
    return response.slots().empty() ? absl::InfiniteFuture() : rpc::FromProto(response.slots(0));
  }

  const std::unique_ptr<HttpSender> http_;
  calendars::BusyParser parser_{RINGBACK_CALENDAR_PARSER};
};

TEST_F(BusyJobTest, CustomersAreOfferedNoTimeInAnAppointment) {
  const TempDir served;
  served.Write("anna.ics", Calendar(host_->fake_clock().Now()));
  const int port = FreePort();
  const Child server({"/usr/bin/python3", "-m", "http.server", std::to_string(port), "--bind", "127.0.0.1", "--directory",
                      served.path()}, port);
  const absl::Time before = FirstSlot();
  Subscribe(absl::StrCat("http://127.0.0.1:", port, "/anna.ics"));
  EXPECT_EQ(Work(*http_), 1) << "a new subscription is read at once";
  EXPECT_EQ(State().trouble(), "");
  EXPECT_EQ(State().appointments(), 1);
  EXPECT_EQ(rpc::FromProto(State().fetch_time()), host_->fake_clock().Now());
  EXPECT_GT(FirstSlot(), before);

  EXPECT_EQ(Work(*http_), 0);
  host_->fake_clock().Advance(absl::Minutes(15));
  EXPECT_EQ(Work(*http_), 1) << "and again every quarter of an hour";

  Subscribe("");
  EXPECT_EQ(Work(*http_), 0);
  EXPECT_EQ(FirstSlot() - before, absl::Minutes(15)) << "what it said is forgotten with it";
}

TEST_F(BusyJobTest, TroubleIsShownAndWhatWasKnownStays) {
  const std::vector<std::string> answers = {
      absl::StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", Calendar(host_->fake_clock().Now())),
      "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>sign in</html>"};
  ScriptedServer server([&answers, asked = size_t{0}](Peer& peer) mutable {
    while (!peer.Line().empty()) {
    }
    peer.Say(answers.at(asked++));
  });
  Subscribe(absl::StrCat("http://127.0.0.1:", server.port(), "/anna.ics"));
  ASSERT_EQ(Work(*http_), 1);
  const absl::Time first = FirstSlot();
  host_->fake_clock().Advance(absl::Minutes(15));
  ASSERT_EQ(Work(*http_), 1);
  EXPECT_EQ(State().trouble(), "HTTP 403");
  EXPECT_EQ(State().appointments(), 1);
  EXPECT_EQ(FirstSlot(), first);
  host_->fake_clock().Advance(absl::Minutes(15));
  ASSERT_EQ(Work(*http_), 1);
  EXPECT_THAT(State().trouble(), HasSubstr("no calendar"));
}

TEST_F(BusyJobTest, AnAddressInsideIsNotReachedForStrangersNorAPlainOneOutside) {
  int asked = 0;
  ScriptedServer server([&](Peer&) { ++asked; });
  Subscribe(absl::StrCat("https://127.0.0.1:", server.port(), "/anna.ics"));
  const auto strict = NewHttpSender({});
  ASSERT_EQ(Work(*strict), 1);
  EXPECT_THAT(State().trouble(), HasSubstr("private network"));
  host_->mutable_config().webhook_allow_private = false;
  Subscribe("http://calendar.example.com/anna.ics");
  ASSERT_EQ(Work(*strict), 1);
  EXPECT_THAT(State().trouble(), HasSubstr("https:// only"));
  EXPECT_EQ(asked, 0);
}

TEST_F(BusyJobTest, AFloodIsCutOff) {
  ScriptedServer server([&](Peer& peer) {
    while (!peer.Line().empty()) {
    }
    peer.Say("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    const std::string much(1 << 20, 'x');
    for (int i = 0; i < 8 && !peer.ended(); ++i) peer.Say(much);
  });
  Subscribe(absl::StrCat("http://127.0.0.1:", server.port(), "/anna.ics"));
  ASSERT_EQ(Work(*http_), 1);
  EXPECT_THAT(State().trouble(), HasSubstr("more than 5 MiB"));
}

TEST_F(BusyJobTest, WhoLeavesIsNotReadAnyMore) {
  Subscribe("https://127.0.0.1:1/anna.ics");
  api::RemoveMemberRequest request;
  api::RemoveMemberResponse response;
  request.set_request_id(NextRequestId());
  request.set_member_id(team_.anna);
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::RemoveMember, request, &response, team_.admin_token).ok());
  EXPECT_EQ(Work(*http_), 0);
  EXPECT_FALSE(host_->store().Get(*store::BusyKey(team_.anna)).ok());
}

}  // namespace
}  // namespace ringback::delivery
