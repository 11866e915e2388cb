#include "core/handoff/credits.h"

#include <algorithm>

namespace ringback::handoff {
namespace {

constexpr uint32_t kCreditsMax = 4096;  // at once; no worker has more slots

}  // namespace

std::optional<Frame> Credits::OnFrame(const std::string& worker, const Frame& frame, Time now) {
  if (frame.type == Frame::Type::kBeat) return OnBeat(worker, frame, now);
  const auto found = workers_.find(worker);
  // A credit of a past epoch is not counted; the next beat's accounts tell, and both begin anew.
  if (found == workers_.end() || found->second.epoch != frame.epoch) return std::nullopt;
  found->second.heard = now;
  Account& account = found->second.accounts[frame.stage];
  std::deque<std::string>& free = free_[frame.stage];
  if (frame.type == Frame::Type::kCredit) {
    account.received += frame.count;
    free.insert(free.end(), std::min(frame.count, kCreditsMax), worker);
    return std::nullopt;
  }
  if (frame.type != Frame::Type::kRecall) return std::nullopt;
  Frame returned;
  returned.type = Frame::Type::kReturned;
  returned.epoch = frame.epoch;
  returned.stage = frame.stage;
  for (auto each = free.begin(); each != free.end() && returned.count < frame.count;) {
    if (*each == worker) {
      each = free.erase(each);
      ++returned.count;
    } else {
      ++each;
    }
  }
  account.spent += returned.count;
  return returned;
}

Frame Credits::OnBeat(const std::string& id, const Frame& frame, Time now) {
  Worker& worker = workers_[id];
  worker.heard = now;
  if (worker.epoch != frame.epoch) {
    DropCredits(id);
    worker.accounts.clear();
    worker.epoch = frame.epoch;
  }
  Frame back;
  back.type = Frame::Type::kBeatBack;
  back.epoch = frame.epoch;
  for (const Frame::Account& granted : frame.accounts) {
    Account& account = worker.accounts[granted.stage];
    if (account.received != granted.total) back.count = 1;
    back.accounts.push_back({granted.stage, account.spent});
  }
  return back;
}

std::optional<Ticket> Credits::Take(const std::string& stage) {
  const auto found = free_.find(stage);
  if (found == free_.end() || found->second.empty()) return std::nullopt;
  Ticket ticket{stage, std::move(found->second.front()), 0};
  found->second.pop_front();
  ticket.epoch = workers_[ticket.worker].epoch;
  return ticket;
}

void Credits::Return(const Ticket& ticket) {
  const auto found = workers_.find(ticket.worker);
  if (found != workers_.end() && found->second.epoch == ticket.epoch) free_[ticket.stage].push_front(ticket.worker);
}

void Credits::Spend(const Ticket& ticket) {
  const auto found = workers_.find(ticket.worker);
  if (found != workers_.end() && found->second.epoch == ticket.epoch) ++found->second.accounts[ticket.stage].spent;
}

void Credits::DropCredits(const std::string& id) {
  for (auto& [stage, free] : free_) std::erase(free, id);
}

void Credits::Forget(const std::string& worker) {
  DropCredits(worker);
  workers_.erase(worker);
}

std::vector<std::string> Credits::ForgetSilent(Time since) {
  std::vector<std::string> silent;
  for (const auto& [id, worker] : workers_) {
    if (worker.heard < since) silent.push_back(id);
  }
  for (const std::string& id : silent) Forget(id);
  return silent;
}

std::vector<std::string> Credits::WorkersOf(const std::string& stage) const {
  std::vector<std::string> found;
  for (const auto& [id, worker] : workers_) {
    if (worker.accounts.contains(stage)) found.push_back(id);
  }
  return found;
}

int Credits::Held(const std::string& stage) const {
  const auto found = free_.find(stage);
  return found == free_.end() ? 0 : static_cast<int>(found->second.size());
}

}  // namespace ringback::handoff
