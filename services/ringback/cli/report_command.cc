// report: how reliably the team kept its word, week by week.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

struct Args {
  std::string from, to;
  bool by_member = false;
};

std::string Median(bool has, const google::protobuf::Duration& span) {
  return has ? SpanWords(domain::FromProto(span)) : "";
}

absl::Status Report(Session& session, const Args& args) {
  v1::GetReportRequest request;
  v1::GetReportResponse response;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_from_week(args.from);
  request.set_to_week(args.to);
  request.set_by_member(args.by_member);
  RB_RETURN_IF_ERROR(session.Call([&](auto* context) { return session.teams().GetReport(context, request, &response); }));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  Table table({"WEEK", "OF", "KEPT", "LATE", "MISSED", "MOVED BY CUSTOMER", "MOVED BY TEAM", "CALLED OFF", "REQUESTED",
               "ATTEMPTED", "REACHED", "LATE BY", "FIRST PROMISE AFTER"});
  for (const v1::ReportWeek& week : response.weeks()) {
    table.Row({week.week(), week.member_id().empty() ? "" : session.NameOf(week.member_id()), absl::StrCat(week.kept()),
               absl::StrCat(week.late()), absl::StrCat(week.missed()), absl::StrCat(week.moved_by_customer()),
               absl::StrCat(week.moved_by_team()), absl::StrCat(week.cancelled_by_customer()),
               absl::StrCat(week.requested()), absl::StrCat(week.attempted()), absl::StrCat(week.reached()),
               Median(week.has_lateness_median(), week.lateness_median()),
               Median(week.has_first_promise_median(), week.first_promise_median())});
  }
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

}  // namespace

void AddReportCommand(Commands& commands) {
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand(
      "report", "How reliably the team kept its word, week by week, with medians; a rep's own figures for a rep");
  command->add_option("--from", args->from, "The first week, 2026-W37; eleven before the last if not said")->type_name("WEEK");
  command->add_option("--to", args->to, "The last one; this week if not said")->type_name("WEEK");
  command->add_flag("--by-member", args->by_member, "Each member's too; needs --member-figures on");
  commands.OnServer(command, [args](Session& session) { return Report(session, *args); });
}

}  // namespace ringback::cli
