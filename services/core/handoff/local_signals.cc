// Signals within one process: a count and a condition per topic, and a list of subscribers. What crosses processes
// lives elsewhere in this room.
#include <chrono>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/mutex.h"
#include "core/handoff/signals.h"

namespace ringback::handoff {
namespace {

class LocalSignals : public Signals {
 public:
  void Notify(const std::string& topic) override {
    std::vector<std::shared_ptr<Subscriber>> called;
    {
      MutexLock lock(&mutex_);
      // A topic nobody has looked at yet needs no count: whoever comes first begins with Seen.
      if (const auto found = topics_.find(topic); found != topics_.end()) {
        ++found->second->count;
        found->second->changed.NotifyAll();
      }
      for (const auto& [handle, subscriber] : subscribers_) {
        if (topic.compare(0, subscriber->prefix.size(), subscriber->prefix) != 0) continue;
        ++subscriber->running;
        called.push_back(subscriber);
      }
    }
    for (const auto& subscriber : called) subscriber->handler(topic);
    if (called.empty()) return;
    MutexLock lock(&mutex_);
    for (const auto& subscriber : called) --subscriber->running;
    idle_.NotifyAll();
  }

  uint64_t Seen(const std::string& topic) override {
    MutexLock lock(&mutex_);
    return Find(topic)->count;
  }

  uint64_t Wait(const std::string& topic, uint64_t seen, int timeout_ms) override {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    MutexLock lock(&mutex_);
    const std::shared_ptr<Topic> waited = Find(topic);
    while (waited->count <= seen) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      waited->changed.WaitFor(&mutex_, left);
    }
    return waited->count;
  }

  uint64_t Subscribe(const std::string& prefix, std::function<void(const std::string&)> handler) override {
    MutexLock lock(&mutex_);
    const uint64_t handle = ++last_handle_;
    subscribers_[handle] = std::make_shared<Subscriber>(Subscriber{prefix, std::move(handler)});
    return handle;
  }

  void Unsubscribe(uint64_t handle) override {
    MutexLock lock(&mutex_);
    const auto found = subscribers_.find(handle);
    if (found == subscribers_.end()) return;
    const std::shared_ptr<Subscriber> subscriber = found->second;
    subscribers_.erase(found);
    while (subscriber->running > 0) idle_.Wait(&mutex_);
  }

 private:
  struct Topic {
    uint64_t count = 0;
    CondVar changed;
  };
  struct Subscriber {
    std::string prefix;
    std::function<void(const std::string&)> handler;
    int running = 0;  // guarded by mutex_
  };

  std::shared_ptr<Topic> Find(const std::string& topic) RB_REQUIRES(mutex_) {
    std::shared_ptr<Topic>& found = topics_[topic];
    if (!found) found = std::make_shared<Topic>();
    return found;
  }

  Mutex mutex_;
  CondVar idle_;
  std::map<std::string, std::shared_ptr<Topic>> topics_ RB_GUARDED_BY(mutex_);
  std::map<uint64_t, std::shared_ptr<Subscriber>> subscribers_ RB_GUARDED_BY(mutex_);
  uint64_t last_handle_ RB_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::unique_ptr<Signals> NewLocalSignals() { return std::make_unique<LocalSignals>(); }

}  // namespace ringback::handoff
