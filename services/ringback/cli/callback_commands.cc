// The commands that change one callback: request, promise, call, attempt, complete, cancel, assign, ack, snooze, caller. Those
// that answer the customer's wish are in answer_commands.cc.
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/caller_options.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/done.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

using domain::ToProto;

// A span as typed, or an error that names the option.
absl::Status SetSpan(const std::string& text, const std::string& field, google::protobuf::Duration* span) {
  const absl::StatusOr<absl::Duration> parsed = ParseSpan(text);
  if (!parsed.ok()) {
    return domain::InvalidField(field, "NOT_A_SPAN", std::string(parsed.status().message()));
  }
  *span = ToProto(*parsed);
  return absl::OkStatus();
}

void AddRequest(Commands& commands) {
  struct Args {
    CallerOptions caller;
    std::string note, assignee;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("request", "Take in a caller who waits");
  args->caller.AddTo(command);
  command->add_option("--note", args->note, "What is known: \"hat dreimal angerufen\"");
  command->add_option("--assignee", args->assignee, "Who owes the call: name, mail address, id or \"me\"");
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    if (!args->caller.CanBeReached()) return UsageError("say at least one of --name, --phone and --email");
    v1::CreateCallbackRequest request;
    v1::CreateCallbackResponse response;
    request.set_request_id(session.NewRequestId());
    RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
    *request.mutable_caller() = args->caller.ToProto();
    request.set_note(args->note);
    if (!args->assignee.empty()) {
      RB_ASSIGN_OR_RETURN(const v1::Member member, session.FindMember(args->assignee));
      request.set_assignee_id(member.id());
    }
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().CreateCallback(context, request, &response); }));
    PrintWarnings(session, response);
    const v1::Callback& callback = response.callback();
    if (session.options().json) {
      PrintDone(session, response, "");
    } else if (response.rang_again() && !callback.has_caller()) {  // a colleague's, whose content is not ours to see
      *session.world().out << callback.id() << "  asked again; " << Printable(callback.assignee_name()) << " owes the call\n";
    } else if (response.rang_again()) {
      PrintAfter(session, callback, absl::StrCat("asked again (", callback.rings(), " times); ",
                                                 StateWords(callback, session.Now()), DueHint(session, callback)));
    } else {
      PrintAfter(session, callback, absl::StrCat("taken in", DueHint(session, callback)));
    }
    return absl::OkStatus();
  });
}

void AddPromise(Commands& commands) {
  struct Args {
    std::string id, time, text;
    bool spoken = false, link_shared = false, confirm = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("promise", "Promise a time that the customer was told without a recording");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("TIME", args->time, "13:00, \"tomorrow 9:30\", +2h, RFC 3339")->required();
  CLI::Option* spoken = command->add_flag("--spoken", args->spoken, "Said on the phone");
  command->add_flag("--link-shared", args->link_shared, "The page's link was shared by hand")->excludes(spoken);
  command->add_flag("--confirm", args->confirm, "Also in writing: a mail with the time and a calendar entry")->needs(spoken);
  command->add_option("--text", args->text, "What was said, in words");
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    if (!args->spoken && !args->link_shared) {
      return UsageError("say how the customer was told: --spoken or --link-shared (a voice message goes by `ringback send`)");
    }
    v1::MakePromiseRequest request;
    v1::MakePromiseResponse response;
    RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParseTime(args->time, "promise"));
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    *request.mutable_promised_time() = ToProto(at);
    request.set_channel(args->spoken ? v1::PROMISE_CHANNEL_SPOKEN : v1::PROMISE_CHANNEL_LINK_SHARED);
    request.set_spoken_text(args->text);
    request.set_confirm(args->confirm);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().MakePromise(context, request, &response); }));
    PrintWarnings(session, response);
    std::string what = absl::StrCat("promised ", WhenWords(at, session.Now(), session.Zone()));
    if (args->link_shared && !response.callback().page_url().empty()) {
      absl::StrAppend(&what, "; share ", response.callback().page_url());
    }
    if (args->confirm) absl::StrAppend(&what, "; a confirmation goes to ", response.callback().caller().email());
    PrintDone(session, response, what);
    return absl::OkStatus();
  });
}

