// The body of an answer that has no end of its own (server-sent events): filled from any thread, sent by the listener as it
// comes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/mutex.h"

namespace ringback::http {

// Thread-safe.
class LiveBody {
 public:
  // Shared, so that what goes to a thousand readers is there once.
  using Block = std::shared_ptr<const std::string>;

  // Whoever lets more than `waiting_bytes_max` wait is given up: a slow reader holds no memory without end.
  explicit LiveBody(size_t waiting_bytes_max) : waiting_bytes_max_(waiting_bytes_max) {}

  // False when it is closed, or closes now because too much waits.
  bool Put(Block block);
  // Ends the answer once what waits has been sent. May be called again.
  void Close();
  bool closed() const;

  // The listener's side. `wake` is called when there is something to take after there was nothing, on the thread of whoever
  // put it; it must not block and is not called any more once Leave has returned.
  void Attend(std::function<void()> wake);
  struct Waiting {
    std::vector<Block> blocks;
    bool last = false;  // nothing comes after these
  };
  Waiting Take();
  // The connection is gone: closed, and what waits is thrown away.
  void Leave();

 private:
  void Wake() RB_REQUIRES(mutex_);

  const size_t waiting_bytes_max_;
  mutable Mutex mutex_;
  std::vector<Block> blocks_ RB_GUARDED_BY(mutex_);
  size_t bytes_ RB_GUARDED_BY(mutex_) = 0;
  bool closed_ RB_GUARDED_BY(mutex_) = false;
  std::function<void()> wake_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback::http
