#include "delivery/compose.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/escalation.h"
#include "core/domain/rules.h"
#include "core/rpc/translate.h"
#include "core/words/calendar_uid.h"
#include "delivery/calendar_entry.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

// A timer that fires later than this was not there in time.
constexpr absl::Duration kOutage = absl::Minutes(1);

bool ToCustomer(const DeliveryRecord& delivery) { return delivery.member_id().empty(); }

const record::PromiseRecord* PromiseOf(const ComposeInput& input) {
  for (const record::PromiseRecord& promise : input.callback->promises()) {
    if (promise.revision() == input.delivery->promise_revision()) return &promise;
  }
  return nullptr;
}

// The time that counts before `promise` does: what the customer was told last.
const record::PromiseRecord* Previous(const record::CallbackRecord& callback, const record::PromiseRecord& promise) {
  const record::PromiseRecord* previous = nullptr;
  for (const record::PromiseRecord& candidate : callback.promises()) {
    if (candidate.revision() < promise.revision() && candidate.has_accept_time()) previous = &candidate;
  }
  return previous;
}

std::string NameOf(const record::TeamRecord& team, const std::string& member_id) {
  const record::Member* member = rpc::FindMember(team, member_id);
  return member == nullptr ? "" : member->name();
}

// What stands between the reader and the team: zone, language, name.
struct Reader {
  std::string name, language, zone;
};
Reader ReaderOf(const ComposeInput& input) {
  Reader reader;
  if (ToCustomer(*input.delivery)) {
    const record::Caller& caller = input.callback->caller();
    reader = {caller.name(), caller.language(), caller.time_zone()};
  } else if (const record::Member* member = rpc::FindMember(*input.team, input.delivery->member_id())) {
    reader = {member->name(), member->language(), member->time_zone()};
  }
  if (reader.language.empty()) reader.language = input.team->language();
  if (reader.zone.empty()) reader.zone = input.team->time_zone();
  return reader;
}

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(name, &zone);
  return zone;
}

// What the notice says of the time: what the customer was promised, or what the team set itself.
void SetDue(const DeliveryRecord& delivery, const record::CallbackRecord& callback, CallFacts* call) {
  if (delivery.has_anchor_time()) {
    const absl::Time anchor = rpc::FromProto(delivery.anchor_time());
    const bool promised = delivery.alarm_kind() != record::ALARM_KIND_RESPONSE &&
                          delivery.alarm_kind() != record::ALARM_KIND_FOLLOW_UP;
    (promised ? call->promised_time : call->due_time) = anchor;
    call->follow_up = delivery.alarm_kind() == record::ALARM_KIND_FOLLOW_UP;
    return;
  }
  for (const record::PromiseRecord& promise : callback.promises()) {
    const bool meant = promise.revision() == delivery.promise_revision();
    // A notice of closing names no promise: it is the one that closing settled.
    const bool closed = delivery.promise_revision() == 0 && callback.has_close_time() && promise.has_verdict_time() &&
                        rpc::FromProto(promise.verdict_time()) == rpc::FromProto(callback.close_time());
    if (meant || closed) call->promised_time = rpc::FromProto(promise.promised_time());
  }
  if (call->promised_time.has_value()) return;
  if (const record::PromiseRecord* armed = domain::ArmedPromise(callback)) {
    call->promised_time = rpc::FromProto(armed->promised_time());
  }
}

CallTopic TopicOf(record::Topic topic) {
  switch (topic) {
    case record::TOPIC_ORDER: return CallTopic::kOrder;
    case record::TOPIC_COMPLAINT: return CallTopic::kComplaint;
    case record::TOPIC_QUESTION: return CallTopic::kQuestion;
    default: return CallTopic::kNone;
  }
}