void AddAttempt(Commands& commands) {
  struct Args {
    std::string id, outcome, called_at, note;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("attempt", "Log a call or a conversation");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("--outcome", args->outcome, "What came of it")
      ->required()
      ->check(CLI::IsMember({"reached", "no-answer", "busy", "voicemail", "wrong-number"}));
  command->add_option("--called-at", args->called_at, "When it was, if not now: 12:58, \"yesterday 17:30\", =-10m");
  command->add_option("--note", args->note, "In words");
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    v1::LogAttemptRequest request;
    v1::LogAttemptResponse response;
    if (!args->called_at.empty()) {
      RB_ASSIGN_OR_RETURN(const absl::Time at, session.ParsePastTime(args->called_at, "called-at"));
      *request.mutable_called_time() = ToProto(at);
    }
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    request.set_outcome(args->outcome == "reached"     ? v1::ATTEMPT_OUTCOME_REACHED
                        : args->outcome == "no-answer" ? v1::ATTEMPT_OUTCOME_NO_ANSWER
                        : args->outcome == "busy"      ? v1::ATTEMPT_OUTCOME_BUSY
                        : args->outcome == "voicemail" ? v1::ATTEMPT_OUTCOME_VOICEMAIL
                                                       : v1::ATTEMPT_OUTCOME_WRONG_NUMBER);
    request.set_note(args->note);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().LogAttempt(context, request, &response); }));
    PrintWarnings(session, response);
    std::string what = absl::StrCat("logged \"", OutcomeWords(request.outcome()), "\"");
    // What this call made of the promise, if it settled one.
    const auto& before = callback.promises();
    const auto& after = response.callback().promises();
    for (int i = 0; i < after.size(); ++i) {
      const bool settled_before = i < before.size() && before[i].state() == v1::Promise::STATE_SETTLED;
      if (after[i].state() == v1::Promise::STATE_SETTLED && !settled_before) {
        absl::StrAppend(&what, "; the promise of ",
                        ClockWords(domain::FromProto(after[i].promised_time()), session.Now(), session.Zone()), ": ",
                        VerdictWords(after[i]));
      }
    }
    PrintDone(session, response, absl::StrCat(what, DueHint(session, response.callback())));
    return absl::OkStatus();
  });
}

// complete, cancel: an id and a text.
template <typename Request, typename Response>
void AddClosing(Commands& commands, const char* name, const char* help, const char* option, const char* option_help,
                const char* what, void (*set)(Request*, const std::string&),
                grpc::Status (v1::CallbackService::Stub::*method)(grpc::ClientContext*, const Request&, Response*)) {
  struct Args {
    std::string id, text;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand(name, help);
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option(option, args->text, option_help)->required();
  commands.OnServer(command, [args, what, set, method](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    Request request;
    Response response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    set(&request, args->text);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return (session.callbacks().*method)(context, request, &response); }));
    PrintWarnings(session, response);
    PrintDone(session, response, what);
    return absl::OkStatus();
  });
}

void AddAssign(Commands& commands) {
  struct Args {
    std::string id, member;
    bool nobody = false;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("assign", "Give the callback to another member, or back to nobody");
  command->add_option("ID", args->id, "The callback")->required();
  CLI::Option* const to = command->add_option("MEMBER", args->member, "Name, mail address, id or \"me\"");
  command->add_flag("--nobody", args->nobody, "It waits for whoever takes it; not while a promise runs")->excludes(to);
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    if (args->member.empty() && !args->nobody) return UsageError("say who owes the call from now on: a member, or --nobody");
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    v1::Member member;
    if (!args->nobody) {
      RB_ASSIGN_OR_RETURN(member, session.FindMember(args->member));
    }
    v1::AssignCallbackRequest request;
    v1::AssignCallbackResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    request.set_member_id(member.id());
    request.set_nobody(args->nobody);
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().AssignCallback(context, request, &response); }));
    PrintWarnings(session, response);
    PrintDone(session, response, absl::StrCat("is with ", args->nobody ? "nobody" : member.name(), " now",
                                              DueHint(session, response.callback())));
    return absl::OkStatus();
  });
}

