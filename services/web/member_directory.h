// Who has which mail address: the one look-up that knows no team beforehand. Reads every team's record, so what it found is
// used again for a moment.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/mutex.h"
#include "core/rpc/sign_in.h"
#include "core/store/store.h"

namespace ringback::web {

// Thread-safe.
class MemberDirectory {
 public:
  MemberDirectory(store::Store* store, Clock* clock) : store_(store), clock_(clock) {}

  // Active members with this address, in whatever team; upper and lower case are the same. Not older than a second, or
  // than ten times as long as reading all teams takes. Errors are the store's. Blocks.
  absl::StatusOr<std::vector<rpc::MemberOf>> Find(std::string_view address);

 private:
  using ByAddress = std::map<std::string, std::vector<rpc::MemberOf>, std::less<>>;
  absl::StatusOr<ByAddress> ReadAll() RB_REQUIRES(mutex_);

  store::Store* const store_;
  Clock* const clock_;
  Mutex mutex_;  // held while reading: one reads, the others wait for what it finds
  // What was read last. An error is kept as long too: while the store is away not everybody waits for it in turn.
  absl::StatusOr<ByAddress> known_ RB_GUARDED_BY(mutex_) = ByAddress();
  absl::Time good_until_ RB_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace ringback::web
