// Reports, previews and holidays through the service: who may ask, and that the answer is what domain makes of it.
#include "core/domain/escalation.h"
#include "ingest/ingest_fixture.h"
#include "ingest/read_holidays.h"

namespace ringback::ingest {
namespace {

using Stub = api::TeamService::Stub;

class ReportTest : public IngestTest {
 protected:
  // A callback of the member, promised for two hours from now and called `late` after that.
  void CallLate(int n, const std::string& token, absl::Duration late) {
    api::CreateCallbackRequest create = Mueller();
    create.mutable_caller()->set_phone("030 12345" + std::to_string(n));
    create.mutable_caller()->set_email("c" + std::to_string(n) + "@example.com");
    const std::string id = Create(create, token).id();
    host_->fake_clock().Advance(absl::Minutes(8));
    api::MakePromiseRequest promise;
    promise.set_request_id(NextRequestId());
    promise.set_callback_id(id);
    promise.set_channel(api::PROMISE_CHANNEL_SPOKEN);
    *promise.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + absl::Hours(2));
    api::MakePromiseResponse promised;
    ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, token).ok());
    host_->fake_clock().Advance(absl::Hours(2) + late);
    api::LogAttemptRequest attempt;
    attempt.set_request_id(NextRequestId());
    attempt.set_callback_id(id);
    attempt.set_outcome(api::ATTEMPT_OUTCOME_REACHED);
    api::LogAttemptResponse attempted;
    ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::LogAttempt, attempt, &attempted, token).ok());
  }
  absl::Status Report(const api::GetReportRequest& request, api::GetReportResponse* response, const std::string& token) {
    return Do(*teams_, &Stub::GetReport, request, response, token);
  }
  void ShowMemberFigures() {
    api::UpdateTeamRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_team()->set_id(team_.id);
    request.mutable_team()->set_member_figures(true);
    api::UpdateTeamResponse response;
    ASSERT_TRUE(Do(*teams_, &Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  }
};

TEST_F(ReportTest, AReportCountsTwelveWeeksWithTheirMedians) {
  CallLate(1, team_.anna_token, absl::Minutes(12));
  CallLate(2, team_.ben_token, absl::Minutes(2));  // within the tolerance
  api::GetReportResponse report;
  ASSERT_TRUE(Report({}, &report, team_.clara_token).ok());
  ASSERT_EQ(report.weeks_size(), 12);
  EXPECT_EQ(report.weeks(0).week(), "2026-W37");
  EXPECT_EQ(report.weeks(0).kept(), 0);
  EXPECT_FALSE(report.weeks(0).has_first_promise_median());
  const api::ReportWeek& now = report.weeks(11);
  EXPECT_EQ(now.week(), "2026-W48");
  EXPECT_EQ(now.member_id(), "");
  EXPECT_EQ(now.requested(), 2);
  EXPECT_EQ(now.kept(), 1);
  EXPECT_EQ(now.late(), 1);
  EXPECT_EQ(now.attempted(), 2);
  EXPECT_EQ(now.reached(), 2);
  EXPECT_EQ(now.lateness_median().seconds(), 750) << "between 10 and 15 minutes";
  EXPECT_EQ(now.first_promise_median().seconds(), 450) << "between 5 and 10 minutes";

  api::GetReportRequest old;
  old.set_from_week("2026-W40");
  old.set_to_week("2026-W41");
  ASSERT_TRUE(Report(old, &report, team_.clara_token).ok());
  EXPECT_EQ(report.weeks_size(), 2);
  old.set_to_week("2026-W39");
  EXPECT_EQ(FieldOf(Report(old, &report, team_.clara_token)), "from_week");
}

TEST_F(ReportTest, MembersFiguresNeedTheTeamsWordAndARepHasTheOwn) {
  CallLate(1, team_.anna_token, absl::Minutes(12));
  api::GetReportRequest request;
  request.set_from_week("2026-W48");
  request.set_to_week("2026-W48");
  request.set_by_member(true);
  api::GetReportResponse report;
  const absl::Status off = Report(request, &report, team_.clara_token);
  EXPECT_EQ(off.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(off), "MEMBER_FIGURES_OFF");
  for (const bool by_member : {false, true}) {
    request.set_by_member(by_member);
    ASSERT_TRUE(Report(request, &report, team_.anna_token).ok());
    ASSERT_EQ(report.weeks_size(), 1);
    EXPECT_EQ(report.weeks(0).member_id(), team_.anna);
    EXPECT_EQ(report.weeks(0).late(), 1);
    EXPECT_EQ(report.weeks(0).lateness_median().seconds(), 750);
    ASSERT_TRUE(Report(request, &report, team_.ben_token).ok());
    EXPECT_EQ(report.weeks(0).requested(), 0) << "nothing of Anna's, nothing of the team's";
  }
  ShowMemberFigures();
  ASSERT_TRUE(Report(request, &report, team_.clara_token).ok());
  ASSERT_EQ(report.weeks_size(), 2);
  EXPECT_EQ(report.weeks(0).member_id(), "");
  EXPECT_EQ(report.weeks(1).member_id(), team_.anna);
}

TEST_F(ReportTest, APolicyIsPreviewedBeforeItIsSet) {
  api::PreviewPolicyRequest request;
  request.set_assignee_id(team_.anna);
  api::PreviewPolicyResponse preview;
  const auto ask = [&](const std::string& token) { return Do(*teams_, &Stub::PreviewPolicy, request, &preview, token); };
  ASSERT_TRUE(ask(team_.clara_token).ok());
  ASSERT_GT(preview.lines_size(), 5);
  EXPECT_EQ(rpc::FromProto(preview.lines(1).fire_time()), Morning() + absl::Hours(1)) << "the next full hour";
  EXPECT_EQ(preview.lines(1).step(), 0);
  EXPECT_EQ(preview.lines(2).step(), 1);
  EXPECT_EQ(preview.lines(2).round(), 1);
  EXPECT_EQ(preview.lines(2).member_ids(1), team_.clara);
  EXPECT_TRUE(preview.lines().rbegin()->daily());

  *request.mutable_policy() = rpc::ToApi(domain::DefaultPolicy());
  request.mutable_policy()->mutable_steps(0)->mutable_delay()->set_seconds(60);
  *request.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(3));
  ASSERT_TRUE(ask(team_.admin_token).ok());
  EXPECT_EQ(rpc::FromProto(preview.lines(2).fire_time()), Morning() + absl::Hours(3) + absl::Minutes(1));
  request.mutable_policy()->mutable_steps(0)->mutable_recipients(0)->set_kind(api::Recipient::KIND_MEMBER);
  EXPECT_EQ(FieldOf(ask(team_.admin_token)), "policy.steps[0].recipients[0].member_id");
  EXPECT_EQ(ask(team_.anna_token).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(ReportTest, HolidaysAreReadOutOfACalendarFile) {
  calendars::HolidayReader reader(RINGBACK_CALENDAR_PARSER);
  rpc::Call call;
  call.principal.role = rpc::Role::kAdmin;
  call.principal.team_id = team_.id;
  call.now = Morning();
  api::ReadHolidaysRequest request;
  request.set_ics(
      "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20101225\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Weihnachten\r\n"
      "END:VEVENT\r\nEND:VCALENDAR\r\n");
  api::ReadHolidaysResponse response;
  ASSERT_TRUE(ReadHolidays(*host_, reader, call, request, &response).ok());
  std::vector<std::string> days;
  for (const auto& holiday : response.holidays()) days.push_back(holiday.date() + " " + holiday.name());
  EXPECT_THAT(days, testing::ElementsAre("2025-12-25 Weihnachten", "2026-12-25 Weihnachten", "2027-12-25 Weihnachten",
                                         "2028-12-25 Weihnachten"));
  for (const std::string& bytes : {std::string(), std::string("<html>"), std::string((1 << 20) + 1, 'x')}) {
    request.set_ics(bytes);
    EXPECT_EQ(FieldOf(ReadHolidays(*host_, reader, call, request, &response)), "ics");
  }
}

}  // namespace
}  // namespace ringback::ingest
