// Pages as they were last shown, so that looking again makes nothing again: one read of the store tells whether it is still
// true. Bounded; forgets what was not looked at for longest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"
#include "core/store/store.h"

namespace ringback::web {

struct CachedPage {
  std::vector<store::Key> keys;    // of the records it was made of
  std::vector<uint64_t> versions;  // of the same, as they were; 0: not there
  absl::Time until;                // its words may be others from then on
  std::string html;
};

// Thread-safe.
class PageCache {
 public:
  explicit PageCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  // The page kept under `name`, if every one of its records is as it was and the time has not come; else nullptr, and the
  // page is forgotten. Errors are the store's. Blocks.
  absl::StatusOr<std::shared_ptr<const CachedPage>> Find(store::Store& store, const std::string& name, absl::Time now);
  void Keep(const std::string& name, CachedPage page);

 private:
  using Entries = std::list<std::pair<std::string, std::shared_ptr<const CachedPage>>>;
  void Forget(const std::string& name) RB_REQUIRES(mutex_);

  const size_t bytes_max_;
  Mutex mutex_;
  Entries entries_ RB_GUARDED_BY(mutex_);  // looked at last first
  std::unordered_map<std::string, Entries::iterator> by_name_ RB_GUARDED_BY(mutex_);
  size_t bytes_ RB_GUARDED_BY(mutex_) = 0;
};

}  // namespace ringback::web
