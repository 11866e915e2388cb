#include "ingest/log_call.h"

#include <algorithm>

#include "core/domain/team.h"

namespace ringback::ingest {
namespace {

constexpr size_t kNoteMax = 4000;
constexpr size_t kExtensionMax = 40;
// Clocks differ; what is further ahead is no clock's fault.
constexpr absl::Duration kAheadMax = absl::Minutes(5);

absl::StatusOr<domain::LogAttempt> Check(const rpc::Call& call, const api::LogCallRequest& request,
                                         const record::TeamRecord& team) {
  domain::LogAttempt command;
  if (!api::AttemptOutcome_IsValid(request.outcome()) || request.outcome() == api::ATTEMPT_OUTCOME_UNSPECIFIED) {
    return domain::InvalidField("outcome", "OUTCOME_MISSING",
                                "say what came of it: reached, no answer, busy, voicemail or wrong number");
  }
  command.outcome = static_cast<record::AttemptRecord::Outcome>(request.outcome());
  command.called_time = request.has_called_time() ? rpc::FromProto(request.called_time()) : call.now;
  if (command.called_time > call.now + kAheadMax) {
    return domain::InvalidField("called_time", "CALLED_TIME_AHEAD", "a call is logged once it was made");
  }
  command.called_time = std::min(command.called_time, call.now);
  RB_ASSIGN_OR_RETURN(command.note, domain::SeveralLines(request.note(), kNoteMax, "note"));
  RB_ASSIGN_OR_RETURN(const std::string extension, domain::OneLine(request.extension(), kExtensionMax, "extension"));
  if (const record::Member* member = domain::FindByExtension(team, extension)) command.member_id = member->id();
  return command;
}

}  // namespace

absl::Status LogCall(runtime::Host& host, const rpc::Call& call, const api::LogCallRequest& request,
                     api::LogCallResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  record::Caller caller;
  RB_ASSIGN_OR_RETURN(*caller.mutable_phone(), domain::NormalisePhone(request.phone(), host.config().region, "phone"));
  RB_ASSIGN_OR_RETURN(const domain::LogAttempt command, Check(call, request, team.message));
  return rpc::Once<api::LogCallRequest, api::LogCallResponse>(
      host.rpc(), call, request, response, [&](store::Commit* commit, api::LogCallResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        RB_ASSIGN_OR_RETURN(const auto open, FindOpenCallback(host.store(), call.principal.shard, team.message.id(),
                                                              store::SubjectKeys(caller)));
        if (!open.has_value() || command.called_time < rpc::FromProto(open->message.create_time())) return absl::OkStatus();
        const domain::Actor actor{call.principal.ActorId()};
        RB_ASSIGN_OR_RETURN(const domain::Decision decision,
                            domain::Apply(open->message, command, team.message, actor, now));
        store::AddDecision(&open->message, open->version, decision, now, commit);
        answer->set_logged(true);
        answer->set_callback_id(decision.callback.id());
        return absl::OkStatus();
      });
}

}  // namespace ringback::ingest
