#include "core/store/records.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/base/log.h"

namespace ringback::store {
namespace {

constexpr char kSeparator = '\x1f';

absl::Time FromProto(const google::protobuf::Timestamp& at) {
  return absl::FromUnixSeconds(at.seconds()) + absl::Nanoseconds(at.nanos());
}

absl::string_view View(std::string_view text) { return absl::string_view(text.data(), text.size()); }

absl::StatusOr<Key> KeyOf(Kind kind, std::string_view prefix, std::string_view id) {
  RB_ASSIGN_OR_RETURN(const int shard, ShardOf(id, prefix));
  return Key{shard, kind, std::string(id)};
}

// The shard of an id that ringback made itself.
int OwnShard(std::string_view id) {
  const auto shard = ShardOf(id);
  RB_CHECK(shard.ok());
  return *shard;
}

bool operator==(const IndexChange& a, const IndexChange& b) {
  return a.index.name == b.index.name && a.index.scope == b.index.scope && a.member == b.member;
}

bool Contains(const std::vector<IndexChange>& changes, const IndexChange& wanted) {
  return std::any_of(changes.begin(), changes.end(), [&](const IndexChange& change) { return change == wanted; });
}

IndexChange Entry(int shard, std::string_view team, std::string_view name, std::string member) {
  return IndexChange{IndexKey{shard, std::string(team), std::string(name)}, std::move(member), false};
}

void ChangeIndexes(const std::vector<IndexChange>& old_entries, const std::vector<IndexChange>& new_entries, Commit* commit) {
  for (IndexChange entry : old_entries) {
    if (Contains(new_entries, entry)) continue;
    entry.remove = true;
    commit->indexes.push_back(std::move(entry));
  }
  for (const IndexChange& entry : new_entries) {
    if (!Contains(old_entries, entry)) commit->indexes.push_back(entry);
  }
}

bool IsDead(const record::DeliveryRecord& delivery) {
  return delivery.state() == record::DeliveryRecord::STATE_FAILED && !delivery.dropped();
}

}  // namespace

absl::StatusOr<Key> TeamKey(std::string_view id) { return KeyOf(Kind::kTeam, id_prefix::kTeam, id); }
absl::StatusOr<Key> CallbackKey(std::string_view id) { return KeyOf(Kind::kCallback, id_prefix::kCallback, id); }
absl::StatusOr<Key> RecordingKey(std::string_view id) { return KeyOf(Kind::kRecording, id_prefix::kRecording, id); }
absl::StatusOr<Key> DeliveryKey(std::string_view id) { return KeyOf(Kind::kDelivery, id_prefix::kDelivery, id); }
absl::StatusOr<Key> ContactKey(std::string_view id) { return KeyOf(Kind::kContact, id_prefix::kContact, id); }
absl::StatusOr<Key> BusyKey(std::string_view id) { return KeyOf(Kind::kBusy, id_prefix::kMember, id); }
absl::StatusOr<Key> DiaryKey(std::string_view id) { return KeyOf(Kind::kDiary, id_prefix::kMember, id); }
absl::StatusOr<Key> AnswerKey(std::string_view id) { return KeyOf(Kind::kAnswer, id_prefix::kAnswer, id); }

Key HistoryPageKey(const record::CallbackRecord& callback, int page) {
  return Key{OwnShard(callback.id()), Kind::kHistoryPage, absl::StrFormat("%s.%06d", callback.id(), page)};
}

absl::StatusOr<Key> PageTokenKey(std::string_view page_token) {
  RB_ASSIGN_OR_RETURN(const int shard, ShardOf(page_token, id_prefix::kPage));
  return Key{shard, Kind::kToken, absl::StrFormat("%02d%s", shard, Sha256Hex(page_token))};
}

Key TombstoneKey(int shard, std::string_view subject) { return Key{shard, Kind::kTombstone, std::string(subject)}; }

std::string SortKey(absl::Time at) { return absl::StrFormat("%015d", absl::ToUnixMillis(at)); }

std::string Member(std::string_view sort, std::string_view id) {
  std::string member(sort);
  member.push_back(kSeparator);
  return member.append(id);
}

std::string_view IdOfMember(std::string_view member) {
  const size_t at = member.rfind(kSeparator);
  return at == std::string_view::npos ? member : member.substr(at + 1);
}

absl::Time TimeOfMember(std::string_view member) {
  int64_t millis = 0;
  if (!absl::SimpleAtoi(View(member.substr(0, member.find(kSeparator))), &millis)) return absl::UnixEpoch();
  return absl::FromUnixMillis(millis);
}

std::vector<std::string> SubjectKeys(const record::Caller& caller) {
  std::vector<std::string> keys;
  if (!caller.phone().empty()) keys.push_back("p:" + caller.phone());
  if (!caller.email().empty()) keys.push_back("m:" + caller.email());
  return keys;
}

DueKey PromiseDue(const record::CallbackRecord& callback) {
  return DueKey{Stage::kPromise, OwnShard(callback.id()), callback.team_id(), callback.id()};
}
DueKey DeliveryDue(const record::DeliveryRecord& delivery) {
  return DueKey{Stage::kDelivery, OwnShard(delivery.id()), delivery.team_id(), delivery.id()};
}
DueKey TranscodeDue(const record::RecordingRecord& recording) {
  return DueKey{Stage::kTranscode, OwnShard(recording.id()), recording.team_id(), recording.id()};
}
DueKey BusyDue(std::string_view team_id, std::string_view member_id) {
  return DueKey{Stage::kBusy, OwnShard(member_id), std::string(team_id), std::string(member_id)};
}
DueKey RetentionDue(int shard, std::string_view team_id, std::string_view id) {
  return DueKey{Stage::kRetention, shard, std::string(team_id), std::string(id)};
}

std::vector<IndexChange> CallbackIndexes(const record::CallbackRecord& callback) {
  std::vector<IndexChange> entries;
  const int shard = OwnShard(callback.id());
  const std::string& team = callback.team_id();
  if (callback.phase() == record::CallbackRecord::PHASE_CLOSED) {
    if (!callback.erased()) {
      entries.push_back(Entry(shard, team, index::kClosed, Member(SortKey(FromProto(callback.close_time())), callback.id())));
    }
  } else {
    // Talked-about ones have no due time: they stand behind everything that has.
    const absl::Time due = domain::DueTime(callback).value_or(FromProto(callback.wrap_up_time()));
    const std::string member = Member(SortKey(due), callback.id());
    entries.push_back(Entry(shard, team, index::kOpen, member));
    const std::string owner = callback.assignee_id().empty() ? "-" : callback.assignee_id();
    entries.push_back(Entry(shard, team, absl::StrCat(View(index::kOpenBy), owner), member));
    if (callback.has_next_timer_time()) {
      entries.push_back(Entry(shard, team, index::kTimer, Member(SortKey(FromProto(callback.next_timer_time())), callback.id())));
    }
  }
  if (!callback.erased()) {
    for (const std::string& key : SubjectKeys(callback.caller())) {
      entries.push_back(Entry(shard, team, index::kSubject, Member(key, callback.id())));
    }
  }
  return entries;
}

std::string SenderKey(std::string_view address) { return "m:" + absl::AsciiStrToLower(View(address)); }

std::vector<IndexChange> AnswerIndexes(const record::AnswerRecord& answer) {
  std::vector<IndexChange> entries;
  if (!answer.has_create_time()) return entries;
  const int shard = OwnShard(answer.id());
  const std::string time = SortKey(FromProto(answer.create_time()));
  if (!answer.callback_id().empty()) {
    entries.push_back(Entry(shard, answer.team_id(), index::kAnswers, Member(Member(answer.callback_id(), time), answer.id())));
  } else if (answer.dropped_by().empty()) {
    entries.push_back(Entry(shard, answer.team_id(), index::kUnmatched, Member(time, answer.id())));
  }
  if (!answer.sender().empty()) {
    entries.push_back(Entry(shard, answer.team_id(), index::kAnswersFrom, Member(SenderKey(answer.sender()), answer.id())));
  }
  return entries;
}

void AddAnswer(const record::AnswerRecord* before, uint64_t version, const record::AnswerRecord& after, absl::Time purge,
               Commit* commit) {
  const int shard = OwnShard(after.id());
  AddPut(Key{shard, Kind::kAnswer, after.id()}, version, after, commit);
  ChangeIndexes(before == nullptr ? std::vector<IndexChange>() : AnswerIndexes(*before), AnswerIndexes(after), commit);
  DueChange leaving;
  leaving.key = RetentionDue(shard, after.team_id(), after.id());
  if (after.has_create_time() && after.callback_id().empty()) leaving.due = purge;
  if (leaving.due.has_value() || version != 0) commit->due.push_back(std::move(leaving));
}

void AddDecision(const record::CallbackRecord* before, uint64_t version, const domain::Decision& decision,
                 absl::Time now, Commit* commit) {
  record::CallbackRecord after = decision.callback;
  const int shard = OwnShard(after.id());
  while (auto page = domain::PageOut(&after)) {
    AddPut(HistoryPageKey(after, after.history_pages() - 1), 0, *page, commit);
  }
  AddPut(Key{shard, Kind::kCallback, after.id()}, version, after, commit);

  DueChange timer;
  timer.key = PromiseDue(after);
  timer.due = decision.next_timer;
  commit->due.push_back(std::move(timer));
  if (decision.purge_time.has_value()) {
    DueChange purge;
    purge.key = RetentionDue(shard, after.team_id(), after.id());
    purge.due = decision.purge_time;
    commit->due.push_back(std::move(purge));
  }

  ChangeIndexes(before == nullptr ? std::vector<IndexChange>() : CallbackIndexes(*before), CallbackIndexes(after), commit);

  for (const record::DeliveryRecord& delivery : decision.new_deliveries) {
    AddDelivery(delivery, 0, commit);
    if (delivery.state() != record::DeliveryRecord::STATE_QUEUED) continue;
    DueChange due;
    due.key = DeliveryDue(delivery);
    due.due = now;
    commit->due.push_back(std::move(due));
  }
  for (const domain::Counter& counter : decision.counters) {
    commit->counters.push_back(CounterDelta{after.team_id(), counter.group, counter.name, counter.delta});
  }
  for (const record::HistoryEvent& event : decision.events) {
    commit->events.push_back(Event{after.team_id(), after.id(), event.SerializeAsString()});
  }
}

void AddDelivery(const record::DeliveryRecord& delivery, uint64_t version, Commit* commit) {
  const int shard = OwnShard(delivery.id());
  const Key key{shard, Kind::kDelivery, delivery.id()};
  if (version == 0 && delivery.trace_id().empty() && !TraceScope::Current().empty()) {
    record::DeliveryRecord traced = delivery;
    traced.set_trace_id(TraceScope::Current());
    AddPut(key, version, traced, commit);
  } else {
    AddPut(key, version, delivery, commit);
  }
  const std::string member = Member(SortKey(FromProto(delivery.create_time())), delivery.id());
  if (delivery.kind() == record::DeliveryRecord::KIND_ESCALATION && !delivery.member_id().empty()) {
    IndexChange alarm = Entry(shard, delivery.team_id(), absl::StrCat(View(index::kAlarms), delivery.member_id()), member);
    alarm.remove = delivery.state() != record::DeliveryRecord::STATE_QUEUED;
    commit->indexes.push_back(std::move(alarm));
  }
  if (version == 0) return;  // only a changed one can have died
  IndexChange dead = Entry(shard, delivery.team_id(), index::kDead, member);
  dead.remove = !IsDead(delivery);
  commit->indexes.push_back(std::move(dead));
}

void AddPageToken(const record::CallbackRecord& callback, const std::string& token_id, absl::Time now, Commit* commit) {
  record::TokenRecord token;
  token.set_id(token_id);
  token.set_team_id(callback.team_id());
  token.set_role(record::TokenRecord::ROLE_PAGE);
  token.set_callback_id(callback.id());
  token.mutable_create_time()->set_seconds(absl::ToUnixSeconds(now));
  AddPut(*PageTokenKey(callback.page_token()), 0, token, commit);
}

IndexChange DeadTimer(int shard, std::string_view team_id, std::string_view callback_id, bool remove) {
  // Later than every time, so before all others in a list of the newest first: a promise is at stake.
  const std::string behind_all = SortKey(absl::FromUnixMillis(999'999'999'999'999));
  IndexChange dead = Entry(shard, std::string(team_id), index::kDead, Member(behind_all, callback_id));
  dead.remove = remove;
  return dead;
}

void AddContactIndexes(const record::ContactRecord& contact, bool remove, Commit* commit) {
  for (const std::string& key : SubjectKeys(contact.caller())) {
    IndexChange entry = Entry(OwnShard(contact.id()), contact.team_id(), index::kContact, Member(key, contact.id()));
    entry.remove = remove;
    commit->indexes.push_back(std::move(entry));
  }
}

}  // namespace ringback::store
