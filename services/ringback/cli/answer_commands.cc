// What the team answers to its customer: accept, counter and decline a wished time, reopen what was called off, and the
// times that are free.
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/done.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

using domain::FromProto;
using domain::ToProto;

// Answers the wish as the server has it; `at` unset: as wished.
absl::Status Answer(Session& session, const std::string& id, std::optional<absl::Time> at) {
  RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(id));
  v1::AnswerProposalRequest request;
  v1::AnswerProposalResponse response;
  request.set_request_id(session.NewRequestId());
  request.set_callback_id(callback.id());
  if (at.has_value()) *request.mutable_promised_time() = ToProto(*at);
  RB_RETURN_IF_ERROR(
      session.Call([&](auto* context) { return session.callbacks().AnswerProposal(context, request, &response); }));
  PrintWarnings(session, response);
  if (at.has_value()) {
    PrintDone(session, response, absl::StrCat("offered ", WhenWords(*at, session.Now(), session.Zone()),
                                              "; it counts once the mail is accepted"));
  } else {
    PrintDone(session, response, absl::StrCat("accepted", DueHint(session, response.callback())));
  }
  return absl::OkStatus();
}

void AddAccept(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("accept", "Say yes to the time that the customer wishes");
  command->add_option("ID", *id, "The callback")->required();
  commands.OnServer(command, [id](Session& session) { return Answer(session, *id, std::nullopt); });
}

void AddCounter(Commands& commands) {
  struct Args {
    std::string id, time;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("counter", "Offer the customer another time than the wished or the declined one");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("TIME", args->time, "13:00, \"tomorrow 9:30\", +2h, RFC 3339")->required();
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParseTime(args->time, "promise"));
    return Answer(session, args->id, at);
  });
}

void AddDecline(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("decline", "Let it stay as promised, and tell the customer");
  command->add_option("ID", *id, "The callback")->required();
  commands.OnServer(command, [id](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(*id));
    v1::DeclineProposalRequest request;
    v1::DeclineProposalResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().DeclineProposal(context, request, &response); }));
    PrintWarnings(session, response);
    PrintDone(session, response, absl::StrCat("declined; it stays as promised", DueHint(session, response.callback())));
    return absl::OkStatus();
  });
}

void AddReopen(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("reopen", "Undo the customer's call-off");
  command->add_option("ID", *id, "The callback")->required();
  commands.OnServer(command, [id](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(*id));
    v1::ReopenCallbackRequest request;
    v1::ReopenCallbackResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().ReopenCallback(context, request, &response); }));
    PrintDone(session, response, absl::StrCat("open again", DueHint(session, response.callback())));
    return absl::OkStatus();
  });
}

void AddSlots(Commands& commands) {
  struct Args {
    std::string id;
    int count = 0;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("slots", "When the assignee is free: the times a customer is offered");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("--count", args->count, "At most so many; 12 if not said")->check(CLI::Range(1, 100));
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    v1::ListSlotsRequest request;
    v1::ListSlotsResponse response;
    request.set_callback_id(callback.id());
    request.set_count(args->count);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().ListSlots(context, request, &response); }));
    std::ostream& out = *session.world().out;
    if (session.options().json) {
      out << ToJson(response) << "\n";
      return absl::OkStatus();
    }
    if (response.slots().empty()) out << "Nothing is free within 90 days.\n";
    for (const auto& slot : response.slots()) out << WhenWords(FromProto(slot), session.Now(), session.Zone()) << "\n";
    return absl::OkStatus();
  });
}

}  // namespace

void AddAnswerCommands(Commands& commands) {
  AddAccept(commands);
  AddCounter(commands);
  AddDecline(commands);
  AddReopen(commands);
  AddSlots(commands);
}

}  // namespace ringback::cli
