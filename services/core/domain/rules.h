// The rules of a callback: which command is legal in which state, when the next timer is due, whom an alarm goes to and
// what verdict a promise gets. Pure functions: they take the record, the command, the team and now, and return the new
// record with everything to be committed beside it. No service, no store, no clock, no randomness.
//
// Errors: FAILED_PRECONDITION for a command the state does not allow, INVALID_ARGUMENT for a bad value; both carry the
// field through FieldError (input.h) and say what would be right.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::domain {

namespace record = ::ringback::store::v1;

// Who does something: a member id, "customer", "system" or a token's id.
struct Actor {
  std::string id;
  bool is_customer = false;
};

// Commands. Times are UTC instants; text is UTF-8 and was checked by Check… in input.h.
struct Request {  // opens a callback
  std::string callback_id;
  std::string contact_id;
  record::Caller caller;
  std::string note;
  std::string assignee_id;   // "" leaves it unassigned
  std::string page_token;
  std::optional<absl::Time> ring_time = std::nullopt;  // when the caller rang, where it is told later than that
};
struct RangAgain {  // the same caller asked once more while the callback is open
  std::string note;
  std::optional<absl::Time> ring_time = std::nullopt;
};
struct MakePromise {
  absl::Time promised_time;
  record::PromiseRecord::Channel channel;
  std::string recording_id;   // for CHANNEL_VOICE_MAIL
  bool recording_ready = false;
  std::string spoken_text;
  bool confirm = false;       // CHANNEL_SPOKEN: also in writing, by mail
};
struct StartCall {};  // "calling now": for whoever watches; settles nothing
struct LogAttempt {
  record::AttemptRecord::Outcome outcome;
  absl::Time called_time;     // not after now; not before the callback was created
  std::string note;
  std::string member_id = {};  // who called, where somebody else logs it (a telephone system)
};
struct Complete {
  std::string disposition;
  bool pending_left = false;  // as for Cancel
};
struct Cancel {
  std::string reason;
  // The pending promise's message has left or may have (MayHaveLeft in deliveries.h): then the customer expects the call.
  // The caller withdraws a message that has not, in the same commit.
  bool pending_left = false;
};
struct Assign {
  std::string member_id;  // "" gives it back to nobody: refused while a promise is armed or on its way
};
struct Acknowledge {
  std::optional<absl::Duration> timeout;  // the policy's when not given
};
struct Snooze {
  absl::Duration duration;
};
// The customer's own moves, each from a pressed button or an answer. Only the move and the call-off settle anything.
// What leaves the promise as it is (agree, topic, brief, heard) is quiet and travels with the reminder; what endangers it
// tells the assignee at once.
struct CustomerAgree {
  int revision = 0;  // as the page or the mail named it; PROMISE_CHANGED when another counts by now
};
struct CustomerMove {  // to a free time: binds at once
  absl::Time promised_time;
};
struct CustomerPropose {  // an own wish: the promise stays what it is until the team answers. A later one replaces it.
  absl::Time promised_time;
};
struct CustomerDecline {};  // "13:00 does not suit", and no other time named
struct CustomerCallOff {};
struct CustomerTopic {
  record::Topic topic = record::TOPIC_UNSPECIFIED;  // unspecified takes it back
};
struct CustomerBrief {
  std::string text;
};
// The message went to somebody else: nobody who waits has heard the promise. The page's secret leaves the record; revoke
// its token in the same commit (RevokePage in core/store/change_callback.h).
struct WrongPerson {};
// The page played the voice message of this revision. Refused unless the team reports that.
struct Heard {
  int revision = 0;
};
// The team's answer to a CustomerPropose, or with a time of its own to a CustomerDecline.
struct AnswerProposal {
  // Not given: as wished, and it binds at once. Else the team's own offer, which counts once the customer's channel has
  // accepted it.
  std::optional<absl::Time> promised_time;
};
struct DeclineProposal {};  // it stays as promised, and the customer is told
// The team's answer to something that failed.
struct UpdateCaller {  // corrected mail address, name, …
  record::Caller caller;
};
// Sends the newest promise's voice message again, to the caller's address as it is now. It must not be due yet.
struct Resend {
  bool recording_ready = true;
};
// Undoes the customer's call-off (law 7: the rep can see and undo it), and nothing else. The verdict stays; the
// response target runs anew, and the assignee is told, unless it is the assignee who does it. Remove the retention entry
// that closing made.
struct Reopen {};

using Command = std::variant<RangAgain, MakePromise, StartCall, LogAttempt, Complete, Cancel, Assign, Acknowledge,
                             Snooze, CustomerAgree, CustomerMove, CustomerPropose, CustomerDecline, CustomerCallOff,
                             CustomerTopic, CustomerBrief, WrongPerson, Heard, AnswerProposal, DeclineProposal,
                             UpdateCaller, Resend, Reopen>;

struct Counter {
  std::string group;  // ISO week in the team's zone, "2026-W48"
  std::string name;   // "kept", "late", "missed", … ; per member "kept/mb07…"
  int delta = 1;
};