CallFacts CallOf(const DeliveryRecord& delivery, const record::CallbackRecord& callback, const record::TeamRecord& team) {
  CallFacts call;
  call.callback_id = callback.id();
  call.caller_name = callback.caller().name();
  call.caller_company = callback.caller().company();
  call.caller_phone = callback.caller().phone();
  call.assignee_name = NameOf(team, callback.assignee_id());
  call.note = callback.note();
  call.brief = callback.brief().text();
  call.topic = TopicOf(callback.topic());
  if (const record::PromiseRecord* armed = domain::ArmedPromise(callback)) call.agreed = armed->has_agreed_time();
  if (callback.has_proposal()) call.wished_time = rpc::FromProto(callback.proposal().promised_time());
  call.asked_time = rpc::FromProto(callback.create_time());
  SetDue(delivery, callback, &call);
  return call;
}

// Several steps in one alarm because nobody was there to fire the first: it is late, and no acknowledge held it. (Steps
// of the same delay come together by design, and what a night held is a digest.)
bool SleptThrough(const ComposeInput& input) {
  const DeliveryRecord& delivery = *input.delivery;
  if (delivery.caught_up() <= 1) return false;
  const record::Policy policy = domain::PolicyOf(*input.team);
  int last = 0;
  for (const int end = domain::FirstDaily(policy); last < end; ++last) {
    const domain::Alarm alarm = domain::AlarmAt(policy, last);
    if (alarm.step == delivery.step() && alarm.repeat == delivery.repeat()) break;
  }
  const int first = std::max(0, last - delivery.caught_up() + 1);
  const absl::Time fired = rpc::FromProto(delivery.create_time());
  absl::Time due = rpc::FromProto(delivery.anchor_time()) + domain::AlarmAt(policy, first).offset;
  const record::EscalationRecord& escalation = input.callback->escalation();
  if (escalation.has_ack_until()) due = std::max(due, rpc::FromProto(escalation.ack_until()));
  return fired - due > kOutage;
}

NoticeKind KindOfAlarm(const ComposeInput& input) {
  const DeliveryRecord& delivery = *input.delivery;
  if (!input.bundled.empty()) return delivery.digest() ? NoticeKind::kDigest : NoticeKind::kBundle;
  if (delivery.digest()) return NoticeKind::kDigest;
  if (delivery.daily()) return NoticeKind::kDailyNotice;
  if (SleptThrough(input)) return NoticeKind::kCatchUp;
  switch (delivery.alarm_kind()) {
    case record::ALARM_KIND_RESPONSE: return NoticeKind::kResponseTarget;
    case record::ALARM_KIND_FOLLOW_UP: return NoticeKind::kFollowUp;
    default: return NoticeKind::kEscalation;
  }
}

// The promise was made on the phone: what goes out about it is its confirmation.
bool WasSpoken(const ComposeInput& input) {
  const record::PromiseRecord* promise = PromiseOf(input);
  return promise != nullptr && promise->channel() == record::PromiseRecord::CHANNEL_SPOKEN;
}

NoticeKind KindOfReminder(const DeliveryRecord& delivery) {
  switch (delivery.alarm_kind()) {
    case record::ALARM_KIND_RESPONSE: return NoticeKind::kResponseDue;
    case record::ALARM_KIND_FOLLOW_UP: return NoticeKind::kFollowUpDue;
    default: return NoticeKind::kReminder;
  }
}

NoticeKind KindOf(const ComposeInput& input) {
  switch (input.delivery->kind()) {
    case DeliveryRecord::KIND_VOICE_MESSAGE: return WasSpoken(input) ? NoticeKind::kSpokenPromise : NoticeKind::kVoiceMessage;
    case DeliveryRecord::KIND_PROMISE_UPDATE: return NoticeKind::kPromiseMoved;
    case DeliveryRecord::KIND_CANCELLATION: return NoticeKind::kPromiseCancelled;
    case DeliveryRecord::KIND_REMINDER: return KindOfReminder(*input.delivery);
    case DeliveryRecord::KIND_DELIVERY_ALARM: return NoticeKind::kDeliveryFailed;
    case DeliveryRecord::KIND_HANDOVER: return NoticeKind::kHandover;
    case DeliveryRecord::KIND_WRAP_UP: return NoticeKind::kWrapUp;
    case DeliveryRecord::KIND_NOTICE:
      if (input.delivery->what() == "completed_before_the_promised_call") return NoticeKind::kClosedEarly;
      if (input.delivery->what() == "cancelled_without_attempt") return NoticeKind::kClosedUnattempted;
      if (input.delivery->what() == "answer_after_closing") return NoticeKind::kBriefArrived;
      if (input.delivery->what() == "time_stands" || input.delivery->what() == "reopened") return NoticeKind::kTakenBack;
      return NoticeKind::kCustomerAnswer;
    default: return KindOfAlarm(input);
  }
}

