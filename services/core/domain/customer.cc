// What the customer does: agrees, moves the promise or says that it does not suit, calls off (closing.cc), wishes a time of
// their own (proposal.cc), writes the brief, rings again. Each comes from a pressed button or an answer, never from a GET
// (law 7). None of it settles anything but the move and the call-off; what changes nothing waits for the reminder.
#include <algorithm>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"

namespace ringback::domain {

using record::CallbackRecord;
using record::DeliveryRecord;
using record::PromiseRecord;

namespace {

constexpr size_t kMostText = 20000;  // bytes of a note or brief that grows with every answer
constexpr std::string_view kCut = "\n[…]";

// All of it or none: what was answered with OK is there (law 3).
bool AppendText(std::string* text, const std::string& more) {
  if (more.empty()) return true;
  const std::string_view between = text->empty() ? "" : "\n\n";
  if (text->size() + between.size() + more.size() > kMostText) return false;
  absl::StrAppend(text, absl::string_view(between.data(), between.size()), more);
  return true;
}

// As much as fits, and a mark where it was cut; false when something is missing.
bool AppendCut(std::string* text, const std::string& more) {
  if (AppendText(text, more)) return true;
  if (text->size() >= kCut.size() && text->compare(text->size() - kCut.size(), kCut.size(), kCut) == 0) return false;
  const size_t taken = text->size() + 2 + kCut.size();
  if (taken < kMostText) absl::StrAppend(text, text->empty() ? "" : "\n\n", CleanLines(more, kMostText - taken));
  *text += kCut;
  return false;
}

// Takes out what AppendText or AppendCut has put there, the last time it did; nothing when it is not there.
void TakeOut(std::string* text, const std::string& added) {
  if (added.empty()) return;
  const auto begins_at = [&](size_t at) { return at == 0 || (at >= 2 && text->compare(at - 2, 2, "\n\n") == 0); };
  const auto remove = [&](size_t at, size_t size) {
    const size_t end = at + size;
    // With the empty line before it, or for the first one behind it.
    if (at > 0) {
      text->erase(at - 2, size + 2);
    } else {
      text->erase(0, end < text->size() ? end + 2 : end);
    }
  };
  for (size_t at = text->rfind(added); at != std::string::npos; at = at == 0 ? std::string::npos : text->rfind(added, at - 1)) {
    const size_t end = at + added.size();
    if (begins_at(at) && (end == text->size() || text->compare(end, 2, "\n\n") == 0)) return remove(at, added.size());
  }
  // Its end was cut off.
  if (text->size() < kCut.size() || text->compare(text->size() - kCut.size(), kCut.size(), kCut) != 0) return;
  const size_t end = text->size() - kCut.size();
  for (size_t at = 0; at < end; ++at) {
    if (!begins_at(at) || added.compare(0, end - at, *text, at, end - at) != 0) continue;
    return remove(at, text->size() - at);
  }
}

void TellOf(Draft& draft, const Told& told, std::string_view what) {
  const PromiseRecord* armed = Armed(draft.callback);
  DeliveryRecord& delivery = draft.ToMember(DeliveryRecord::KIND_NOTICE, told);
  delivery.set_promise_revision(armed == nullptr ? 0 : armed->revision());
  delivery.set_what(std::string(what));
}

void Agree(Draft& draft, PromiseRecord& promise) {
  if (promise.has_agreed_time() && !draft.callback.has_proposal()) return;
  draft.callback.clear_proposal();  // no longer wished
  promise.clear_decline_time();
  *promise.mutable_agreed_time() = ToProto(draft.now);
  draft.Event("agreed", {{"revision", absl::StrCat(promise.revision())}});
}

}  // namespace

bool IsPromisedAlready(CallbackRecord& callback, absl::Time promised_time) {
  const PromiseRecord* armed = Armed(callback);
  return armed != nullptr && Pending(callback) == nullptr &&
         FromProto(armed->promised_time()) == FromProto(ToProto(promised_time));
}

void TellOwner(Draft& draft, std::string_view what) {
  for (const Told& told : draft.Owner()) TellOf(draft, told, what);
}

void TellOwnerOfOthers(Draft& draft, std::string_view what) {
  for (const Told& told : draft.Owner()) {
    if (told.member_id != draft.author) TellOf(draft, told, what);
  }
}

// Waits for the reminder. The promise that is on its way counts as well: whoever agrees to it has heard of it.
absl::Status DoCustomerAgree(Draft& draft, const CustomerAgree& command) {
  for (PromiseRecord* promise : {Armed(draft.callback), Pending(draft.callback)}) {
    if (promise == nullptr || promise->revision() != command.revision) continue;
    Agree(draft, *promise);
    return absl::OkStatus();
  }
  return Refused("PROMISE_CHANGED", "that time is no longer the one that counts; look at what is promised now");
}

absl::Status DoCustomerMove(Draft& draft, const CustomerMove& command) {
  RB_RETURN_IF_ERROR(CheckPromisedTime(draft, command.promised_time));
  if (IsPromisedAlready(draft.callback, command.promised_time)) {
    Agree(draft, *Armed(draft.callback));
    return absl::OkStatus();
  }
  const PromiseRecord* armed = Armed(draft.callback);
  const auto channel = armed != nullptr ? armed->channel() : PromiseRecord::CHANNEL_LINK_SHARED;
  const auto before = armed == nullptr ? google::protobuf::Timestamp() : armed->promised_time();
  const bool entry_is_out = CustomerHasEntry(draft.callback);
  WithdrawPending(draft);
  draft.Event("moved_by_customer");
  // The customer's own word needs no delivery. Past its time the old promise is MISSED all the same: law 2.
  PromiseRecord& promise = AddPromise(draft, command.promised_time, channel);
  promise.set_author("customer");
  *promise.mutable_agreed_time() = ToProto(draft.now);
  Arm(draft, promise, record::VERDICT_MOVED_BY_CUSTOMER);
  if (entry_is_out) TellCustomerMoved(draft, promise, "moved_by_customer", before);
  TellOwner(draft, "moved_by_customer");
  return absl::OkStatus();
}

// Endangers the promise, so it interrupts; nothing is settled by it.
absl::Status DoCustomerDecline(Draft& draft) {
  PromiseRecord* armed = Armed(draft.callback);
  if (armed != nullptr) {
    if (armed->has_decline_time()) return absl::OkStatus();  // said once is enough
    *armed->mutable_decline_time() = ToProto(draft.now);
    armed->clear_agreed_time();
  }
  draft.Event("time_declined", {{"revision", armed == nullptr ? "" : absl::StrCat(armed->revision())}});
  TellOwner(draft, "time_declined");
  return absl::OkStatus();
}

// Waits for the reminder. The history says that, not which: content leaves with the caller (law 9).
absl::Status DoCustomerTopic(Draft& draft, const CustomerTopic& command) {
  if (!record::Topic_IsValid(command.topic)) return InvalidField("topic", "UNKNOWN_TOPIC", "order, complaint or question");
  if (draft.callback.topic() == command.topic) return absl::OkStatus();
  draft.callback.set_topic(command.topic);
  draft.Event("topic_given");
  return absl::OkStatus();
}

// An incident: somebody else has the message, and who waits has heard nothing. The clock goes on.
absl::Status DoWrongPerson(Draft& draft) {
  const PromiseRecord* armed = Armed(draft.callback);
  draft.callback.clear_page_token();
  draft.Event("wrong_person");
  DeliveryAlarm(draft, armed == nullptr ? 0 : armed->revision(), "wrong_person", "", record::Channel::KIND_UNSPECIFIED,
                draft.OwnerAndManagers());
  return absl::OkStatus();
}

// Waits for the reminder. Of a promise that has its verdict nobody needs to know any more.
absl::Status DoHeard(Draft& draft, const Heard& command) {
  if (!draft.rules.team.report_listened()) {
    return Refused("NOT_REPORTED", "this team does not report that messages are played");
  }
  for (PromiseRecord& promise : *draft.callback.mutable_promises()) {
    if (promise.revision() != command.revision) continue;
    if (promise.has_heard_time() || promise.verdict() != record::VERDICT_UNSPECIFIED) return absl::OkStatus();
    *promise.mutable_heard_time() = ToProto(draft.now);
    draft.Event("heard", {{"revision", absl::StrCat(promise.revision())}});
    return absl::OkStatus();
  }
  return InvalidField("revision", "UNKNOWN_REVISION", "there is no promise with this revision");
}

// Waits for the reminder, which carries it: the rep works undisturbed until then.
absl::Status DoCustomerBrief(Draft& draft, const CustomerBrief& command) {
  if (command.text.empty()) return InvalidField("text", "MISSING", "two or three sentences");
  auto* brief = draft.callback.mutable_brief();
  if (!AppendText(brief->mutable_text(), command.text)) {
    const size_t left = kMostText - std::min(kMostText, brief->text().size() + 2);
    return InvalidField("text", "BRIEF_FULL",
                        absl::StrCat("with what is written already it would be longer than ", kMostText, " bytes; ", left,
                                     " are left"));
  }
  *brief->mutable_create_time() = ToProto(draft.now);
  draft.Event("brief_received", {{"bytes", absl::StrCat(command.text.size())}});
  return absl::OkStatus();
}

void NoteRing(Draft& draft, std::optional<absl::Time> ring_time) {
  const absl::Time rang = std::min(ring_time.value_or(draft.now), draft.now);
  if (rang < FromProto(draft.callback.last_ring_time())) return;  // told behind a later one
  *draft.callback.mutable_last_ring_time() = ToProto(rang);
}

// When the customer was last spoken to; InfinitePast when never.
absl::Time LastTalk(const CallbackRecord& callback) {
  absl::Time last = absl::InfinitePast();
  for (const record::AttemptRecord& attempt : callback.attempts()) {
    if (attempt.outcome() == record::AttemptRecord::OUTCOME_REACHED) last = std::max(last, FromProto(attempt.called_time()));
  }
  return last;
}

std::string RingText(std::optional<absl::Time> ring_time) { return ring_time ? Text(*ring_time) : ""; }

absl::Status DoRangAgain(Draft& draft, const RangAgain& command) {
  CallbackRecord& callback = draft.callback;
  callback.set_rings(callback.rings() + 1);
  NoteRing(draft, command.ring_time);
  // The ring itself must not be refused for its note: the customer waits.
  const bool whole = AppendCut(callback.mutable_note(), command.note);
  if (!whole) draft.Warn(absl::StrCat("the note is full (", kMostText, " bytes): the end of this one was not kept"));
  draft.Event("rang_again", {{"rings", absl::StrCat(callback.rings())},
                             {"note_cut", whole ? "" : "true"},
                             {"ring_time", RingText(command.ring_time)}});
  if (callback.phase() != CallbackRecord::PHASE_TALKED) return absl::OkStatus();
  if (command.ring_time && *command.ring_time < LastTalk(callback)) {
    draft.Warn("that ring was before the customer was spoken to: the callback stays as it is");
    return absl::OkStatus();
  }
  // After the talk it is a new request: the customer waits again.
  StartWaiting(draft);
  return absl::OkStatus();
}

absl::Status DoUpdateCaller(Draft& draft, const UpdateCaller& command) {
  const record::Caller& old = draft.callback.caller();
  std::string fields;
  const auto note = [&fields](bool changed, const char* field) {
    if (changed) absl::StrAppend(&fields, fields.empty() ? "" : ",", field);
  };
  note(old.name() != command.caller.name(), "name");
  note(old.company() != command.caller.company(), "company");
  note(old.phone() != command.caller.phone(), "phone");
  note(old.email() != command.caller.email(), "email");
  note(old.language() != command.caller.language(), "language");
  note(old.time_zone() != command.caller.time_zone(), "time_zone");
  if (fields.empty()) return absl::OkStatus();
  *draft.callback.mutable_caller() = command.caller;
  draft.Event("caller_updated", {{"fields", fields}});
  return absl::OkStatus();
}

Decision OnLateAnswer(const CallbackRecord& callback, const std::string& text, const std::string& answer_id,
                      const record::TeamRecord& team, const Actor& actor, absl::Time now) {
  Draft draft(callback, team, actor.is_customer ? "customer" : actor.id, now);
  if (!text.empty()) {
    AppendCut(draft.callback.mutable_brief()->mutable_text(), text);
    *draft.callback.mutable_brief()->mutable_create_time() = ToProto(draft.now);
  }
  draft.Event("answer_after_closing", {{"id", answer_id}});
  for (const Told& told : draft.Owner()) draft.ToMember(DeliveryRecord::KIND_NOTICE, told).set_what("answer_after_closing");
  return std::move(draft).Finish();
}

Decision OnAnswerMoved(const CallbackRecord& callback, const std::string& text, absl::Time tied, const std::string& answer_id,
                       const std::string& to, const record::TeamRecord& team, const Actor& actor, absl::Time now) {
  Draft draft(callback, team, actor.id, now);
  if (draft.callback.has_brief()) {
    TakeOut(draft.callback.mutable_brief()->mutable_text(), text);
    if (draft.callback.brief().text().empty()) draft.callback.clear_brief();
  }
  int declined = 0;
  for (PromiseRecord& promise : *draft.callback.mutable_promises()) {
    if (!promise.has_decline_time() || FromProto(promise.decline_time()) != tied) continue;
    promise.clear_decline_time();
    declined = promise.revision();
  }
  draft.Event("answer_moved", {{"id", answer_id}, {"to", to}, {"not_declined", declined == 0 ? "" : absl::StrCat(declined)}});
  // Whether "does not suit" has reached them nobody knows for sure; of a promise that has its verdict nothing stands.
  const PromiseRecord* armed = Armed(draft.callback);
  if (armed != nullptr && armed->revision() == declined) TellOwnerOfOthers(draft, "time_stands");
  return std::move(draft).Finish();
}

}  // namespace ringback::domain
