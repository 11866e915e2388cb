// SIGTERM and SIGINT as something to wait for, beside a wake-up from any thread.
#pragma once

#include "absl/time/time.h"

namespace ringback::runtime {

// Catches both signals while it lives and then restores what was there; one at a time per process. SIGPIPE is ignored
// from then on: a peer that has gone is an error of the write, not the end of the program.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // True once a signal came or Stop was called; false after `timeout`.
  bool WaitFor(absl::Duration timeout);
  void Stop();  // from any thread
};

}  // namespace ringback::runtime