struct Decision {
  record::CallbackRecord callback;
  // Due time of the callback's one entry in the promise stage; nullopt only for a closed callback.
  std::optional<absl::Time> next_timer;
  // New deliveries (ids made from the callback's) and changed ones (withdrawn). STATE_QUEUED are due now.
  std::vector<record::DeliveryRecord> new_deliveries;
  // Deliveries of this callback that are no longer needed, by id (a reminder for a promise that was moved).
  std::vector<std::string> withdrawn_delivery_ids;
  // What happened, as appended to the callback's history; also published to viewers.
  std::vector<record::HistoryEvent> events;
  std::vector<Counter> counters;
  // Set when the callback closed: when its data is to be purged.
  std::optional<absl::Time> purge_time;
  // Things the actor should know though the command was carried out ("Anna is on leave at that time").
  std::vector<std::string> warnings;
};

// Opens a callback.
absl::StatusOr<Decision> Open(const Request& request, const record::TeamRecord& team, const Actor& actor,
                              absl::Time now);

// Carries out a command on an open callback.
absl::StatusOr<Decision> Apply(const record::CallbackRecord& callback, const Command& command,
                               const record::TeamRecord& team, const Actor& actor, absl::Time now);

// A line in the history and nothing else, also of a closed callback: somebody retried or dropped a dead letter.
Decision Note(const record::CallbackRecord& callback, const std::string& what, const std::string& id,
              const record::TeamRecord& team, const Actor& actor, absl::Time now);

// The callback's timer is due: fires everything that is due at `now` (reminders, overdue, one alarm however many steps
// were slept through, wrap-up). Firing early changes nothing and returns the right next timer.
Decision OnTimer(const record::CallbackRecord& callback, const record::TeamRecord& team, absl::Time now);

// What came of a message. Applies to the fresh record even when it changed in the meantime.
struct DeliveryOutcome {
  enum class Result { kAccepted, kFailed, kAtStake };  // kAtStake: still trying, but not accepted by stake_time
  Result result;
  std::string reason;
};
Decision OnDeliveryOutcome(const record::CallbackRecord& callback, const record::DeliveryRecord& delivery,
                           const DeliveryOutcome& outcome, const record::TeamRecord& team, absl::Time now);

// A message came back, or is late, though its channel had accepted it (RFC 3464). `permanent`: it will not arrive; its
// next channel fires where the list has one, and when it was to the customer the assignee is alarmed at once. Else it is
// only late, and the assignee is alarmed once the promise is at stake. Nothing for a delivery that has a bounce_time: put
// that and bounce_reason into the delivery's record in the same commit when it is permanent.
Decision OnBounce(const record::CallbackRecord& callback, const record::DeliveryRecord& delivery, bool permanent,
                  const std::string& reason, const record::TeamRecord& team, absl::Time now);

// The customer wrote after the callback was closed. The words join the brief, as far as there is room, and the assignee is
// told: whether it is thanks or a new wish only a person can see, and nobody would look by itself. Nothing else changes.
// `answer_id` is for the history.
Decision OnLateAnswer(const record::CallbackRecord& callback, const std::string& text, const std::string& answer_id,
                      const record::TeamRecord& team, const Actor& actor, absl::Time now);

// An answer that a member tied to this callback at `tied` belongs to another one, or to none that is known (`to` is ""). Its
// words leave the brief, and what they declined counts as not declined: the assignee, who was told of it, hears that the
// promise stands, unless it is the assignee who ties. `answer_id` and `to` are for the history.
Decision OnAnswerMoved(const record::CallbackRecord& callback, const std::string& text, absl::Time tied,
                       const std::string& answer_id, const std::string& to, const record::TeamRecord& team,
                       const Actor& actor, absl::Time now);

// The voice message cannot be used (not audio, too short …), after its promise was made: the customer hears nothing.
Decision OnRecordingFailed(const record::CallbackRecord& callback, const std::string& recording_id,
                           const std::string& reason, const record::TeamRecord& team, absl::Time now);

// When the callback's next timer is due; nullopt only for a closed one. Law 1: an open callback always has one.
std::optional<absl::Time> NextTimer(const record::CallbackRecord& callback, const record::TeamRecord& team,
                                    absl::Time now);

// The promise that counts (STATE_ARMED), the one on its way (STATE_PENDING); nullptr when there is none.
const record::PromiseRecord* ArmedPromise(const record::CallbackRecord& callback);
const record::PromiseRecord* PendingPromise(const record::CallbackRecord& callback);

// From the promised time on without an attempt; also past the response target or the follow-up time.
bool IsOverdue(const record::CallbackRecord& callback, absl::Time now);
// By when somebody must act: promised time, response target or follow-up time; nullopt when talked or closed.
std::optional<absl::Time> DueTime(const record::CallbackRecord& callback);

// Moves the oldest 40 events out of a record that holds 80 or more into a page of their own; the last 40 always stay.
// Store the page under the number that callback->history_pages() has afterwards (1, 2, 3, …). nullopt when there is
// nothing to move.
std::optional<record::HistoryPageRecord> PageOut(record::CallbackRecord* callback);

// When a closed callback's data is to leave: the team's retention after closing; nullopt while it is open or on legal
// hold. Decision.purge_time says the same when a command closes it; ask again when a hold ends.
std::optional<absl::Time> PurgeTime(const record::CallbackRecord& callback, const record::TeamRecord& team);

// Erasure of a caller whose callback may still be open: closes it first (as the customer's call-off, without a word to
// the customer or the team), then Erased. There are no new deliveries; withdraw what is listed.
Decision Erase(const record::CallbackRecord& callback, const record::TeamRecord& team, const Actor& actor,
               absl::Time now);

// The caller's data leaves; ids, verdicts and times stay. Erasure on request and retention both end here.
record::CallbackRecord Erased(const record::CallbackRecord& callback);

}  // namespace ringback::domain