Unheard UnheardOf(const ComposeInput& input) {
  const std::string& what = input.delivery->what();
  if (what == "confirmation_failed") return Unheard::kConfirmation;
  if (what == "update_failed") return Unheard::kChange;
  if (what == "cancellation_failed") {
    const bool own = input.callback->closing() == record::CallbackRecord::CLOSING_CALLED_OFF;
    return own ? Unheard::kCallOff : Unheard::kCancellation;
  }
  if (what == "wrong_person") return Unheard::kWrongPerson;
  return what == "not_accepted_in_time" || what == "delayed" ? Unheard::kPromiseSoFar : Unheard::kPromise;
}

CustomerAnswer AnswerOf(const DeliveryRecord& notice) {
  if (notice.what() == "called_off_by_customer") return CustomerAnswer::kCalledOff;
  if (notice.what() == "time_proposed") return CustomerAnswer::kOtherTime;
  if (notice.what() == "time_declined") return CustomerAnswer::kDeclined;
  return CustomerAnswer::kMoved;
}

WishAnswer WishAnswerOf(const DeliveryRecord& update) {
  if (update.what() == "proposal_accepted") return WishAnswer::kAsWished;
  if (update.what() == "proposal_countered") return WishAnswer::kOtherOffer;
  if (update.what() == "proposal_declined") return WishAnswer::kStays;
  return WishAnswer::kNone;
}

// Who did one of these last; "" when nobody of the team did.
std::string WhoDid(std::initializer_list<std::string_view> what, const record::CallbackRecord& callback,
                   const record::TeamRecord& team) {
  for (int i = callback.history_size() - 1; i >= 0; --i) {
    const record::HistoryEvent& event = callback.history(i);
    if (std::find(what.begin(), what.end(), event.what()) != what.end()) return NameOf(team, event.author());
  }
  return "";
}

// What is overdue longest first; what is not due at all last.
bool MoreUrgent(const CallFacts& a, const CallFacts& b) {
  const auto due = [](const CallFacts& call) {
    return call.promised_time.value_or(call.due_time.value_or(absl::InfiniteFuture()));
  };
  return due(a) < due(b);
}

std::string Footer(const record::Footer& footer) {
  std::string lines;
  for (const std::string& line : {footer.company(), footer.legal_text(), footer.imprint_url(), footer.privacy_url()}) {
    if (!line.empty()) absl::StrAppend(&lines, lines.empty() ? "" : "\n", line);
  }
  return lines;
}

std::string TeamAddress(const ComposeInput& input) {
  return input.team->mail_address().empty() ? absl::StrCat("ringback@", input.mail_domain) : input.team->mail_address();
}

