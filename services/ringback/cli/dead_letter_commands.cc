// dead-letters: work that used up its retries, kept with its reason until somebody retries or drops it.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"

namespace ringback::cli {
namespace {

absl::Status List(Session& session) {
  v1::ListDeadLettersRequest request;
  v1::ListDeadLettersResponse all;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_page_size(500);
  do {
    v1::ListDeadLettersResponse page;
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.deliveries().ListDeadLetters(context, request, &page); },
        As::kMemberThenOperator));
    all.mutable_dead_letters()->MergeFrom(page.dead_letters());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::ostream& out = *session.world().out;
  if (session.options().json) {
    out << ToJson(all) << "\n";
  } else if (all.dead_letters().empty()) {
    out << "Nothing failed for good.\n";
  } else {
    Table table({"ID", "STAGE", "CALLBACK", "SINCE", "REASON"});
    for (const v1::DeadLetter& letter : all.dead_letters()) {
      table.Row({letter.id(), letter.stage(), letter.callback_id(), When(session, true, letter.create_time()),
                 letter.reason()});
    }
    table.Print(out, session.world().ColourOut());
  }
  return absl::OkStatus();
}

absl::Status Show(Session& session, const std::string& id) {
  v1::GetDeadLetterRequest request;
  v1::GetDeadLetterResponse response;
  request.set_id(id);
  RB_RETURN_IF_ERROR(session.Call(
      [&](auto* context) { return session.deliveries().GetDeadLetter(context, request, &response); },
      As::kMemberThenOperator));
  std::ostream& out = *session.world().out;
  if (session.options().json) {
    out << ToJson(response) << "\n";
    return absl::OkStatus();
  }
  const v1::DeadLetter& letter = response.dead_letter();
  Fields fields;
  fields.Add("id", letter.id());
  fields.Add("stage", letter.stage());
  fields.Add("callback", letter.callback_id());
  fields.Add("since", When(session, true, letter.create_time()));
  fields.Add("reason", letter.reason(), Colour::kRed);
  if (response.has_delivery()) {
    fields.Add("message", PlainWords(v1::Delivery::Kind_Name(response.delivery().kind()), "KIND_"));
    fields.Add("to", response.delivery().member_id().empty() ? "the customer"
                                                             : session.NameOf(response.delivery().member_id()));
    fields.Add("message-id", response.delivery().message_id());
  }
  fields.Print(out, session.world().ColourOut());
  if (response.delivery().tries().empty()) return absl::OkStatus();
  Table tries({"TRIED", "CHANNEL", "RESULT", "REASON"});
  for (const v1::Delivery::Try& attempt : response.delivery().tries()) {
    tries.Row({When(session, true, attempt.try_time()), attempt.channel(),
               attempt.accepted() ? "accepted" : attempt.permanent() ? "refused" : "failed", attempt.reason()});
  }
  out << "\n";
  tries.Print(out, session.world().ColourOut());
  return absl::OkStatus();
}

// retry, drop.
template <typename Request, typename Response>
void AddChange(Commands& commands, CLI::App* parent, const char* name, const char* help, const char* done,
               grpc::Status (v1::DeliveryService::Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = parent->add_subcommand(name, help);
  command->add_option("ID", *id, "The dead letter")->required();
  commands.OnServer(command, [id, done, method](Session& session) -> absl::Status {
    Request request;
    Response response;
    request.set_request_id(session.NewRequestId());
    request.set_id(*id);
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return (session.deliveries().*method)(context, request, &response); },
        As::kMemberThenOperator));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      *session.world().out << response.dead_letter().id() << ": " << done << "\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace

void AddDeadLetterCommands(Commands& commands) {
  CLI::App* letters = commands.app().add_subcommand("dead-letters", "Work that used up its retries");
  letters->require_subcommand(1);
  commands.OnServer(letters->add_subcommand("list", "All of them, newest first"), List);
  auto id = std::make_shared<std::string>();
  CLI::App* show = letters->add_subcommand("show", "One of them, with every try");
  show->add_option("ID", *id, "The dead letter")->required();
  commands.OnServer(show, [id](Session& session) { return Show(session, *id); });
  AddChange<v1::RetryDeadLetterRequest, v1::RetryDeadLetterResponse>(
      commands, letters, "retry", "Put it back to work", "back at work", &v1::DeliveryService::Stub::RetryDeadLetter);
  AddChange<v1::DropDeadLetterRequest, v1::DropDeadLetterResponse>(
      commands, letters, "drop", "Give it up; the history says who", "dropped",
      &v1::DeliveryService::Stub::DropDeadLetter);
}

}  // namespace ringback::cli
