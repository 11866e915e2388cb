// Where each record lives: keys, indexes and due entries of ringback's records, and how a domain Decision becomes one
// Commit. The layout is here and nowhere else; what the records mean is domain's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/store/newer.h"
#include "core/store/store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::store {

namespace record = ::ringback::store::v1;

// A parsed record with the version it was read at; version 0: not there.
template <typename Message>
struct Loaded {
  Message message;
  uint64_t version = 0;
};

// NOT_FOUND when it is not there; DATA_LOSS when its bytes do not parse; LeftToNewer when this version must not touch it.
template <typename Message>
absl::StatusOr<Loaded<Message>> Load(Store& store, const Key& key) {
  RB_ASSIGN_OR_RETURN(Record found, store.Get(key));
  Loaded<Message> loaded;
  loaded.version = found.version;
  if (!loaded.message.ParseFromString(found.value)) {
    return absl::DataLossError(absl::StrCat("the record ", key.id, " does not parse"));
  }
  if (!Understood(loaded.message)) return LeftToNewer(key.id);
  return loaded;
}

// Keys. The shard comes from the id; INVALID_ARGUMENT when the text is no id of that kind (an id as a person typed it).
absl::StatusOr<Key> TeamKey(std::string_view team_id);
absl::StatusOr<Key> CallbackKey(std::string_view callback_id);
absl::StatusOr<Key> RecordingKey(std::string_view recording_id);
absl::StatusOr<Key> DeliveryKey(std::string_view delivery_id);
absl::StatusOr<Key> ContactKey(std::string_view contact_id);
absl::StatusOr<Key> BusyKey(std::string_view member_id);
absl::StatusOr<Key> DiaryKey(std::string_view member_id);
absl::StatusOr<Key> AnswerKey(std::string_view answer_id);
Key HistoryPageKey(const record::CallbackRecord& callback, int page);  // page 0, 1, …, history_pages - 1
// The token record of a customer's page: NOT by the secret, only by its hash.
absl::StatusOr<Key> PageTokenKey(std::string_view page_token);
Key TombstoneKey(int shard, std::string_view subject);

// Index names. Members are SortKey(time) or text + '\x1f' + id.
namespace index {
inline constexpr std::string_view kOpen = "open";              // due time, callback: soonest first
inline constexpr std::string_view kOpenBy = "open_by/";        // + member id, or "-" for unassigned: the same
inline constexpr std::string_view kClosed = "closed";          // close time, callback
inline constexpr std::string_view kSubject = "subject";        // "p:+49…" or "m:address", callback: open and closed
inline constexpr std::string_view kContact = "contact";        // "p:+49…" or "m:address", contact
inline constexpr std::string_view kRecordingsOf = "recordings";  // callback, recording
inline constexpr std::string_view kDead = "dead";              // time, delivery or recording; DeadTimer: callback
inline constexpr std::string_view kTokens = "tokens";          // token id, key id of its record
inline constexpr std::string_view kTeams = "teams";            // scope "*": team id
inline constexpr std::string_view kTimer = "timer";            // next timer, callback
inline constexpr std::string_view kAlarms = "alarms/";         // + member id: create time, escalation waiting to leave
inline constexpr std::string_view kAlarmed = "alarmed/";       // + member id: when the last one left, its delivery
inline constexpr std::string_view kAnswers = "answers";        // callback + '\x1f' + create time, answer
inline constexpr std::string_view kUnmatched = "unmatched";    // create time, answer: waits to be tied or dropped
inline constexpr std::string_view kAnswersFrom = "answers_from";  // "m:address" in lower case, answer: tied or not
}  // namespace index

std::string SortKey(absl::Time at);                            // 15 digits of milliseconds
std::string Member(std::string_view sort, std::string_view id);
std::string_view IdOfMember(std::string_view member);          // what stands behind the last '\x1f'
absl::Time TimeOfMember(std::string_view member);              // of one that begins with a SortKey; else the epoch
std::vector<std::string> SubjectKeys(const record::Caller& caller);  // "p:…", "m:…"

// Puts with the expected version.
template <typename Message>
void AddPut(const Key& key, uint64_t expected_version, const Message& message, Commit* commit) {
  Put put;
  put.key = key;
  put.expected_version = expected_version;
  put.value = message.SerializeAsString();
  commit->puts.push_back(std::move(put));
}

// Everything a Decision means for the store: the callback (history paged out), its one due entry in the promise stage,
// its indexes, its new deliveries with their due entries, counters, events and, when it closed, its purge. `before` is
// the record as loaded (nullptr for a new one) and `version` its version.
void AddDecision(const record::CallbackRecord* before, uint64_t version, const domain::Decision& decision,
                 absl::Time now, Commit* commit);

// Changes of one delivery: put, and the indexes of waiting alarms and dead letters. The due entry is the caller's business.
// A new one without a trace id gets the calling thread's (TraceScope).
void AddDelivery(const record::DeliveryRecord& delivery, uint64_t version, Commit* commit);

// Index entries of an answer as they should stand now; none for one whose data has left.
std::vector<IndexChange> AnswerIndexes(const record::AnswerRecord& answer);
// A new or changed answer with its indexes; `before` is nullptr for a new one. An unmatched one gets a retention entry that
// is due at `purge`, any other's goes: it leaves with its callback.
void AddAnswer(const record::AnswerRecord* before, uint64_t version, const record::AnswerRecord& after, absl::Time purge,
               Commit* commit);
// "m:address" in lower case: under which kAnswersFrom knows a sender.
std::string SenderKey(std::string_view address);
// The token of the page that `callback` has (its page_token must not be empty), stored by its hash.
void AddPageToken(const record::CallbackRecord& callback, const std::string& token_id, absl::Time now, Commit* commit);

DueKey PromiseDue(const record::CallbackRecord& callback);
DueKey DeliveryDue(const record::DeliveryRecord& delivery);
DueKey TranscodeDue(const record::RecordingRecord& recording);
DueKey BusyDue(std::string_view team_id, std::string_view member_id);
DueKey RetentionDue(int shard, std::string_view team_id, std::string_view id);

// A callback's one place among the dead letters while its timer does not fire: the same however often it is written.
IndexChange DeadTimer(int shard, std::string_view team_id, std::string_view callback_id, bool remove);

// Removes what an id owns from the indexes of a contact, or adds it.
void AddContactIndexes(const record::ContactRecord& contact, bool remove, Commit* commit);
// Index entries of a callback as they should stand now; used for changes (AddDecision) and for erasure.
std::vector<IndexChange> CallbackIndexes(const record::CallbackRecord& callback);

}  // namespace ringback::store
