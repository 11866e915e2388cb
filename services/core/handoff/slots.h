// The worker's book: its free slots, and which producer holds how many credits for them. The sum of credits over all
// producers never exceeds the free slots when one is given. No sockets, no threads, no lock, as credits.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/handoff/wire.h"

namespace ringback::handoff {

class Slots {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Peer = uint64_t;
  // What there is to say, in this order.
  using Outgoing = std::vector<std::pair<Peer, Frame>>;

  void AddPeer(Peer peer);
  void RemovePeer(Peer peer);  // its credits are worth nothing from then on

  void AddStage(const std::string& stage);
  void RemoveStage(const std::string& stage, Outgoing* out);
  void Announce(const std::string& stage, int free, Outgoing* out);

  // A producer's frame; a job counts the free slots down.
  void OnFrame(Peer peer, const Frame& frame, Time now, Outgoing* out);
  Frame Beat(Peer peer) const;
  // Those heard of before and not since `since`: their credits are taken back without asking, under a new epoch.
  std::vector<Peer> GiveUpSilent(Time since, Outgoing* out);
  bool Alive(Peer peer) const;
  // Calls back what is still too much: credits that were in use when they were asked for. Now and then.
  void Remind(Outgoing* out);

  int Given(const std::string& stage) const;

 private:
  struct Account {
    uint64_t granted = 0;
    uint64_t spent = 0;   // jobs and returned credits that arrived
    uint32_t recalled = 0;  // asked back, not answered yet
    uint64_t active = 0;  // when it last sent or wanted; a count, not a time
    int64_t outstanding() const { return static_cast<int64_t>(granted - spent); }
  };
  struct Producer {
    uint64_t epoch = 1;
    bool alive = false;
    Time heard;
    std::map<std::string, Account> accounts;
  };

  void OnBeatBack(Peer peer, Producer& producer, const Frame& frame, Outgoing* out);
  void Begin(Peer peer, Producer& producer, Outgoing* out);
  void MakeRoom(Peer newcomer, Outgoing* out);
  // Gives what is free to those who can use it, and calls back what is too much.
  void Balance(const std::string& stage, Outgoing* out);
  void Recall(const std::string& stage, uint32_t count, Peer not_from, Outgoing* out);

  std::map<Peer, Producer> producers_;
  std::map<std::string, int> free_;  // by stage
  uint64_t activity_ = 0;
};

}  // namespace ringback::handoff
