// See print.h.
#include "ringback/cli/print.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/domain/proto_time.h"
#include "ringback/cli/times.h"

namespace ringback::cli {
namespace {

using domain::FromProto;

std::string PhaseWords(const v1::Callback& callback) {
  switch (callback.phase()) {
    case v1::Callback::PHASE_WAITING: {
      for (const v1::Promise& promise : callback.promises()) {
        if (promise.state() == v1::Promise::STATE_PENDING) return "promise on its way";
      }
      return "waits for a promise";
    }
    case v1::Callback::PHASE_PROMISED: return "promised";
    case v1::Callback::PHASE_FOLLOW_UP: return "to be called again";
    case v1::Callback::PHASE_TALKED: return "talked, to be closed";
    case v1::Callback::PHASE_CLOSED:
      return callback.closing() == v1::Callback::CLOSING_COMPLETED    ? "completed"
             : callback.closing() == v1::Callback::CLOSING_CALLED_OFF ? "called off by the customer"
                                                                      : "cancelled";
    default: return "";
  }
}

std::string PromiseStateWords(const v1::Promise& promise) {
  switch (promise.state()) {
    case v1::Promise::STATE_PENDING: return "on its way";
    case v1::Promise::STATE_ARMED: return "counts";
    case v1::Promise::STATE_SETTLED: return VerdictWords(promise);
    case v1::Promise::STATE_NOT_DELIVERED: return "NOT DELIVERED";
    case v1::Promise::STATE_WITHDRAWN: return "withdrawn";
    default: return "";
  }
}

void PrintPromises(Session& session, const v1::Callback& callback, std::ostream& out, bool colours) {
  if (callback.promises().empty()) return;
  Table table({"PROMISE", "TIME", "BY", "CHANNEL", "STATE", "TOLD", "AGREED", "DECLINED", "HEARD"});
  for (const v1::Promise& promise : callback.promises()) {
    table.Row({absl::StrCat(promise.revision()), When(session, true, promise.promised_time()),
               session.NameOf(promise.author()),
               PlainWords(v1::PromiseChannel_Name(promise.channel()), "PROMISE_CHANNEL_"), PromiseStateWords(promise),
               When(session, promise.has_accept_time(), promise.accept_time()),
               When(session, promise.has_agreed_time(), promise.agreed_time()),
               When(session, promise.has_decline_time(), promise.decline_time()),
               When(session, promise.has_heard_time(), promise.heard_time())},
              promise.state() == v1::Promise::STATE_NOT_DELIVERED ? Colour::kRed : Colour::kNone);
  }
  out << "\n";
  table.Print(out, colours);
}

void PrintAttempts(Session& session, const v1::Callback& callback, std::ostream& out, bool colours) {
  if (callback.attempts().empty()) return;
  Table table({"CALLED", "BY", "OUTCOME", "NOTE"});
  for (const v1::Attempt& attempt : callback.attempts()) {
    table.Row({When(session, true, attempt.called_time()), session.NameOf(attempt.author()),
               OutcomeWords(attempt.outcome()), attempt.note()});
  }
  out << "\n";
  table.Print(out, colours);
}

void PrintDeliveries(Session& session, const v1::ListDeliveriesResponse& deliveries, std::ostream& out, bool colours) {
  if (deliveries.deliveries().empty()) return;
  Table table({"MESSAGE", "TO", "MADE", "STATE", "CHANNEL", "REASON"});
  for (const v1::Delivery& delivery : deliveries.deliveries()) {
    std::string channel, reason;
    if (!delivery.tries().empty()) {
      const v1::Delivery::Try& last = *delivery.tries().rbegin();
      channel = last.channel();
      if (!last.accepted()) reason = last.reason();
    }
    table.Row({PlainWords(v1::Delivery::Kind_Name(delivery.kind()), "KIND_"),
               delivery.member_id().empty() ? "the customer" : session.NameOf(delivery.member_id()),
               When(session, true, delivery.create_time()),
               PlainWords(v1::Delivery::State_Name(delivery.state()), "STATE_"), channel, Cut(reason, 60)},
              delivery.state() == v1::Delivery::STATE_FAILED ? Colour::kRed : Colour::kNone);
  }
  out << "\n";
  table.Print(out, colours);
}

std::string EscalationWords(Session& session, const v1::Callback& callback) {
  const v1::Escalation& escalation = callback.escalation();
  if (escalation.alarms() == 0) return "";
  std::vector<std::string> told;
  for (const std::string& id : escalation.told_member_ids()) told.push_back(session.NameOf(id));
  return absl::StrCat(escalation.alarms(), escalation.alarms() == 1 ? " alarm" : " alarms", ", the last ",
                      When(session, true, escalation.last_alarm_time()), " (step ", escalation.last_step(), ") to ",
                      absl::StrJoin(told, ", "));
}

}  // namespace

std::string CallerWords(const v1::Caller& caller) {
  if (!caller.name().empty()) {
    return caller.company().empty() ? caller.name() : absl::StrCat(caller.name(), ", ", caller.company());
  }
  for (const std::string* text : {&caller.company(), &caller.phone(), &caller.email()}) {
    if (!text->empty()) return *text;
  }
  return "(erased)";
}

std::string StateWords(const v1::Callback& callback, absl::Time now) {
  std::string words = PhaseWords(callback);
  if (callback.overdue()) {
    words = absl::StrCat("OVERDUE by ", SpanWords(now - FromProto(callback.due_time())), ", ", words);
    if (callback.escalation().alarms() > 0) {
      absl::StrAppend(&words, ", ", callback.escalation().alarms(),
                      callback.escalation().alarms() == 1 ? " alarm" : " alarms");
    }
  }
  if (callback.rings() > 1) absl::StrAppend(&words, ", asked ", callback.rings(), " times");
  for (const v1::Promise& promise : callback.promises()) {
    if (promise.state() != v1::Promise::STATE_ARMED) continue;
    if (promise.has_agreed_time()) absl::StrAppend(&words, ", agreed");
    if (promise.has_decline_time()) absl::StrAppend(&words, ", DOES NOT SUIT");
    if (promise.has_heard_time()) absl::StrAppend(&words, ", heard");
  }
  if (callback.has_proposal()) absl::StrAppend(&words, ", WISHES ANOTHER TIME");
  if (callback.topic() != v1::TOPIC_UNSPECIFIED) {
    absl::StrAppend(&words, ", ", PlainWords(v1::Topic_Name(callback.topic()), "TOPIC_"));
  }
  if (callback.has_brief()) absl::StrAppend(&words, ", brief");
  return words;
}

Colour ColourOf(const v1::Callback& callback) {
  return callback.overdue() || !callback.delivery_alarm().empty() ? Colour::kRed : Colour::kNone;
}

std::string VerdictWords(const v1::Promise& promise) {
  std::string words = PlainWords(v1::Verdict_Name(promise.verdict()), "VERDICT_");
  if (promise.verdict() == v1::VERDICT_UNSPECIFIED) return "settled";
  if (promise.verdict() == v1::VERDICT_LATE) absl::StrAppend(&words, " by ", SpanWords(FromProto(promise.late_by())));
  return words;
}

std::string PlainWords(const std::string& enum_name, const std::string& prefix) {
  absl::string_view name = enum_name;
  absl::ConsumePrefix(&name, prefix);
  if (name == "UNSPECIFIED") return "";
  return absl::StrReplaceAll(absl::AsciiStrToLower(name), {{"_", " "}});
}

std::string OutcomeWords(v1::AttemptOutcome outcome) {
  return PlainWords(v1::AttemptOutcome_Name(outcome), "ATTEMPT_OUTCOME_");
}

std::string When(Session& session, bool has, const google::protobuf::Timestamp& at) {
  return has ? WhenWords(FromProto(at), session.Now(), session.Zone()) : "";
}

std::string DueHint(Session& session, const v1::Callback& callback) {
  if (!callback.has_due_time()) return "";
  return absl::StrCat("; due ", When(session, true, callback.due_time()));
}

void PrintAfter(Session& session, const v1::Callback& callback, const std::string& what) {
  std::ostream& out = *session.world().out;
  out << callback.id() << "  " << Printable(CallerWords(callback.caller())) << ": " << Printable(what) << "\n";
}

void PrintFindings(Session& session, const v1::Recording& recording, std::ostream& out) {
  for (const v1::Recording::Finding& finding : recording.findings()) {
    const bool german = session.world().German() && !finding.text_de().empty();
    const std::string& text = german ? finding.text_de() : finding.text_en();
    out << "  " << (finding.fatal() ? "unusable: " : "note: ") << Printable(text.empty() ? finding.code() : text)
        << "\n";
  }
}

std::string DetailWords(const v1::HistoryEvent& event) {
  const std::map<std::string, std::string> details(event.details().begin(), event.details().end());
  return absl::StrJoin(details, ", ", [](std::string* out, const auto& detail) {
    absl::StrAppend(out, detail.first, " ", detail.second);
  });
}

void PrintCallback(Session& session, const v1::Callback& callback, const v1::ListDeliveriesResponse& deliveries) {
  std::ostream& out = *session.world().out;
  const bool colours = session.world().ColourOut();
  const v1::Caller& caller = callback.caller();
  Fields fields;
  fields.Add("callback", callback.id());
  fields.Add("caller", callback.erased() ? "(erased)" : CallerWords(caller), Colour::kBold);
  fields.Add("phone", caller.phone());
  fields.Add("email", caller.email());
  fields.Add("note", callback.note());
  fields.Add("assignee", callback.assignee_id().empty() ? "nobody" : callback.assignee_name());
  fields.Add("state", StateWords(callback, session.Now()), ColourOf(callback));
  fields.Add("ALARM", callback.delivery_alarm().empty()
                          ? ""
                          : absl::StrCat("the customer has not heard the promise: ", callback.delivery_alarm()),
             Colour::kRed);
  fields.Add("due", When(session, callback.has_due_time(), callback.due_time()));
  if (callback.has_proposal()) {
    fields.Add("WISH", absl::StrCat("to be called ", When(session, true, callback.proposal().promised_time()),
                                    "; answer with accept, counter TIME or decline"), Colour::kYellow);
  }
  fields.Add("topic", PlainWords(v1::Topic_Name(callback.topic()), "TOPIC_"));
  fields.Add("brief", callback.brief().text());
  fields.Add("escalated", EscalationWords(session, callback), Colour::kRed);
  if (callback.escalation().has_acknowledged_until()) {
    fields.Add("acknowledged", absl::StrCat("by ", session.NameOf(callback.escalation().acknowledged_by()), ", until ",
                                            When(session, true, callback.escalation().acknowledged_until())));
  }
  fields.Add("requested", When(session, true, callback.create_time()));
  fields.Add("next timer", When(session, callback.has_next_timer_time(), callback.next_timer_time()));
  fields.Add("closed", When(session, callback.has_close_time(), callback.close_time()));
  fields.Add("disposition", callback.disposition());
  fields.Add("reason", callback.close_reason());
  fields.Add("page", callback.page_url());
  fields.Print(out, colours);
  PrintPromises(session, callback, out, colours);
  PrintAttempts(session, callback, out, colours);
  PrintDeliveries(session, deliveries, out, colours);
}

}  // namespace ringback::cli
