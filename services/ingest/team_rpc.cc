#include "ingest/team_rpc.h"

#include "ingest/hand_over.h"
#include "ingest/policy_preview.h"
#include "ingest/read_holidays.h"
#include "ingest/report.h"
#include "ingest/team_members.h"
#include "ingest/team_sign_ins.h"
#include "ingest/team_tokens.h"
#include "ingest/teams.h"
#include "ringback/v1/team_service.grpc.pb.h"

namespace ringback::ingest {
namespace {

using Context = grpc::CallbackServerContext;

class TeamRpc final : public api::TeamService::CallbackService {
 public:
  explicit TeamRpc(runtime::Host& host) : host_(host) {}

  grpc::ServerUnaryReactor* CreateTeam(Context* context, const api::CreateTeamRequest* request,
                                       api::CreateTeamResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/CreateTeam", request, response, &ingest::CreateTeam);
  }
  grpc::ServerUnaryReactor* GetTeam(Context* context, const api::GetTeamRequest* request,
                                    api::GetTeamResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/GetTeam", request, response, &ingest::GetTeam);
  }
  grpc::ServerUnaryReactor* ListTeams(Context* context, const api::ListTeamsRequest* request,
                                      api::ListTeamsResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/ListTeams", request, response, &ingest::ListTeams);
  }
  grpc::ServerUnaryReactor* UpdateTeam(Context* context, const api::UpdateTeamRequest* request,
                                       api::UpdateTeamResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/UpdateTeam", request, response, &ingest::UpdateTeam);
  }
  grpc::ServerUnaryReactor* AddMember(Context* context, const api::AddMemberRequest* request,
                                      api::AddMemberResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/AddMember", request, response, &ingest::AddMember);
  }
  grpc::ServerUnaryReactor* UpdateMember(Context* context, const api::UpdateMemberRequest* request,
                                         api::UpdateMemberResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/UpdateMember", request, response, &ingest::UpdateMember);
  }
  grpc::ServerUnaryReactor* RemoveMember(Context* context, const api::RemoveMemberRequest* request,
                                         api::RemoveMemberResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/RemoveMember", request, response, &ingest::RemoveMember);
  }
  grpc::ServerUnaryReactor* SetAbsence(Context* context, const api::SetAbsenceRequest* request,
                                       api::SetAbsenceResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/SetAbsence", request, response, &ingest::SetAbsence);
  }
  grpc::ServerUnaryReactor* HandOverMember(Context* context, const api::HandOverMemberRequest* request,
                                           api::HandOverMemberResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/HandOverMember", request, response, &ingest::HandOverMember);
  }
  grpc::ServerUnaryReactor* GetPolicy(Context* context, const api::GetPolicyRequest* request,
                                      api::GetPolicyResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/GetPolicy", request, response, &ingest::GetPolicy);
  }
  grpc::ServerUnaryReactor* SetPolicy(Context* context, const api::SetPolicyRequest* request,
                                      api::SetPolicyResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/SetPolicy", request, response, &ingest::SetPolicy);
  }
  grpc::ServerUnaryReactor* PreviewPolicy(Context* context, const api::PreviewPolicyRequest* request,
                                          api::PreviewPolicyResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/PreviewPolicy", request, response, &ingest::PreviewPolicy);
  }
  grpc::ServerUnaryReactor* CreateToken(Context* context, const api::CreateTokenRequest* request,
                                        api::CreateTokenResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/CreateToken", request, response, &ingest::CreateToken);
  }
  grpc::ServerUnaryReactor* ListTokens(Context* context, const api::ListTokensRequest* request,
                                       api::ListTokensResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/ListTokens", request, response, &ingest::ListTokens);
  }
  grpc::ServerUnaryReactor* RevokeToken(Context* context, const api::RevokeTokenRequest* request,
                                        api::RevokeTokenResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/RevokeToken", request, response, &ingest::RevokeToken);
  }
  grpc::ServerUnaryReactor* CreateSignIn(Context* context, const api::CreateSignInRequest* request,
                                         api::CreateSignInResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/CreateSignIn", request, response, &ingest::CreateSignIn);
  }
  grpc::ServerUnaryReactor* RevokeSessions(Context* context, const api::RevokeSessionsRequest* request,
                                           api::RevokeSessionsResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/RevokeSessions", request, response, &ingest::RevokeSessions);
  }
  grpc::ServerUnaryReactor* GetTeamWeek(Context* context, const api::GetTeamWeekRequest* request,
                                        api::GetTeamWeekResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/GetTeamWeek", request, response, &ingest::GetTeamWeek);
  }
  grpc::ServerUnaryReactor* GetReport(Context* context, const api::GetReportRequest* request,
                                      api::GetReportResponse* response) override {
    return Run(host_, context, "/ringback.v1.TeamService/GetReport", request, response, &ingest::GetReport);
  }
  grpc::ServerUnaryReactor* ReadHolidays(Context* context, const api::ReadHolidaysRequest* request,
                                         api::ReadHolidaysResponse* response) override {
    return rpc::Unary<api::ReadHolidaysRequest, api::ReadHolidaysResponse>(
        host_.rpc(), context, "/ringback.v1.TeamService/ReadHolidays", request, response,
        [this](const rpc::Call& call, const api::ReadHolidaysRequest& asked, api::ReadHolidaysResponse* answer) {
          return ingest::ReadHolidays(host_, holidays_, call, asked, answer);
        });
  }

 private:
  runtime::Host& host_;
  calendars::HolidayReader holidays_{calendars::CalendarParserBesideThisProgram()};
};

}  // namespace

std::unique_ptr<grpc::Service> NewTeamRpc(runtime::Host& host) { return std::make_unique<TeamRpc>(host); }

}  // namespace ringback::ingest
