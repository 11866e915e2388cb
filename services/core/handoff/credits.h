// The producer's book: which worker gave how many credits for which stage. No sockets, no threads, no lock: the hand-off
// holds its own around it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/handoff/handoff.h"
#include "core/handoff/wire.h"

namespace ringback::handoff {

class Credits {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The answer to a worker's frame, where it wants one. Beats, credits, recalls; others are not the book's.
  std::optional<Frame> OnFrame(const std::string& worker, const Frame& frame, Time now);

  // The longest waiting credit, so that jobs spread over the workers.
  std::optional<Ticket> Take(const std::string& stage);
  void Return(const Ticket& ticket);
  // Right before the job goes out, in the order of sending.
  void Spend(const Ticket& ticket);

  // It has gone: its credits are worth nothing.
  void Forget(const std::string& worker);
  // Those not heard of since `since`; forgotten.
  std::vector<std::string> ForgetSilent(Time since);

  // Who could give a credit of this stage.
  std::vector<std::string> WorkersOf(const std::string& stage) const;
  int Held(const std::string& stage) const;

 private:
  struct Account {
    uint64_t received = 0;
    uint64_t spent = 0;
  };
  struct Worker {
    uint64_t epoch = 0;
    Time heard;
    std::map<std::string, Account> accounts;
  };
  Frame OnBeat(const std::string& id, const Frame& frame, Time now);
  void DropCredits(const std::string& id);

  std::map<std::string, Worker> workers_;
  std::map<std::string, std::deque<std::string>> free_;  // by stage: a worker's id per credit
};

}  // namespace ringback::handoff
