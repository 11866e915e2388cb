// What is true about a callback now, in the customer's eyes: from the records to plain words and times. Pure; which
// sentence says it is the templates' business, who may see it page_access.h's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "ringback/store/v1/records.pb.h"
#include "web/page_words.h"

namespace ringback::web {

namespace record = ::ringback::store::v1;

struct PageRecords {
  record::CallbackRecord callback;
  record::TeamRecord team;
  std::optional<record::RecordingRecord> recording;  // of VoicePromise, where there is one
  absl::Time expire_time = absl::InfiniteFuture();  // of the link
};

struct PageState {
  enum class Kind {
    kWaiting,    // nobody has named a time yet
    kPromised,   // a time is promised and not over
    kPassed,     // the promised time is over and nobody has called
    kFollowUp,   // called, not reached
    kTalked,     // spoken with the customer; also closed after that
    kClosed,     // closed by the team without a conversation
    kCalledOff,  // called off by the customer
  };
  Kind kind = Kind::kWaiting;
  Language language = Language::kGerman;

  std::string greeted;      // the customer's name; may be empty
  std::string company;      // never empty
  std::string who;          // who calls: the member present at that time; empty: unassigned
  std::string in_place_of;  // the assignee, when somebody stands in; else empty
  std::string when;         // kPromised, kPassed: "heute um 13:00 Uhr"; kFollowUp: when the last attempt was
  std::string when_full;    // kPromised, kPassed
  std::string zone;         // "Ortszeit New York" when the customer's clock is not the team's, else empty
  std::string promised_utc;  // kPromised, kPassed: "2026-11-23T12:00:00Z", for the device's own clock
  std::string zone_name;     // of the times above, IANA
  int revision = 0;          // kPromised, kPassed: of the promise

  bool playable = false;         // the renditions are there
  std::string length;            // "0:32"
  std::string speaker;           // who spoke the take
  std::string spoken_at;         // when: "heute um 9:12 Uhr"
  std::string spoken_text;       // may be empty
  std::string take_when;         // the time the take names, when that is no longer what counts; else empty
  bool other_person = false;     // somebody else than the speaker calls
  double seconds = 0;
  std::string waveform;          // the take's bins
  bool tells_listening = false;  // the team learns that the take was played, and the page says so
  bool heard = false;            // it has learnt it
  int take_revision = 0;         // of the promise that the take belongs to

  // What the customer has said so far.
  bool agreed = false;      // to the time above
  bool chosen = false;      // the time above is the customer's own choice
  std::string wished;       // a time that waits for the team's word: "morgen um 10:00 Uhr"
  std::string brief;
  std::string topic;        // "order", "complaint", "question" or empty

  // What the customer can do.
  bool may_agree = false;
  bool may_move = false;      // choose or wish another time
  bool may_write = false;
  bool may_call_off = false;
  bool may_disown = false;    // "this is not for me"
  bool has_calendar = false;  // the promise as a calendar entry

  bool may_answer = false;  // came by mail and is open: answering that mail reaches the team
  std::string phone;        // to call instead; may be empty
  std::string legal_text;
  std::string imprint_url;  // http or https, else empty
  std::string privacy_url;
};

// The promise whose take the customer hears: the valid one's (armed, else on its way), else the newest that the customer
// heard of. nullptr when there is no take.
const record::PromiseRecord* VoicePromise(const record::CallbackRecord& callback);

// What counts: the armed promise, else the one on its way; nullptr when there is none.
const record::PromiseRecord* ValidPromise(const record::CallbackRecord& callback);

// The customer's zone, else the team's, else UTC.
absl::TimeZone CustomerZone(const PageRecords& records);
// The recording, when it can be played.
const record::RecordingRecord* Playable(const PageRecords& records);

// The first moment after `now` at which Describe may say something else though no record has changed: a midnight, the end of
// a promised time or of the link, somebody's absence.
absl::Time StaysUntil(const PageRecords& records, absl::Time now);

PageState Describe(const PageRecords& records, std::string_view accept_language, absl::Time now);

}  // namespace ringback::web
