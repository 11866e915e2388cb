// See restored.h.
#include "ringback/restored.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/store/every_record.h"
#include "core/store/records.h"

namespace ringback {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

constexpr char kReason[] = "restored from a backup; not known whether it was sent";

bool IsOpen(const DeliveryRecord& delivery) {
  return delivery.state() == DeliveryRecord::STATE_WAITING || delivery.state() == DeliveryRecord::STATE_QUEUED ||
         delivery.state() == DeliveryRecord::STATE_SENDING;
}

// Whether the customer hears of the callback's pending promise by this message.
bool CarriesPending(const DeliveryRecord& delivery, const record::CallbackRecord& callback) {
  if (!delivery.member_id().empty() || callback.phase() == record::CallbackRecord::PHASE_CLOSED) return false;
  const record::PromiseRecord* const pending = domain::PendingPromise(callback);
  return pending != nullptr && pending->revision() == delivery.promise_revision();
}

absl::Status SignOut(store::Store& store, Random& random, int shard) {
  for (const store::Kind kind : {store::Kind::kSession, store::Kind::kSignIn}) {
    store::Commit commit;
    commit.shard = shard;
    commit.commit_id = NewSecret(id_prefix::kLease, shard, random);
    RB_RETURN_IF_ERROR(store::ForEveryRecord(store, shard, kind, "", [&](const store::Record& record) {
      store::Put gone;
      gone.key = record.key;
      gone.expected_version = record.version;
      commit.puts.push_back(std::move(gone));
      return absl::OkStatus();
    }));
    if (!commit.puts.empty()) RB_RETURN_IF_ERROR(store.CommitOnce(commit).status());
  }
  return absl::OkStatus();
}

absl::Status Settle(store::Store& store, Random& random, const DeliveryRecord& open, uint64_t version,
                    Settled* settled) {
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(open.id()));
  store::Commit commit;
  commit.shard = key.shard;
  // Another decision is another commit; the version keeps this one from happening twice.
  commit.commit_id = NewSecret(id_prefix::kLease, key.shard, random);
  commit.due.push_back(store::DueChange{store::DeliveryDue(open), std::nullopt});
  DeliveryRecord delivery = open;
  if (open.kind() == DeliveryRecord::KIND_SIGN_IN) {
    store::Put gone;
    gone.key = key;
    gone.expected_version = version;
    commit.puts.push_back(std::move(gone));
    ++settled->withdrawn;
    return store.CommitOnce(commit).status();
  }

  RB_ASSIGN_OR_RETURN(const store::Key callback_key, store::CallbackKey(open.callback_id()));
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(open.team_id()));
  auto callback = store::Load<record::CallbackRecord>(store, callback_key);
  if (!callback.ok() && !absl::IsNotFound(callback.status())) return callback.status();
  if (callback.ok() && CarriesPending(open, callback->message)) {
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(store, team_key));
    delivery.set_state(DeliveryRecord::STATE_FAILED);
    delivery.set_dead_reason(kReason);
    const domain::Decision decision = domain::OnDeliveryOutcome(
        callback->message, delivery, {domain::DeliveryOutcome::Result::kFailed, kReason}, team.message, now);
    store::AddDecision(&callback->message, callback->version, decision, now, &commit);
    ++settled->alarmed;
  } else {
    delivery.set_state(DeliveryRecord::STATE_WITHDRAWN);
    if (delivery.reason().empty()) delivery.set_reason("restored");
    ++settled->withdrawn;
  }
  store::AddDelivery(delivery, version, &commit);
  return store.CommitOnce(commit).status();
}

}  // namespace

absl::StatusOr<Settled> SettleRestored(store::Store& store) {
  Settled settled;
  const std::unique_ptr<Random> random = NewSystemRandom();
  for (int shard = 0; shard < kShards; ++shard) {
    // Gathered first: settling makes new deliveries (the alarms), which must go out.
    std::vector<store::Record> open;
    const auto gather = [&](const store::Record& record) {
      DeliveryRecord delivery;
      if (!delivery.ParseFromString(record.value)) {
        return absl::DataLossError(absl::StrCat("the record ", record.key.id, " does not parse"));
      }
      if (IsOpen(delivery)) open.push_back(record);
      return absl::OkStatus();
    };
    RB_RETURN_IF_ERROR(store::ForEveryRecord(store, shard, store::Kind::kDelivery, "", gather));
    RB_RETURN_IF_ERROR(SignOut(store, *random, shard));
    for (const store::Record& record : open) {
      DeliveryRecord delivery;
      delivery.ParseFromString(record.value);
      RB_RETURN_IF_ERROR(Settle(store, *random, delivery, record.version, &settled));
    }
  }
  return settled;
}

}  // namespace ringback
