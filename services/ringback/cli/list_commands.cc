// open, show, history.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

void PrintList(Session& session, const v1::ListCallbacksResponse& list, bool closed) {
  std::ostream& out = *session.world().out;
  if (list.callbacks().empty()) {
    out << (closed ? "Nothing is closed.\n" : "Nobody waits.\n");
    return;
  }
  Table table({closed ? "CLOSED" : "DUE", "ID", "CALLER", "PHONE", "ASSIGNEE", "STATE"});
  int red = 0;
  for (const v1::Callback& callback : list.callbacks()) {
    table.Row({closed ? When(session, callback.has_close_time(), callback.close_time())
                      : When(session, callback.has_due_time(), callback.due_time()),
               callback.id(), Cut(Printable(CallerWords(callback.caller())), 40), callback.caller().phone(),
               Cut(Printable(callback.assignee_name()), 24), StateWords(callback, session.Now())},
              ColourOf(callback));
    if (!callback.delivery_alarm().empty()) {
      table.Note("! not heard by the customer: " + callback.delivery_alarm(), Colour::kRed);
    }
    red += ColourOf(callback) == Colour::kRed ? 1 : 0;
  }
  table.Print(out, session.world().ColourOut());
  if (!closed) {
    out << "\n" << list.callbacks_size() << (list.callbacks_size() == 1 ? " waits" : " wait");
    if (red > 0) out << Paint(absl::StrCat(", ", red, " in the red"), Colour::kRed, session.world().ColourOut());
    out << "\n";
  }
}

void AddOpen(Commands& commands) {
  struct Args {
    std::string assignee;
    bool overdue = false, closed = false, unassigned = false;
    int limit = 0;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("open", "Who waits, soonest due first");
  command->add_option("--assignee", args->assignee, "Only of this member: name, mail address, id or \"me\"");
  command->add_flag("--unassigned", args->unassigned, "Only those that nobody owes yet");
  command->add_flag("--overdue", args->overdue, "Only overdue ones");
  command->add_flag("--closed", args->closed, "Closed ones instead, newest first (50 unless --limit)");
  command->add_option("--limit", args->limit, "At most so many")->check(CLI::PositiveNumber);
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    v1::ListCallbacksRequest request;
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    if (!args->assignee.empty()) {
      RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(args->assignee));
      request.set_assignee_id(member.id());
    }
    request.set_unassigned_only(args->unassigned);
    request.set_overdue_only(args->overdue);
    request.set_closed(args->closed);
    int limit = args->limit > 0 ? args->limit : args->closed ? 50 : INT32_MAX;
    v1::ListCallbacksResponse all;
    do {
      v1::ListCallbacksResponse page;
      request.set_page_size(std::min(limit, 500));
      RB_RETURN_IF_ERROR(
          session.Call([&](auto* context) { return session.callbacks().ListCallbacks(context, request, &page); }));
      // The first page's revision: a watch from it misses nothing that changed while the others were read.
      if (request.page_token().empty()) all.set_revision(page.revision());
      limit -= page.callbacks_size();
      all.mutable_callbacks()->MergeFrom(page.callbacks());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty() && limit > 0);
    all.set_next_page_token(request.page_token());
    if (session.options().json) {
      *session.world().out << ToJson(all) << "\n";
    } else {
      PrintList(session, all, args->closed);
    }
    return absl::OkStatus();
  });
}

void AddShow(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("show", "All about one callback");
  command->add_option("ID", *id, "The callback; the first characters do")->required();
  commands.OnServer(command, [id](Session& session) -> absl::Status {
    v1::GetCallbackResponse response;
    RB_ASSIGN_OR_RETURN(*response.mutable_callback(), session.FindCallback(*id));
    v1::ListDeliveriesRequest request;
    v1::ListDeliveriesResponse deliveries;
    request.set_callback_id(response.callback().id());
    request.set_page_size(500);
    const absl::Status listed = session.Call(
        [&](auto* context) { return session.deliveries().ListDeliveries(context, request, &deliveries); });
    if (session.options().json) {
      RB_RETURN_IF_ERROR(listed);
      // One document with both: {"callback": …, "deliveries": […]}.
      std::string json = ToJson(response);
      std::string messages = ToJson(deliveries);
      json.pop_back();
      const size_t begin = messages.find("\"deliveries\"");
      const size_t end = messages.rfind(']');
      if (begin != std::string::npos && end != std::string::npos) {
        absl::StrAppend(&json, ",", messages.substr(begin, end + 1 - begin));
      }
      *session.world().out << json << "}\n";
      return absl::OkStatus();
    }
    PrintCallback(session, response.callback(), deliveries);
    return listed;
  });
}

void AddHistory(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("history", "Who did what and when");
  command->add_option("ID", *id, "The callback")->required();
  commands.OnServer(command, [id](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(*id));
    v1::ListHistoryRequest request;
    v1::ListHistoryResponse all;
    request.set_callback_id(callback.id());
    request.set_page_size(500);
    do {
      v1::ListHistoryResponse page;
      RB_RETURN_IF_ERROR(
          session.Call([&](auto* context) { return session.callbacks().ListHistory(context, request, &page); }));
      all.mutable_events()->MergeFrom(page.events());
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    if (session.options().json) {
      *session.world().out << ToJson(all) << "\n";
      return absl::OkStatus();
    }
    Table table({"#", "WHEN", "WHO", "WHAT", "DETAILS"});
    for (const v1::HistoryEvent& event : all.events()) {
      table.Row({absl::StrCat(event.number()), When(session, true, event.event_time()), session.NameOf(event.author()),
                 event.what(), DetailWords(event)});
    }
    table.Print(*session.world().out, session.world().ColourOut());
    return absl::OkStatus();
  });
}

}  // namespace

void AddListCommands(Commands& commands) {
  AddOpen(commands);
  AddShow(commands);
  AddHistory(commands);
}

}  // namespace ringback::cli
