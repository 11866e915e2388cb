// A promise's way: made, on its way to the customer (PENDING), armed once the customer's channel accepted it, settled
// with one verdict. Laws 1 (what was armed before stays armed until then) and 2 (one verdict). What becomes of its message
// is in outcomes.cc.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/draft.h"
#include "core/domain/figures.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/spoken_time.h"
#include "core/domain/team.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::Channel;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

constexpr absl::Duration kFurthest = absl::Hours(90 * 24);

PromiseRecord* WithState(CallbackRecord& callback, PromiseRecord::State state) {
  for (int i = callback.promises_size() - 1; i >= 0; --i) {
    if (callback.promises(i).state() == state) return callback.mutable_promises(i);
  }
  return nullptr;
}

std::string_view VerdictWord(record::Verdict verdict) {
  switch (verdict) {
    case record::VERDICT_KEPT: return "kept";
    case record::VERDICT_LATE: return "late";
    case record::VERDICT_MISSED: return "missed";
    case record::VERDICT_MOVED_BY_CUSTOMER: return "moved_by_customer";
    case record::VERDICT_MOVED_BY_TEAM: return "moved_by_team";
    case record::VERDICT_CANCELLED_BY_CUSTOMER: return "cancelled_by_customer";
    default: return "";
  }
}

std::string_view ChannelWord(PromiseRecord::Channel channel) {
  switch (channel) {
    case PromiseRecord::CHANNEL_VOICE_MAIL: return "voice_mail";
    case PromiseRecord::CHANNEL_SMS: return "sms";
    case PromiseRecord::CHANNEL_LINK_SHARED: return "link_shared";
    case PromiseRecord::CHANNEL_SPOKEN: return "spoken";
    default: return "";
  }
}

// A slip of the tongue: what the customer hears is what they will wait for.
void WarnOfOtherTime(Draft& draft, const MakePromise& command) {
  const auto callers = LoadZone(draft.callback.caller().time_zone());
  const absl::TimeZone zone = callers.ok() ? *callers : draft.rules.zone;
  const auto said = OtherTimeNamed(command.spoken_text, command.promised_time, zone);
  if (!said) return;
  draft.Warn(absl::StrCat("spoken text says ", *said, ", the promise is for ",
                          absl::FormatTime("%H:%M", command.promised_time, zone)));
}

}  // namespace

const PromiseRecord* ArmedPromise(const CallbackRecord& callback) {
  return WithState(const_cast<CallbackRecord&>(callback), PromiseRecord::STATE_ARMED);
}
const PromiseRecord* PendingPromise(const CallbackRecord& callback) {
  return WithState(const_cast<CallbackRecord&>(callback), PromiseRecord::STATE_PENDING);
}
PromiseRecord* Armed(CallbackRecord& callback) { return WithState(callback, PromiseRecord::STATE_ARMED); }
PromiseRecord* Pending(CallbackRecord& callback) { return WithState(callback, PromiseRecord::STATE_PENDING); }

absl::Status CheckPromisedTime(Draft& draft, absl::Time promised_time) {
  const TeamRules& rules = draft.rules;
  const auto local = [&rules](absl::Time at) { return absl::FormatTime("%Y-%m-%d %H:%M", at, rules.zone); };
  if (promised_time <= draft.now) {
    return InvalidField("promised_time", "PROMISED_TIME_PASSED",
                        absl::StrCat(local(promised_time), " is not ahead (it is ", local(draft.now),
                                     "); promise a time that is still to come"));
  }
  if (promised_time > draft.now + kFurthest) {
    return InvalidField("promised_time", "PROMISED_TIME_TOO_FAR",
                        absl::StrCat("a promise reaches at most 90 days ahead, that is until ",
                                     local(draft.now + kFurthest)));
  }
  if (const auto* assignee = FindMember(rules.team, draft.callback.assignee_id());
      assignee != nullptr && AbsenceAt(*assignee, promised_time) != nullptr) {
    const Told told = Present(rules.team, assignee->id(), promised_time);
    const auto* substitute = FindMember(rules.team, told.member_id);
    draft.Warn(absl::StrCat(assignee->name(), " is away at ", local(promised_time),
                            substitute != nullptr && substitute != assignee
                                ? absl::StrCat("; ", substitute->name(), " stands in")
                                : std::string("; nobody stands in")));
  }
  if (!IsOpen(rules.team.calendar(), rules.zone, promised_time)) {
    draft.Warn(absl::StrCat(local(promised_time), " is outside the team's hours"));
  }
  return absl::OkStatus();
}

