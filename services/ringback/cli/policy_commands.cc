// policy: show one that can be edited, and set it.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
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

absl::Status Set(Session& session, const std::string& file) {
  RB_ASSIGN_OR_RETURN(const std::string text, ReadFile(file, 1 << 20, session.world()));
  const absl::StatusOr<v1::Policy> policy =
      ParsePolicy(text, [&](const std::string& who) -> absl::StatusOr<std::string> {
        RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(who));
        return member.id();
      });
  if (!policy.ok()) {
    if (!absl::IsInvalidArgument(policy.status())) return policy.status();
    return absl::InvalidArgumentError(absl::StrCat(file, ": ", policy.status().message()));
  }
  v1::SetPolicyRequest request;
  v1::SetPolicyResponse response;
  request.set_request_id(session.NewRequestId());
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  *request.mutable_policy() = *policy;
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

}  // namespace

void AddPolicyCommands(Commands& commands) {
  CLI::App* policy = commands.app().add_subcommand("policy", "When a callback past its time alarms whom");
  policy->require_subcommand(1);
  commands.OnServer(policy->add_subcommand("show", "As a TOML file that can be edited and set again"), Show);
  auto file = std::make_shared<std::string>();
  CLI::App* set = policy->add_subcommand("set", "Replace the policy");
  set->add_option("FILE", *file, "TOML or JSON, as show prints it; - reads standard input")->required();
  commands.OnServer(set, [file](Session& session) { return Set(session, *file); });
}

}  // namespace ringback::cli
