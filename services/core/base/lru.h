// A map with room for so many: who adds one more drops the one that was asked for longest ago. Not thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace ringback {

template <typename Value>
class Lru {
 public:
  explicit Lru(size_t max) : max_(max) {}  // above zero

  // nullptr when it is not there; else good until the next Put.
  const Value* Find(const std::string& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->second;
  }

  void Put(const std::string& key, Value value) {
    if (Find(key) != nullptr) {
      entries_.front().second = std::move(value);
      return;
    }
    if (entries_.size() == max_) {
      places_.erase(entries_.back().first);
      entries_.pop_back();
    }
    entries_.emplace_front(key, std::move(value));
    places_.emplace(key, entries_.begin());
  }

  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, Value>>;

  const size_t max_;
  Entries entries_;  // the one asked for last comes first
  std::unordered_map<std::string, typename Entries::iterator> places_;
};

}  // namespace ringback