absl::Status DoMakePromise(Draft& draft, const MakePromise& command) {
  const record::Caller& caller = draft.callback.caller();
  const bool by_message = command.channel == PromiseRecord::CHANNEL_VOICE_MAIL ||
                          command.channel == PromiseRecord::CHANNEL_SMS;
  if (command.channel < PromiseRecord::CHANNEL_VOICE_MAIL || command.channel > PromiseRecord::CHANNEL_SPOKEN) {
    return InvalidField("channel", "MISSING", "how the customer is told: VOICE_MAIL, SMS, LINK_SHARED or SPOKEN");
  }
  if (command.channel == PromiseRecord::CHANNEL_VOICE_MAIL && command.recording_id.empty()) {
    return InvalidField("recording_id", "MISSING", "a voice message needs its recording; else promise it SPOKEN");
  }
  if (command.channel == PromiseRecord::CHANNEL_VOICE_MAIL && CustomerChannels(caller).empty()) {
    return InvalidField("caller.email", "NO_WAY_TO_REACH_THE_CUSTOMER",
                        "there is neither mail address nor phone number: add --email, or promise it on the phone "
                        "(SPOKEN), or share the link by hand (LINK_SHARED)");
  }
  if (command.channel == PromiseRecord::CHANNEL_SMS && caller.phone().empty()) {
    return InvalidField("caller.phone", "NO_WAY_TO_REACH_THE_CUSTOMER",
                        "an SMS needs a phone number: add --phone, or promise it on the phone (SPOKEN)");
  }
  if (command.confirm && command.channel != PromiseRecord::CHANNEL_SPOKEN) {
    return InvalidField("confirm", "MISPLACED", "only what was SPOKEN is confirmed in writing; a message is in writing itself");
  }
  if (command.confirm && caller.email().empty()) {
    return InvalidField("caller.email", "NO_MAIL_ADDRESS",
                        "there is no mail address to confirm the promise to: add --email, or promise without --confirm");
  }
  OweUnassigned(draft);
  RB_RETURN_IF_ERROR(CheckPromisedTime(draft, command.promised_time));
  WarnOfOtherTime(draft, command);

  WithdrawPending(draft);
  const bool entry_is_out = CustomerHasEntry(draft.callback);
  const PromiseRecord* armed = Armed(draft.callback);
  const auto before = armed == nullptr ? google::protobuf::Timestamp() : armed->promised_time();
  PromiseRecord& promise = AddPromise(draft, command.promised_time, command.channel);
  promise.set_recording_id(command.recording_id);
  promise.set_spoken_text(command.spoken_text);
  if (!by_message) {
    Arm(draft, promise, record::VERDICT_MOVED_BY_TEAM);
    // The confirmation brings the calendar entry up to date itself.
    if (entry_is_out && !command.confirm) TellCustomerMoved(draft, promise, "moved_by_team", before);
    if (!command.confirm) return absl::OkStatus();
  }

  // RFC 5545 3.8.7.4: the first entry has 0, every change one more.
  const bool first = draft.callback.calendar_sequence() == 0 &&
                     std::none_of(draft.callback.promises().begin(), draft.callback.promises().end(),
                                  [](const PromiseRecord& earlier) { return !earlier.delivery_id().empty(); });
  if (!first) draft.callback.set_calendar_sequence(draft.callback.calendar_sequence() + 1);
  DeliveryRecord* delivery = draft.ToCustomer(DeliveryRecord::KIND_VOICE_MESSAGE);
  if (command.channel == PromiseRecord::CHANNEL_SMS) {
    delivery->clear_channels();
    delivery->add_channels()->set_kind(Channel::KIND_SMS);
    delivery->mutable_channels(0)->set_address(caller.phone());
  }
  if (!command.recording_id.empty() && !command.recording_ready) {
    delivery->set_state(DeliveryRecord::STATE_WAITING);
  }
  delivery->set_promise_revision(promise.revision());
  delivery->set_recording_id(command.recording_id);
  delivery->set_calendar_sequence(draft.callback.calendar_sequence());
  *delivery->mutable_stake_time() = ToProto(StakeTime(promise, draft.rules.policy));
  promise.set_delivery_id(delivery->id());
  return absl::OkStatus();
}

