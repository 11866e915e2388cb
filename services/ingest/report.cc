#include "ingest/report.h"

#include "core/domain/calendar.h"
#include "core/domain/figures.h"

namespace ringback::ingest {
namespace {

absl::StatusOr<domain::Counts> CountsOf(runtime::Host& host, int shard, const std::string& team_id, const std::string& week) {
  RB_ASSIGN_OR_RETURN(const auto counters, host.store().Counters(shard, team_id, week));
  return domain::Counts(counters.begin(), counters.end());
}

api::ReportWeek FiguresOf(const domain::Counts& counts, const std::string& week, const std::string& member_id) {
  api::ReportWeek figures;
  const auto count = [&](std::string_view name) { return domain::CountOf(counts, name, member_id); };
  figures.set_week(week);
  figures.set_member_id(member_id);
  figures.set_kept(count("kept"));
  figures.set_late(count("late"));
  figures.set_missed(count("missed"));
  figures.set_moved_by_customer(count("moved_by_customer"));
  figures.set_moved_by_team(count("moved_by_team"));
  figures.set_cancelled_by_customer(count("cancelled_by_customer"));
  figures.set_attempted(count("attempted"));
  figures.set_reached(count("reached"));
  figures.set_requested(count("requested"));
  if (const auto median = domain::MedianOf(counts, domain::kLateBy, member_id)) {
    *figures.mutable_lateness_median() = rpc::ToProto(*median);
  }
  if (const auto median = domain::MedianOf(counts, domain::kFirstPromise, member_id)) {
    *figures.mutable_first_promise_median() = rpc::ToProto(*median);
  }
  return figures;
}

}  // namespace

absl::Status GetTeamWeek(runtime::Host& host, const rpc::Call& call, const api::GetTeamWeekRequest& request,
                         api::GetTeamWeekResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.message.id()));
  RB_ASSIGN_OR_RETURN(const absl::TimeZone zone, domain::LoadZone(team.message.time_zone()));
  const std::string week = request.week().empty() ? domain::IsoWeek(call.now, zone) : request.week();
  if (!domain::WeeksOf(week, week, call.now, zone).ok()) {
    return domain::InvalidField("week", "WEEK_INVALID", "an ISO week like 2026-W48");
  }
  RB_ASSIGN_OR_RETURN(const domain::Counts counts, CountsOf(host, key.shard, team.message.id(), week));
  const bool sees_members = rpc::Manages(call.principal) && team.message.member_figures();
  for (const auto& [name, count] : counts) {
    const size_t slash = name.find('/');  // "kept/mb07…": one member's
    if (slash != std::string::npos && !sees_members &&
        (call.principal.member_id.empty() || name.substr(slash + 1) != call.principal.member_id)) {
      continue;
    }
    (*response->mutable_counts())[name] = count;
  }
  response->set_week(week);
  return absl::OkStatus();
}

absl::Status GetReport(runtime::Host& host, const rpc::Call& call, const api::GetReportRequest& request,
                       api::GetReportResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.message.id()));
  RB_ASSIGN_OR_RETURN(const absl::TimeZone zone, domain::LoadZone(team.message.time_zone()));
  RB_ASSIGN_OR_RETURN(const auto weeks, domain::WeeksOf(request.from_week(), request.to_week(), call.now, zone));
  const bool leads = rpc::Manages(call.principal);
  if (leads && request.by_member() && !team.message.member_figures()) {
    return domain::FieldError(absl::StatusCode::kFailedPrecondition, "by_member", "MEMBER_FIGURES_OFF",
                              "each member's figures are shown once an admin of the team switches member_figures on");
  }
  for (const std::string& week : weeks) {
    RB_ASSIGN_OR_RETURN(const domain::Counts counts, CountsOf(host, key.shard, team.message.id(), week));
    if (!leads) {
      *response->add_weeks() = FiguresOf(counts, week, call.principal.member_id);
      continue;
    }
    *response->add_weeks() = FiguresOf(counts, week, "");
    if (!request.by_member()) continue;
    for (const std::string& member : domain::MembersIn(counts)) *response->add_weeks() = FiguresOf(counts, week, member);
  }
  return absl::OkStatus();
}

}  // namespace ringback::ingest
