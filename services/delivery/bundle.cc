#include "delivery/bundle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/deliveries.h"
#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

constexpr int kBundleMax = 100;
// A morning's alarms fall due in the same moment: a few seconds gather them into one digest.
constexpr absl::Duration kDigestGather = absl::Seconds(3);

store::IndexKey AlarmedIndex(const DeliveryRecord& delivery, int shard) {
  return store::IndexKey{shard, delivery.team_id(), absl::StrCat(std::string(store::index::kAlarmed), delivery.member_id())};
}

bool IsNeeded(const Work& work, absl::Time now) {
  return domain::StillNeeded(work.callback.message, work.delivery.message, work.team, now);
}

}  // namespace

absl::StatusOr<Work> LoadWork(store::Store& store, const std::string& delivery_id) {
  Work work;
  RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(delivery_id));
  RB_ASSIGN_OR_RETURN(work.delivery, store::Load<DeliveryRecord>(store, key));
  if (work.delivery.message.kind() != DeliveryRecord::KIND_SIGN_IN) {
    RB_ASSIGN_OR_RETURN(const store::Key callback_key, store::CallbackKey(work.delivery.message.callback_id()));
    RB_ASSIGN_OR_RETURN(work.callback, store::Load<record::CallbackRecord>(store, callback_key));
  }
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(work.delivery.message.team_id()));
  RB_ASSIGN_OR_RETURN(auto team, store::Load<record::TeamRecord>(store, team_key));
  work.team = std::move(team.message);
  return work;
}

absl::StatusOr<Bundle> LoadBundle(store::Store& store, const DeliveryRecord& leader, absl::Time now) {
  Bundle bundle;
  for (const std::string& id : leader.bundle_ids()) {
    auto other = LoadWork(store, id);
    if (absl::IsNotFound(other.status())) continue;
    RB_RETURN_IF_ERROR(other.status());
    const DeliveryRecord& follower = other->delivery.message;
    if (follower.bundled_into_id() != leader.id() || follower.state() != DeliveryRecord::STATE_SENDING) continue;
    (IsNeeded(*other, now) ? bundle.lines : bundle.settled).push_back(*std::move(other));
  }
  return bundle;
}

void DropSettled(const Bundle& bundle, DeliveryRecord* leader, store::Commit* commit) {
  leader->clear_bundle_ids();
  for (const Work& line : bundle.lines) leader->add_bundle_ids(line.delivery.message.id());
  for (const Work& settled : bundle.settled) {
    DeliveryRecord follower = settled.delivery.message;
    follower.set_state(DeliveryRecord::STATE_WITHDRAWN);
    store::AddDelivery(follower, settled.delivery.version, commit);
  }
}

bool IsFreshAlarm(const DeliveryRecord& delivery) {
  return delivery.kind() == DeliveryRecord::KIND_ESCALATION && delivery.tries_size() == delivery.tries_set_aside() &&
         delivery.bundle_ids().empty();
}

absl::StatusOr<absl::Time> BundleReady(runtime::Host& host, const DeliveryRecord& delivery, absl::Time now) {
  if (!IsFreshAlarm(delivery)) return now;
  const absl::Time created = rpc::FromProto(delivery.create_time());
  absl::Time ready = delivery.digest() ? created + kDigestGather : now;
  RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(delivery.id()));
  store::Page newest;
  newest.limit = 1;
  newest.descending = true;
  RB_ASSIGN_OR_RETURN(const auto last, host.store().Scan(AlarmedIndex(delivery, key.shard), "", "", newest));
  if (!last.members.empty()) {
    ready = std::max(ready, store::TimeOfMember(last.members[0]) + host.config().bundle_window);
  }
  return ready;
}

absl::Status GatherBundle(store::Store& store, absl::Time now, DeliveryRecord* leader, Bundle* bundle,
                          store::Commit* commit) {
  const int shard = commit->shard;
  const store::IndexKey waiting{shard, leader->team_id(),
                                absl::StrCat(std::string(store::index::kAlarms), leader->member_id())};
  store::Page page;
  page.limit = kBundleMax;
  RB_ASSIGN_OR_RETURN(const auto scan, store.Scan(waiting, "", "", page));
  for (const std::string& member : scan.members) {
    const std::string id(store::IdOfMember(member));
    if (id == leader->id()) continue;
    auto other = LoadWork(store, id);
    if (absl::IsNotFound(other.status()) || store::IsLeftToNewer(other.status())) continue;
    RB_RETURN_IF_ERROR(other.status());
    DeliveryRecord& follower = other->delivery.message;
    if (follower.state() != DeliveryRecord::STATE_QUEUED || !IsFreshAlarm(follower) ||
        follower.channel() != leader->channel() || !IsNeeded(*other, now)) {
      continue;
    }
    follower.set_state(DeliveryRecord::STATE_SENDING);
    follower.set_bundled_into_id(leader->id());
    leader->add_bundle_ids(follower.id());
    store::AddDelivery(follower, other->delivery.version, commit);
    commit->due.push_back(store::DueChange{store::DeliveryDue(follower), std::nullopt});
    bundle->lines.push_back(*std::move(other));
  }
  const store::IndexKey alarmed = AlarmedIndex(*leader, shard);
  RB_ASSIGN_OR_RETURN(const auto before, store.Scan(alarmed, "", "", store::Page{}));
  for (const std::string& member : before.members) commit->indexes.push_back({alarmed, member, true});
  commit->indexes.push_back({alarmed, store::Member(store::SortKey(now), leader->id()), false});
  return absl::OkStatus();
}

}  // namespace ringback::delivery