// Law 4: resend in one action, to the address as it is now. What was withdrawn or answered is not sent again.
absl::Status DoResend(Draft& draft, const Resend& command) {
  PromiseRecord* promise = nullptr;
  for (PromiseRecord& one : *draft.callback.mutable_promises()) {
    if (!one.delivery_id().empty()) promise = &one;
  }
  const bool live = promise != nullptr && (promise->state() == PromiseRecord::STATE_PENDING ||
                                           promise->state() == PromiseRecord::STATE_ARMED ||
                                           promise->state() == PromiseRecord::STATE_NOT_DELIVERED);
  if (!live || promise->revision() != draft.callback.promises_size()) {
    return Refused("NOTHING_TO_RESEND", "no voice message is still to be heard; promise a new time instead");
  }
  if (FromProto(promise->promised_time()) <= draft.now) {
    return Refused("PROMISED_TIME_PASSED", "its promised time has passed; promise a new time instead");
  }
  if (!command.recording_ready) {
    return Refused("RECORDING_NOT_READY", "its recording cannot be sent; speak the message again");
  }
  draft.Withdraw(promise->delivery_id());
  // An offer of the team's went out as an update, and does so again.
  const bool update = promise->channel() == PromiseRecord::CHANNEL_VOICE_MAIL && promise->recording_id().empty();
  DeliveryRecord* delivery =
      draft.ToCustomer(update ? DeliveryRecord::KIND_PROMISE_UPDATE : DeliveryRecord::KIND_VOICE_MESSAGE);
  if (delivery == nullptr) {
    return InvalidField("caller.email", "NO_WAY_TO_REACH_THE_CUSTOMER",
                        "there is neither mail address nor phone number: correct the caller first");
  }
  if (promise->state() == PromiseRecord::STATE_NOT_DELIVERED) {
    promise->set_state(PromiseRecord::STATE_PENDING);
    promise->set_guard_alarmed(false);
    *promise->mutable_create_time() = ToProto(draft.now);  // the guard leaves the new try half of what is left
  }
  if (update) delivery->set_what("time_offered");
  promise->clear_delay_time();
  delivery->set_promise_revision(promise->revision());
  delivery->set_recording_id(promise->recording_id());
  delivery->set_calendar_sequence(draft.callback.calendar_sequence());
  *delivery->mutable_stake_time() = ToProto(StakeTime(*promise, draft.rules.policy));
  promise->set_delivery_id(delivery->id());
  draft.Event("resent", {{"revision", absl::StrCat(promise->revision())}, {"delivery", delivery->id()}});
  return absl::OkStatus();
}

void OweUnassigned(Draft& draft) {
  if (!draft.callback.assignee_id().empty() || !CheckAssignee(draft.rules.team, draft.author).ok()) return;
  draft.callback.set_assignee_id(draft.author);
  draft.Event("assigned", {{"to", draft.author}});
}

PromiseRecord& AddPromise(Draft& draft, absl::Time promised_time, PromiseRecord::Channel channel) {
  draft.callback.clear_proposal();
  PromiseRecord& promise = *draft.callback.add_promises();
  promise.set_revision(draft.callback.promises_size());
  *promise.mutable_promised_time() = ToProto(promised_time);
  promise.set_channel(channel);
  promise.set_state(PromiseRecord::STATE_PENDING);
  *promise.mutable_create_time() = ToProto(draft.now);
  promise.set_author(draft.author);
  draft.Event("promised", {{"revision", absl::StrCat(promise.revision())},
                           {"promised_time", Text(promised_time)},
                           {"channel", std::string(ChannelWord(channel))}});
  return promise;
}

