#include "core/handoff/slots.h"

#include <algorithm>
#include <utility>

namespace ringback::handoff {
namespace {

constexpr Slots::Peer kNobody = 0;

Frame About(Frame::Type type, uint64_t epoch, const std::string& stage, uint32_t count) {
  Frame frame;
  frame.type = type;
  frame.epoch = epoch;
  frame.stage = stage;
  frame.count = count;
  return frame;
}

}  // namespace

void Slots::AddPeer(Peer peer) {
  Producer& producer = producers_[peer];
  for (const auto& [stage, free] : free_) producer.accounts[stage];
}

void Slots::RemovePeer(Peer peer) { producers_.erase(peer); }

void Slots::AddStage(const std::string& stage) {
  free_[stage];
  for (auto& [peer, producer] : producers_) producer.accounts[stage];
}

void Slots::RemoveStage(const std::string& stage, Outgoing* out) { Announce(stage, 0, out); }

void Slots::Announce(const std::string& stage, int free, Outgoing* out) {
  const auto found = free_.find(stage);
  if (found == free_.end()) return;
  found->second = free;
  Balance(stage, out);
}

void Slots::OnFrame(Peer peer, const Frame& frame, Time now, Outgoing* out) {
  const auto found = producers_.find(peer);
  if (found == producers_.end()) return;
  Producer& producer = found->second;
  producer.heard = now;
  if (frame.type == Frame::Type::kBeatBack) return OnBeatBack(peer, producer, frame, out);
  const auto account = producer.accounts.find(frame.stage);
  if (account == producer.accounts.end()) return;
  const bool counts = frame.epoch == producer.epoch;
  if (frame.type == Frame::Type::kJob) {
    account->second.active = ++activity_;
    if (counts) ++account->second.spent;
    if (const auto free = free_.find(frame.stage); free != free_.end() && free->second > 0) --free->second;
  } else if (frame.type == Frame::Type::kReturned && counts) {
    account->second.spent += frame.count;
    account->second.recalled = 0;
    // Its credits are in use just now: asking again at once would only repeat the answer.
    if (frame.count == 0) return;
  } else if (frame.type == Frame::Type::kWanted) {
    account->second.active = ++activity_;
    // All is given away: the one who used it least recently gives one up.
    const auto free = free_.find(frame.stage);
    if (free != free_.end() && account->second.outstanding() == 0 && Given(frame.stage) >= free->second) {
      Recall(frame.stage, 1, peer, out);
    }
  }
  Balance(frame.stage, out);
}

void Slots::OnBeatBack(Peer peer, Producer& producer, const Frame& frame, Outgoing* out) {
  if (frame.epoch != producer.epoch) return;  // the answer to the new epoch's beat is on its way
  const bool came = !std::exchange(producer.alive, true);
  bool drifted = frame.count != 0;
  for (const Frame::Account& told : frame.accounts) {
    const auto account = producer.accounts.find(told.stage);
    drifted = drifted || (account != producer.accounts.end() && account->second.spent != told.total);
  }
  // Messages were lost between us (a connection broke): both forget and begin anew.
  if (drifted) Begin(peer, producer, out);
  Remind(out);
  if (came) MakeRoom(peer, out);
}

// Where all is given away and somebody has several, the one who came gets one of them.
void Slots::MakeRoom(Peer newcomer, Outgoing* out) {
  for (const auto& [stage, free] : free_) {
    if (producers_[newcomer].accounts[stage].outstanding() > 0) continue;
    Peer richest = kNobody;
    int64_t most = 1;
    for (auto& [peer, producer] : producers_) {
      const Account& account = producer.accounts[stage];
      if (const int64_t left = account.outstanding() - account.recalled; left > most) {
        most = left;
        richest = peer;
      }
    }
    if (richest == kNobody) continue;
    ++producers_[richest].accounts[stage].recalled;
    out->emplace_back(richest, About(Frame::Type::kRecall, producers_[richest].epoch, stage, 1));
  }
}

void Slots::Begin(Peer peer, Producer& producer, Outgoing* out) {
  ++producer.epoch;
  for (auto& [stage, account] : producer.accounts) account = Account{.active = account.active};
  out->emplace_back(peer, Beat(peer));
}

Frame Slots::Beat(Peer peer) const {
  const Producer& producer = producers_.at(peer);
  Frame beat;
  beat.type = Frame::Type::kBeat;
  beat.epoch = producer.epoch;
  for (const auto& [stage, account] : producer.accounts) beat.accounts.push_back({stage, account.granted});
  return beat;
}

std::vector<Slots::Peer> Slots::GiveUpSilent(Time since, Outgoing* out) {
  std::vector<Peer> silent;
  for (auto& [peer, producer] : producers_) {
    if (!producer.alive || producer.heard >= since) continue;
    producer.alive = false;
    Begin(peer, producer, out);
    silent.push_back(peer);
  }
  if (!silent.empty()) Remind(out);
  return silent;
}

void Slots::Remind(Outgoing* out) {
  for (const auto& [stage, free] : free_) Balance(stage, out);
}

bool Slots::Alive(Peer peer) const {
  const auto found = producers_.find(peer);
  return found != producers_.end() && found->second.alive;
}

int Slots::Given(const std::string& stage) const {
  int64_t given = 0;
  for (const auto& [peer, producer] : producers_) {
    const auto account = producer.accounts.find(stage);
    if (account != producer.accounts.end()) given += account->second.outstanding();
  }
  return static_cast<int>(given);
}

void Slots::Balance(const std::string& stage, Outgoing* out) {
  const auto free = free_.find(stage);
  if (free == free_.end()) return;
  int given = Given(stage);
  for (; given < free->second; ++given) {
    // To whoever has fewest; among those, to whoever sent or wanted last.
    Peer best = kNobody;
    Account* best_account = nullptr;
    for (auto& [peer, producer] : producers_) {
      const auto account = producer.accounts.find(stage);
      if (!producer.alive || account == producer.accounts.end()) continue;
      Account& candidate = account->second;
      if (best_account == nullptr || candidate.outstanding() < best_account->outstanding() ||
          (candidate.outstanding() == best_account->outstanding() && candidate.active > best_account->active)) {
        best = peer;
        best_account = &candidate;
      }
    }
    if (best_account == nullptr) return;
    ++best_account->granted;
    out->emplace_back(best, About(Frame::Type::kCredit, producers_[best].epoch, stage, 1));
  }
  if (given > free->second) Recall(stage, static_cast<uint32_t>(given - free->second), kNobody, out);
}

void Slots::Recall(const std::string& stage, uint32_t count, Peer not_from, Outgoing* out) {
  std::vector<std::pair<uint64_t, Peer>> holders;  // least recently active first
  uint32_t asked = 0;
  for (auto& [peer, producer] : producers_) {
    const auto account = producer.accounts.find(stage);
    if (account == producer.accounts.end()) continue;
    asked += account->second.recalled;
    if (peer != not_from && account->second.outstanding() > account->second.recalled) {
      holders.emplace_back(account->second.active, peer);
    }
  }
  std::sort(holders.begin(), holders.end());
  // What was asked back already is on its way.
  count -= std::min(count, asked);
  for (const auto& [active, peer] : holders) {
    if (count == 0) return;
    Producer& producer = producers_[peer];
    Account& account = producer.accounts[stage];
    const uint32_t some = std::min<uint32_t>(count, static_cast<uint32_t>(account.outstanding() - account.recalled));
    account.recalled += some;
    count -= some;
    out->emplace_back(peer, About(Frame::Type::kRecall, producer.epoch, stage, some));
  }
}

}  // namespace ringback::handoff