void AddAck(Commands& commands) {
  struct Args {
    std::string id, timeout;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("ack", "\"I have it\": hold the alarms, not the clock");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("--timeout", args->timeout, "How long, 1m to 7d; else the policy's")->type_name("SPAN");
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    v1::AcknowledgeCallbackRequest request;
    v1::AcknowledgeCallbackResponse response;
    if (!args->timeout.empty()) RB_RETURN_IF_ERROR(SetSpan(args->timeout, "timeout", request.mutable_timeout()));
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(session.Call(
        [&](auto* context) { return session.reminders().AcknowledgeCallback(context, request, &response); }));
    const v1::Escalation& escalation = response.callback().escalation();
    PrintDone(session, response, absl::StrCat("acknowledged; alarms are held until ",
                                              When(session, escalation.has_acknowledged_until(),
                                                   escalation.acknowledged_until())));
    return absl::OkStatus();
  });
}

void AddCall(Commands& commands) {
  auto id = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("call", "Say that you are calling now; log what came of it with attempt");
  command->add_option("ID", *id, "The callback")->required();
  commands.OnServer(command, [id](Session& session) -> absl::Status {
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(*id));
    v1::StartCallRequest request;
    v1::StartCallResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().StartCall(context, request, &response); }));
    const std::string& phone = response.callback().caller().phone();
    PrintDone(session, response, absl::StrCat("calling", phone.empty() ? "" : " ", phone));
    return absl::OkStatus();
  });
}

void AddSnooze(Commands& commands) {
  struct Args {
    std::string id, span;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("snooze", "Be reminded again later, never past the promised time");
  command->add_option("ID", args->id, "The callback")->required();
  command->add_option("SPAN", args->span, "How much later: 10m")->required();
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    v1::SnoozeCallbackRequest request;
    v1::SnoozeCallbackResponse response;
    RB_RETURN_IF_ERROR(SetSpan(args->span, "duration", request.mutable_duration()));
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.reminders().SnoozeCallback(context, request, &response); }));
    PrintDone(session, response, absl::StrCat("reminds again ", When(session, response.callback().has_next_timer_time(),
                                                                     response.callback().next_timer_time())));
    return absl::OkStatus();
  });
}

void AddCaller(Commands& commands) {
  struct Args {
    std::string id;
    CallerOptions caller;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("caller", "Correct what is known of a callback's caller; \"\" empties a field");
  command->add_option("ID", args->id, "The callback")->required();
  args->caller.AddTo(command);
  commands.OnServer(command, [args](Session& session) -> absl::Status {
    const google::protobuf::FieldMask mask = args->caller.given.Mask();
    if (mask.paths().empty()) return UsageError("say what is to be corrected, for example --email");
    RB_ASSIGN_OR_RETURN(const v1::Callback callback, session.FindCallback(args->id));
    v1::UpdateCallerRequest request;
    v1::UpdateCallerResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_callback_id(callback.id());
    *request.mutable_caller() = args->caller.ToProto();
    *request.mutable_update_mask() = mask;
    RB_RETURN_IF_ERROR(
        session.Call([&](auto* context) { return session.callbacks().UpdateCaller(context, request, &response); }));
    PrintDone(session, response, "corrected");
    return absl::OkStatus();
  });
}

}  // namespace

void AddCallbackCommands(Commands& commands) {
  AddRequest(commands);
  AddPromise(commands);
  AddCall(commands);
  AddAttempt(commands);
  AddClosing<v1::CompleteCallbackRequest, v1::CompleteCallbackResponse>(
      commands, "complete", "Close a callback after an attempt", "--disposition", "What came of it, in your words",
      "completed", [](auto* request, const std::string& text) { request->set_disposition(text); },
      &v1::CallbackService::Stub::CompleteCallback);
  AddClosing<v1::CancelCallbackRequest, v1::CancelCallbackResponse>(
      commands, "cancel", "Close a callback without an attempt; tells the managers", "--reason", "Why", "cancelled",
      [](auto* request, const std::string& text) { request->set_reason(text); },
      &v1::CallbackService::Stub::CancelCallback);
  AddAssign(commands);
  AddAck(commands);
  AddSnooze(commands);
  AddCaller(commands);
}

}  // namespace ringback::cli
