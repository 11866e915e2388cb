// policy: show one that can be edited, set it, and see beforehand what it would send.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/policy_file.h"
#include "ringback/cli/print.h"

namespace ringback::cli {
namespace {

std::string Toml(Session& session, const v1::Policy& policy) {
  return PolicyToml(policy, [&](const std::string& id) { return session.NameOf(id); });
}

absl::Status Show(Session& session) {
  v1::GetPolicyRequest request;
  v1::GetPolicyResponse response;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().GetPolicy(context, request, &response); }, As::kMemberThenOperator));
  *session.world().out << (session.options().json ? ToJson(response) + "\n" : Toml(session, response.policy()));
  return absl::OkStatus();
}

absl::StatusOr<v1::Policy> FromFile(Session& session, const std::string& file) {
  RB_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, 1 << 20, session.world()));
  absl::StatusOr<v1::Policy> policy = ParsePolicy(text, [&](const std::string& who) -> absl::StatusOr<std::string> {
    RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
    return member.id();
  });
  if (!absl::IsInvalidArgument(policy.status())) return policy;
  return absl::InvalidArgumentError(absl::StrCat(file, ": ", policy.status().message()));
}

absl::Status Set(Session& session, const std::string& file) {
  RB_ASSIGN_OR_RETURN(const v1::Policy policy, FromFile(session, file));
  v1::SetPolicyRequest request;
  v1::SetPolicyResponse response;
  request.set_request_id(session.NewRequestId());
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  *request.mutable_policy() = policy;
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.teams().SetPolicy(context, request, &response); }, As::kMemberThenOperator));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
  } else {
    *session.world().out << "policy set: " << response.policy().steps_size()
                         << (response.policy().steps_size() == 1 ? " step" : " steps")
                         << "; open callbacks follow it from their next timer on\n";
  }
  return absl::OkStatus();
}

struct PreviewArgs {
  std::string file, at, assignee;
};

absl::Status Preview(Session& session, const PreviewArgs& args) {
  v1::PreviewPolicyRequest request;
  v1::PreviewPolicyResponse response;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  if (!args.file.empty()) {
    RB_ASSIGN_OR_RETURN(*request.mutable_policy(), FromFile(session, args.file));
  }
  if (!args.at.empty()) {
    RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParseTime(args.at, "at"));
    *request.mutable_promised_time() = domain::ToProto(at);
  }
  if (!args.assignee.empty()) {
    RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(args.assignee));
    request.set_assignee_id(member.id());
  }
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.teams().PreviewPolicy(context, request, &response); }));
  if (session.options().json) {
    *session.world().out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  Table table({"WHEN", "WHAT", "TOLD"});
  for (const v1::PreviewLine& line : response.lines()) {
    std::string what = line.step() == 0 ? "reminder" : absl::StrCat("step ", line.step());
    if (line.round() > 1) absl::StrAppend(&what, ", round ", line.round());
    if (line.daily()) absl::StrAppend(&what, ", daily from then on");
    table.Row({When(session, true, line.fire_time()), what,
               absl::StrJoin(line.member_ids(), ", ",
                             [&](std::string* out, const std::string& id) { out->append(session.NameOf(id)); })});
  }
  table.Print(*session.world().out, session.world().ColourOut());
  return absl::OkStatus();
}

}  // namespace

void AddPolicyCommands(Commands& commands) {
  CLI::App* policy = commands.app().add_subcommand("policy", "When a callback past its time alarms whom");
  policy->require_subcommand(1);
  commands.OnServer(policy->add_subcommand("show", "As a TOML file that can be edited and set again"), Show);
  auto file = std::make_shared<std::string>();
  CLI::App* set = policy->add_subcommand("set", "Replace the policy");
  set->add_option("FILE", *file, "TOML or JSON, as show prints it; - reads standard input")->required();
  commands.OnServer(set, [file](Session& session) { return Set(session, *file); });
  auto args = std::make_shared<PreviewArgs>();
  CLI::App* preview = policy->add_subcommand("preview", "What it would send, when and to whom, if nobody kept a promise");
  preview->add_option("FILE", args->file, "TOML or JSON, as show prints it; - reads standard input; else the team's policy");
  preview->add_option("--at", args->at, "What was promised: 13:00, \"tomorrow 9:30\"; else the next full hour of work")
      ->type_name("TIME");
  preview->add_option("--assignee", args->assignee, "Who owes the call: name, mail address, id or \"me\"; else nobody");
  commands.OnServer(preview, [args](Session& session) { return Preview(session, *args); });
}

}  // namespace ringback::cli
