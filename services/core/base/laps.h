// A stopwatch for one piece of work: where its time went, for the line in the log that says it is done.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <string>

namespace ringback {

// Used by one thread at a time.
class Laps {
 public:
  // What ran since the last lap (at first: since the start) was `name`.
  void Lap(const char* name) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> ran = now - last_;
    last_ = now;
    fmt::format_to(std::back_inserter(text_), " {}={:.2f}", name, ran.count());
  }
  // A part of the last lap that was measured elsewhere.
  void Within(const char* name, double ms) { fmt::format_to(std::back_inserter(text_), " ({}={:.2f})", name, ms); }

  // "done in 74.31 ms: load=0.52 codec=61.20 (decode=9.80) …"; the laps add up to the whole.
  std::string Text() const {
    const std::chrono::duration<double, std::milli> all = last_ - begin_;
    return fmt::format("done in {:.2f} ms:{}", all.count(), text_);
  }

 private:
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_ = begin_;
  std::string text_;
};

}  // namespace ringback
