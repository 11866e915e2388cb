// Nudges between parts: "something is due", "something changed". A nudge is a hint and may be lost; whoever waits also
// looks at the store once a second, so a lost one costs a second at worst and never work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ringback::handoff {

// Topics: "due/transcode", "due/delivery", "due/promise", "due/retention", "changes/<team>", and "drain" (once, when
// the program begins to drain). Thread-safe.
class Signals {
 public:
  virtual ~Signals() = default;
  virtual void Notify(const std::string& topic) = 0;
  // The topic's count of nudges so far: pass it to Wait, so that none between two looks is missed.
  virtual uint64_t Seen(const std::string& topic) = 0;
  // Returns at once when the count is above `seen`, else at the next nudge or after `timeout_ms`. Returns the count.
  virtual uint64_t Wait(const std::string& topic, uint64_t seen, int timeout_ms) = 0;
  // Calls `handler` on the notifying thread for every nudge whose topic begins with `prefix`; it must not block.
  // Returns a handle for Unsubscribe, which waits for a running call to end: never call it from the handler itself.
  virtual uint64_t Subscribe(const std::string& prefix, std::function<void(const std::string& topic)> handler) = 0;
  virtual void Unsubscribe(uint64_t handle) = 0;
};

// Within one process.
std::unique_ptr<Signals> NewLocalSignals();

}  // namespace ringback::handoff