void Arm(Draft& draft, PromiseRecord& promise, record::Verdict replaced) {
  if (PromiseRecord* old = Armed(draft.callback)) {
    const bool due = draft.now >= FromProto(old->promised_time());
    Settle(draft, *old, due ? record::VERDICT_MISSED : replaced);
  }
  const bool first = std::none_of(draft.callback.promises().begin(), draft.callback.promises().end(),
                                  [](const PromiseRecord& earlier) { return earlier.has_accept_time(); });
  promise.set_state(PromiseRecord::STATE_ARMED);
  *promise.mutable_accept_time() = ToProto(draft.now);
  draft.callback.set_phase(CallbackRecord::PHASE_PROMISED);
  draft.callback.clear_follow_up_time();
  draft.callback.clear_wrap_up_time();
  draft.callback.clear_escalation();
  draft.callback.clear_snooze_until();
  draft.Event("promise_armed", {{"revision", absl::StrCat(promise.revision())}});
  draft.Count("promised");
  if (first) draft.Count(SpanCounter(kFirstPromise, draft.now - FromProto(draft.callback.create_time())));
  ClearDeliveryAlarm(draft);
}

void Settle(Draft& draft, PromiseRecord& promise, record::Verdict verdict, absl::Duration late_by) {
  RB_CHECK(promise.state() == PromiseRecord::STATE_ARMED && promise.verdict() == record::VERDICT_UNSPECIFIED);
  promise.set_state(PromiseRecord::STATE_SETTLED);
  promise.set_verdict(verdict);
  *promise.mutable_verdict_time() = ToProto(draft.now);
  std::string late_seconds;
  if (verdict == record::VERDICT_LATE) {
    *promise.mutable_late_by() = ToProto(late_by);
    late_seconds = absl::StrCat(absl::ToInt64Seconds(late_by));
  }
  draft.callback.clear_escalation();
  draft.callback.clear_snooze_until();
  if (verdict == record::VERDICT_LATE) draft.Count(SpanCounter(kLateBy, late_by));
  const std::string word(VerdictWord(verdict));
  draft.Event("settled",
              {{"revision", absl::StrCat(promise.revision())}, {"verdict", word}, {"late_by_seconds", late_seconds}});
  draft.Count(word);
}

void WithdrawPending(Draft& draft) {
  PromiseRecord* pending = Pending(draft.callback);
  if (pending == nullptr) return;
  pending->set_state(PromiseRecord::STATE_WITHDRAWN);
  draft.Withdraw(pending->delivery_id());
  draft.Event("promise_withdrawn", {{"revision", absl::StrCat(pending->revision())}});
}

bool CustomerHasEntry(const CallbackRecord& callback) {
  return callback.calendar_sequence() > 0 ||
         std::any_of(callback.promises().begin(), callback.promises().end(), [](const PromiseRecord& promise) {
           return !promise.delivery_id().empty() && promise.has_accept_time();
         });
}

DeliveryRecord* TellCustomerUpdate(Draft& draft, const PromiseRecord& promise, std::string_view what) {
  DeliveryRecord* delivery = draft.ToCustomer(DeliveryRecord::KIND_PROMISE_UPDATE);
  if (delivery == nullptr) return nullptr;
  draft.callback.set_calendar_sequence(draft.callback.calendar_sequence() + 1);
  delivery->set_promise_revision(promise.revision());
  delivery->set_calendar_sequence(draft.callback.calendar_sequence());
  delivery->set_what(std::string(what));
  return delivery;
}

void TellCustomerMoved(Draft& draft, const PromiseRecord& promise, std::string_view what,
                       const google::protobuf::Timestamp& before) {
  DeliveryRecord* update = TellCustomerUpdate(draft, promise, what);
  if (update == nullptr || before.seconds() == 0 || FromProto(before) == FromProto(promise.promised_time())) return;
  *update->mutable_previous_promised_time() = before;
}

}  // namespace ringback::domain
