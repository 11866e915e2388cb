// What ringback writes to people: the facts of a notice in, subject, text, HTML and one short line out. The sentences
// are Mustache templates (templates/<language>/<kind>.mustache, compiled in), which a team may override; the words for
// times and durations are in message_words.h. Nothing here knows mail, chat or the store.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/words/notice_parts.h"
#include "core/words/template_mustache.h"
#include "delivery/message_words.h"

namespace ringback::delivery {

enum class NoticeKind {
  // to the customer
  kVoiceMessage,        // the spoken message with the promise
  kPromiseMoved,        // the promise has another time or another caller
  kPromiseCancelled,    // nobody will call at call.promised_time
  kSpokenPromise,       // what was promised on the phone, in writing
  // to the team
  kReminder,            // before or at the promised time, to the assignee
  kEscalation,          // a step of the policy: promised time passed without an attempt
  kResponseTarget,      // a caller waits without a promise beyond the response target
  kFollowUp,            // tried, not reached, and not tried again
  kCatchUp,             // one alarm for all steps that an outage slept through
  kBundle,              // several alarms of one minute to one person
  kDigest,              // the morning's list of what was held for team hours
  kDailyNotice,         // after the policy's last repeat, until someone acts
  kDeliveryFailed,      // the customer never heard the promised time
  kHandover,            // a callback, or all of a member's, is now the reader's
  kBriefArrived,        // the customer's few sentences
  kCustomerAnswer,      // agreed, wants another time, called off
  kClosedUnattempted,   // closed without an attempt, to the manager
  kWrapUp,              // talked with the customer, and the callback is still open
  kResponseDue,         // at the response target: a caller has no promise yet, to the assignee or the managers
  kFollowUpDue,         // at the follow-up time: to be called again, to the assignee
  kClosedEarly,         // completed before the promised call was made, to the manager
  kTakenBack,           // what was told of the customer is not so: the time suits, or the call-off was undone; to the assignee
};
inline constexpr int kNoticeKinds = 22;
absl::string_view NoticeKindName(NoticeKind kind);  // "voice_message": the template's file name
std::string TemplateName(NoticeKind kind, Language language);  // "de/voice_message": the only way to name one

// One callback as a notice tells it. Empty values leave their sentence out.
struct CallFacts {
  std::string callback_id;
  std::string caller_name;
  std::string caller_company;
  std::string caller_phone;  // E.164
  std::string assignee_name;
  std::string note;          // what the intake wrote down
  std::string brief;         // the customer's words
  CallTopic topic = CallTopic::kNone;        // what it is about, as the customer tapped
  bool agreed = false;                       // to promised_time
  std::optional<absl::Time> wished_time;     // another time, and nobody has answered yet
  std::string desk_url;      // where to act on it; empty: the commands are named instead
  std::optional<absl::Time> asked_time;
  std::optional<absl::Time> promised_time;  // what the customer was told
  std::optional<absl::Time> due_time;       // the team's own: a response target, or a follow-up
  bool follow_up = false;                   // due_time is that of a follow-up
};

// What the customer hears of a wish for another time.
enum class WishAnswer {
  kNone,        // nothing was wished: the promise changed otherwise
  kAsWished,
  kOtherOffer,
  kStays,       // as promised before
};

// What a message that did not arrive would have told the customer.
enum class Unheard {
  kPromise,       // the promised time, and it is not coming any more
  kPromiseSoFar,  // the same, and it is still being tried
  kConfirmation,  // in writing what was said on the phone
  kChange,        // another time or another caller
  kCancellation,  // that nobody will call
  kCallOff,       // that the own call-off was understood
  kWrongPerson,   // the promised time, and somebody else has it
};

enum class CustomerAnswer {
  kNone,
  kAgreed,
  kOtherTime,  // wishes call.wished_time; the promise stands
  kMoved,      // to call.promised_time, which holds
  kDeclined,   // call.promised_time does not suit
  kCalledOff,
};

struct NoticeFacts {
  Language language = Language::kGerman;
  absl::Time now;         // the hour of sending
  absl::TimeZone zone;    // the reader's
  bool say_zone = false;  // true when the reader may take the time for another zone's
  std::string reader_name;
  std::string team_name;
  std::string footer;     // imprint lines
  CallFacts call;
  std::vector<CallFacts> calls;  // kBundle, kDigest, kHandover of several, kDailyNotice of several

  // To the customer.
  std::string rep_name;
  std::string rep_phone;         // E.164; to call back at once
  std::string spoken_text;       // what the recording says
  std::string page_url;          // the customer's page; empty: no link at all
  bool audio_attached = false;
  bool calendar_attached = false;
  bool can_reply = true;         // an answer to the mail reaches the callback
  std::optional<absl::Time> previous_promised_time;
  std::string previous_rep_name;  // kPromiseMoved: who was going to call before
  WishAnswer wish = WishAnswer::kNone;  // kPromiseMoved

  // To the team.
  int step = 0;                            // of the escalation policy, from 1
  int repeat = 0;                          // 0: the first time
  std::vector<std::string> also_alarmed;   // who else got this alarm
  std::string acknowledged_by;
  std::optional<absl::Time> next_alarm_time;
  Unheard unheard = Unheard::kPromise;     // kDeliveryFailed
  std::string reason;                      // why a delivery failed, a callback was closed or handed over
  std::string channel;                     // "E-Mail", the one that failed
  std::string other_member;                // kHandover: from whom; kClosedUnattempted, kClosedEarly: who closed; kTakenBack: who did
  bool closed = false;                     // kBriefArrived: written after the callback was closed
  bool reopened = false;                   // kTakenBack: the call-off, and nothing is promised; else call.promised_time stands
  int attempts = 0;
  std::optional<absl::Time> last_attempt_time;
  CustomerAnswer answer = CustomerAnswer::kNone;
};

struct RenderedNotice {
  std::string subject;  // one line
  std::string text;     // LF line ends
  std::string html;
  std::string line;     // one line for chat and SMS
};

// Immutable, so thread-safe; cheap to copy.
class NoticeTemplates {
 public:
  // `overrides` by "de/voice_message": text in the form of the files in templates/, parts that it leaves out stay as
  // compiled in. INVALID_ARGUMENT names the override, the part and what is wrong.
  static absl::StatusOr<NoticeTemplates> Create(const std::map<std::string, std::string>& overrides = {});

  // INVALID_ARGUMENT when a template fails on these facts; the compiled-in ones never do.
  absl::StatusOr<RenderedNotice> Render(NoticeKind kind, const NoticeFacts& facts) const;

 private:
  struct Notice {
    explicit Notice(const words::NoticeParts& parts);
    words::Template subject, line, text, html;
    const bool has_html;
  };
  Notice& Find(NoticeKind kind, Language language) const;

  std::map<std::string, std::shared_ptr<Notice>> notices_;  // by "de/voice_message"
};

// The compiled-in templates by path without extension: "de/voice_message", "layout/head". Made by the build.
const std::map<std::string, std::string>& CompiledTemplates();

}  // namespace ringback::delivery
