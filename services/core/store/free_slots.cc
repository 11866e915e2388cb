#include "core/store/free_slots.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/slots.h"
#include "core/store/records.h"

namespace ringback::store {
namespace {

constexpr int kCallbacksMost = 500;
constexpr int kAllSlots = 10000;
constexpr absl::Duration kDiaryKept = absl::Hours(1);  // longer than any commit takes

absl::StatusOr<std::vector<absl::Time>> PromisesOf(Store& store, const record::CallbackRecord& callback) {
  std::vector<absl::Time> promises;
  RB_ASSIGN_OR_RETURN(const Key own, CallbackKey(callback.id()));
  const std::string name = absl::StrCat(std::string(index::kOpenBy), callback.assignee_id());
  Page page;
  page.limit = kCallbacksMost;
  RB_ASSIGN_OR_RETURN(const ScanResult scan, store.Scan(IndexKey{own.shard, callback.team_id(), name}, "", "", page));
  std::vector<Key> keys;
  for (const std::string& member : scan.members) {
    RB_ASSIGN_OR_RETURN(Key key, CallbackKey(IdOfMember(member)));
    if (!(key == own)) keys.push_back(std::move(key));
  }
  RB_ASSIGN_OR_RETURN(const std::vector<Record> records, store.GetMany(keys));
  for (const Record& one : records) {
    record::CallbackRecord other;
    if (one.version == 0 || !other.ParseFromString(one.value)) continue;  // closed and gone since the index was read
    for (const record::PromiseRecord* promise : {domain::ArmedPromise(other), domain::PendingPromise(other)}) {
      if (promise != nullptr) promises.push_back(domain::FromProto(promise->promised_time()));
    }
  }
  return promises;
}

absl::StatusOr<std::vector<domain::BusySpan>> BusyOf(Store& store, const std::string& member_id) {
  std::vector<domain::BusySpan> spans;
  const auto key = BusyKey(member_id);
  if (!key.ok()) return spans;
  const auto busy = Load<record::BusyRecord>(store, *key);
  if (absl::IsNotFound(busy.status())) return spans;
  RB_RETURN_IF_ERROR(busy.status());
  for (const auto& span : busy->message.spans()) {
    spans.push_back({domain::FromProto(span.start_time()), domain::FromProto(span.end_time())});
  }
  return spans;
}

}  // namespace

absl::StatusOr<std::vector<absl::Time>> FreeSlotsOf(Store& store, const record::CallbackRecord& callback,
                                                    const record::TeamRecord& team, absl::Time now, int count_max,
                                                    std::optional<absl::Time> from) {
  std::vector<absl::Time> promises;
  std::vector<domain::BusySpan> busy;
  if (!callback.assignee_id().empty()) {
    RB_ASSIGN_OR_RETURN(promises, PromisesOf(store, callback));
    RB_ASSIGN_OR_RETURN(busy, BusyOf(store, callback.assignee_id()));
  }
  return domain::FreeSlots(callback, team, callback.assignee_id(), promises, busy, now, count_max, from);
}

absl::Status AddSlotChoice(Store& store, const record::CallbackRecord& callback, const record::TeamRecord& team,
                           absl::Time slot, absl::Time now, Commit* commit) {
  const record::PromiseRecord* const armed = domain::ArmedPromise(callback);
  if (armed != nullptr && domain::FromProto(armed->promised_time()) == slot) return absl::OkStatus();
  Put diary;
  if (!callback.assignee_id().empty()) {
    RB_ASSIGN_OR_RETURN(diary.key, DiaryKey(callback.assignee_id()));
    // Read before the times are looked at: a choice in between has changed it.
    RB_ASSIGN_OR_RETURN(const std::vector<Record> found, store.GetMany({diary.key}));
    diary.expected_version = found[0].version;
    diary.value = callback.id();
    diary.expires = now + kDiaryKept;
  }
  RB_ASSIGN_OR_RETURN(const std::vector<absl::Time> free, FreeSlotsOf(store, callback, team, now, kAllSlots));
  if (std::find(free.begin(), free.end(), slot) == free.end()) {
    return domain::FieldError(absl::StatusCode::kFailedPrecondition, "slot", kSlotTaken, "no longer free");
  }
  if (diary.value.has_value()) commit->puts.push_back(std::move(diary));
  return absl::OkStatus();
}

}  // namespace ringback::store
