#include "web/page_cache.h"

#include "core/base/status_macros.h"

namespace ringback::web {

absl::StatusOr<std::shared_ptr<const CachedPage>> PageCache::Find(store::Store& store, const std::string& name,
                                                                  absl::Time now) {
  std::shared_ptr<const CachedPage> page;
  {
    const MutexLock lock(&mutex_);
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    page = found->second->second;
  }
  RB_ASSIGN_OR_RETURN(const std::vector<store::Record> records, store.GetMany(page->keys));
  bool same = now < page->until;
  for (size_t i = 0; i < records.size(); ++i) same = same && records[i].version == page->versions[i];
  if (same) return page;
  const MutexLock lock(&mutex_);
  Forget(name);
  return nullptr;
}

void PageCache::Keep(const std::string& name, CachedPage page) {
  const size_t size = page.html.size();
  if (size > bytes_max_) return;
  const MutexLock lock(&mutex_);
  Forget(name);
  while (bytes_ + size > bytes_max_) Forget(std::string(entries_.back().first));
  entries_.emplace_front(name, std::make_shared<const CachedPage>(std::move(page)));
  by_name_[name] = entries_.begin();
  bytes_ += size;
}

void PageCache::Forget(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  bytes_ -= found->second->second->html.size();
  entries_.erase(found->second);
  by_name_.erase(found);
}

}  // namespace ringback::web