NoticeFacts FactsOf(const ComposeInput& input, NoticeKind kind) {
  const DeliveryRecord& delivery = *input.delivery;
  const record::CallbackRecord& callback = *input.callback;
  const record::TeamRecord& team = *input.team;
  const Reader reader = ReaderOf(input);

  NoticeFacts facts;
  facts.language = LanguageOf(reader.language, Language::kGerman);
  facts.now = input.now;
  facts.zone = Zone(reader.zone);
  facts.say_zone = reader.zone != team.time_zone();
  facts.reader_name = reader.name;
  facts.team_name = team.name();
  facts.footer = Footer(team.footer());
  facts.call = CallOf(delivery, callback, team);

  const record::PromiseRecord* promise = PromiseOf(input);
  if (ToCustomer(delivery)) {
    const record::Member* rep = rpc::FindMember(team, callback.assignee_id());
    facts.rep_name = rep == nullptr ? team.name() : rep->name();
    facts.rep_phone = !team.footer().phone().empty() ? team.footer().phone() : rep == nullptr ? "" : rep->phone();
    if (promise != nullptr) {
      facts.spoken_text = promise->spoken_text();
      const record::PromiseRecord* previous = Previous(callback, *promise);
      if (previous != nullptr) facts.previous_promised_time = rpc::FromProto(previous->promised_time());
    }
    if (delivery.kind() == record::DeliveryRecord::KIND_PROMISE_UPDATE) {
      facts.wish = WishAnswerOf(delivery);
      // The change itself says what it changed: a new caller at the old time is no new time.
      facts.previous_promised_time.reset();
      if (delivery.has_previous_promised_time()) {
        facts.previous_promised_time = rpc::FromProto(delivery.previous_promised_time());
      }
      if (!delivery.previous_assignee_id().empty()) facts.previous_rep_name = NameOf(team, delivery.previous_assignee_id());
    }
    if (!input.public_url.empty() && !callback.page_token().empty() &&
        team.media_mode() != record::TeamRecord::MEDIA_MODE_ATTACHMENT) {
      facts.page_url = absl::StrCat(input.public_url, "/m/", callback.page_token());
    }
    facts.audio_attached = !input.mp3.empty();
    facts.calendar_attached = facts.call.promised_time.has_value();
  } else {
    facts.step = delivery.step();
    facts.repeat = delivery.repeat();
    for (const std::string& id : delivery.told_ids()) {
      if (id != delivery.member_id()) facts.also_alarmed.push_back(NameOf(team, id));
    }
    const record::EscalationRecord& escalation = callback.escalation();
    if (escalation.has_ack_until() && rpc::FromProto(escalation.ack_until()) > input.now) {
      facts.acknowledged_by = NameOf(team, escalation.ack_by());
    }
    if (callback.has_next_timer_time()) facts.next_alarm_time = rpc::FromProto(callback.next_timer_time());
    facts.reason = delivery.reason().empty() ? input.failure : delivery.reason();
    if (kind == NoticeKind::kDeliveryFailed) facts.unheard = UnheardOf(input);
    if (kind == NoticeKind::kDeliveryFailed && promise != nullptr) {
      const record::PromiseRecord* previous = Previous(callback, *promise);
      if (previous != nullptr) facts.previous_promised_time = rpc::FromProto(previous->promised_time());
    }
    facts.closed = callback.phase() == record::CallbackRecord::PHASE_CLOSED;
    facts.attempts = callback.attempts_size();
    if (callback.attempts_size() > 0) {
      facts.last_attempt_time = rpc::FromProto(callback.attempts(callback.attempts_size() - 1).called_time());
    }
    if (!delivery.stands_in_for_id().empty()) facts.other_member = NameOf(team, delivery.stands_in_for_id());
    if (kind == NoticeKind::kClosedUnattempted || kind == NoticeKind::kClosedEarly) {
      facts.other_member = WhoDid({"completed", "cancelled"}, callback, team);
    }
    if (kind == NoticeKind::kTakenBack) {
      facts.reopened = delivery.what() == "reopened";
      facts.other_member = WhoDid({facts.reopened ? "reopened" : "answer_moved"}, callback, team);
    }
  }
  if (kind == NoticeKind::kCustomerAnswer) facts.answer = AnswerOf(delivery);
  if (kind == NoticeKind::kBundle || kind == NoticeKind::kDigest) {
    facts.calls.push_back(facts.call);
    for (const ComposeInput::Bundled& other : input.bundled) {
      facts.calls.push_back(CallOf(other.delivery, other.callback, team));
    }
    std::stable_sort(facts.calls.begin(), facts.calls.end(), MoreUrgent);
  }
  return facts;
}

}  // namespace

