#include "delivery/retry.h"

#include <algorithm>

#include "core/rpc/translate.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

constexpr absl::Duration kFirstPause = absl::Seconds(2);
constexpr absl::Duration kLongestPause = absl::Minutes(5);
constexpr int kTriesKept = 50;
constexpr absl::Duration kPatience = absl::Minutes(1);

bool HasNext(const record::DeliveryRecord& delivery) { return delivery.channel() + 1 < delivery.channels_size(); }

bool NextIsDesk(const record::DeliveryRecord& delivery) {
  return delivery.channels(delivery.channel() + 1).kind() == record::Channel::KIND_DESK;
}

}  // namespace

NextStep After(const record::DeliveryRecord& delivery, const SendOutcome& outcome, absl::Time now, double jitter,
               int tries_max) {
  if (outcome.result == SendResult::kAccepted) return {NextStep::Kind::kDone, now};
  const NextStep give_up{HasNext(delivery) ? NextStep::Kind::kNextChannel : NextStep::Kind::kFailed, now};
  if (outcome.result == SendResult::kPermanent) return give_up;

  const absl::Time stake = delivery.has_stake_time() ? rpc::FromProto(delivery.stake_time()) : absl::InfinitePast();
  if (now >= stake && delivery.has_stake_time() && HasNext(delivery)) return give_up;
  int tries = 0, counted = 0;
  absl::Time first = now;
  for (int i = delivery.tries_set_aside(); i < delivery.tries_size(); ++i) {
    const auto& made = delivery.tries(i);
    if (made.channel() != delivery.channel()) continue;
    if (tries++ == 0) first = rpc::FromProto(made.time());
    if (rpc::FromProto(made.time()) >= stake) ++counted;
  }
  if (now >= stake && counted >= tries_max) return give_up;
  const bool to_member = !delivery.member_id().empty();
  if (to_member && HasNext(delivery) && !NextIsDesk(delivery) && now - first >= kPatience) return give_up;

  absl::Duration pause = std::min(kLongestPause, kFirstPause * (1 << std::clamp(tries - 1, 0, 10)));
  pause *= 0.8 + 0.4 * jitter;
  pause = std::max(pause, outcome.retry_after);
  if (delivery.has_stake_time()) {
    const absl::Duration left = rpc::FromProto(delivery.stake_time()) - now;
    if (left > absl::ZeroDuration()) pause = std::min(pause, std::max(absl::Seconds(1), left / 2));
  }
  return {NextStep::Kind::kAgain, now + pause};
}

void ForgetMiddleTries(record::DeliveryRecord* delivery, absl::Time now) {
  const int kept = delivery->tries_set_aside() + kTriesKept;
  if (!delivery->has_stake_time() || now >= rpc::FromProto(delivery->stake_time()) || delivery->tries_size() <= kept) return;
  delivery->mutable_tries()->DeleteSubrange(delivery->tries_set_aside() + 1, delivery->tries_size() - kept);
}

}  // namespace ringback::delivery