std::string ReplyAddress(const std::string& team_address, const record::CallbackRecord& callback) {
  const size_t at = team_address.rfind('@');
  if (at == std::string::npos || callback.page_token().empty()) return team_address;
  return absl::StrCat(team_address.substr(0, at), "+", callback.page_token(), team_address.substr(at));
}

ComposedNotice ComposeNotice(const ComposeInput& input) {
  static const NoticeTemplates* const kBuiltIn = new NoticeTemplates(*NoticeTemplates::Create());
  const NoticeKind kind = KindOf(input);
  const NoticeFacts facts = FactsOf(input, kind);
  const std::string name = TemplateName(kind, facts.language);
  if (const auto own = input.team->templates().find(name); own != input.team->templates().end()) {
    const auto templates = NoticeTemplates::Create({{name, own->second}});
    auto words = templates.ok() ? templates->Render(kind, facts) : templates.status();
    if (words.ok()) return {facts, *std::move(words)};
    RB_LOG_ERROR("team {}: {}; the built-in template is used", input.team->id(), std::string(words.status().message()));
  }
  auto words = kBuiltIn->Render(kind, facts);
  RB_CHECK(words.ok());
  return {facts, *std::move(words)};
}

absl::StatusOr<MailMessage> ComposeMailMessage(const ComposeInput& input, const ComposedNotice& notice) {
  const DeliveryRecord& delivery = *input.delivery;
  const record::TeamRecord& team = *input.team;
  const NoticeFacts& facts = notice.facts;
  const std::string team_address = TeamAddress(input);

  MailMessage mail;
  mail.to = {facts.reader_name, delivery.channels(delivery.channel()).address()};
  mail.subject = notice.words.subject;
  mail.text = notice.words.text;
  mail.html = notice.words.html;
  mail.message_id = rpc::MessageId(delivery.id(), input.mail_domain);
  mail.date = input.now;
  mail.date_zone = facts.zone;
  mail.envelope_sender = input.envelope_sender.empty() ? team_address : input.envelope_sender;
  if (!ToCustomer(delivery)) {
    mail.from = {team.name(), team_address};
    mail.auto_submitted = AutoSubmitted::kGenerated;
    return mail;
  }

  mail.from = {facts.rep_name, team_address};
  mail.reply_to = {facts.rep_name, ReplyAddress(team_address, *input.callback)};
  // A person spoke and sent the voice message; what follows a change of plans is ringback's own doing.
  mail.auto_submitted =
      delivery.kind() == DeliveryRecord::KIND_VOICE_MESSAGE ? AutoSubmitted::kNo : AutoSubmitted::kGenerated;
  if (!facts.call.promised_time.has_value()) return mail;
  if (!input.mp3.empty()) {
    mail.attachments.push_back(
        {SpeakingFileName(facts.language, facts.rep_name, *facts.call.promised_time, facts.zone, "mp3"), "audio/mpeg",
         input.mp3});
  }
  CalendarEntry entry;
  entry.uid = words::CalendarUid(input.callback->id(), input.mail_domain);
  entry.sequence = delivery.calendar_entry() > 0 ? delivery.calendar_entry() - 1 : delivery.calendar_sequence();
  entry.cancelled = delivery.kind() == DeliveryRecord::KIND_CANCELLATION;
  entry.start = *facts.call.promised_time;
  entry.now = input.now;
  entry.summary = notice.words.subject;
  entry.description = notice.words.line;
  entry.phone = input.callback->caller().phone();
  entry.organizer = mail.from;
  entry.attendee = mail.to;
  RB_ASSIGN_OR_RETURN(mail.calendar,
                      ComposeCalendar(entry, facts.language == Language::kGerman ? "Rueckruf.ics" : "call.ics"));
  return mail;
}

}  // namespace ringback::delivery
