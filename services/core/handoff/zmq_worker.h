// The worker's side on ZeroMQ: a dealer to each producer, the book of the slots it was given, and the receivers of jobs.
// Given, SetReceiver and RemoveReceiver are for any thread; everything else is for the thread that owns the sockets.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/mutex.h"
#include "core/handoff/slots.h"
#include "core/handoff/zmq_messages.h"

namespace ringback::handoff {

class ZmqWorker {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // `alone`: no peers are named, and this process is its own and only producer.
  ZmqWorker(Sockets& sockets, const Trial& trial, bool alone, std::chrono::milliseconds beat)
      : sockets_(sockets), trial_(trial), alone_(alone), beat_(beat) {}

  int Given(const std::string& stage);
  void SetReceiver(const std::string& stage, std::function<void(Job)> receiver);
  void RemoveReceiver(const std::string& stage);  // waits for a running call

  void AddStage(const std::string& stage);
  void RemoveStage(const std::string& stage);
  void Announce(const std::string& stage, int free);
  void SendBack(const Job& job);
  void SetPeers(std::set<std::string> endpoints);

  void AddTo(std::vector<zmq_pollitem_t>& items);
  void Read();
  void Tick(Time now, Time silent);
  void Close() { producers_.clear(); }

 private:
  struct Producer {
    std::string endpoint;
    zmq::socket_t socket;
    Time retry_at;  // by then it has answered, or a new connection is tried
    Time answered;  // when it last did, or was first called
    bool missed = false;  // the log has said that it does not
  };

  void Connect();
  void RetryRefused(Time now);
  void TellUnanswered(Time now);
  void Say(const Slots::Outgoing& out);
  void OnMessage(uint64_t producer, const Parts& parts);
  void Deliver(Job job);

  Sockets& sockets_;
  const Trial& trial_;
  const bool alone_;
  const std::chrono::milliseconds beat_;

  Mutex mutex_;
  Slots slots_ RB_GUARDED_BY(mutex_);
  Mutex receivers_mutex_;
  std::map<std::string, std::function<void(Job)>> receivers_ RB_GUARDED_BY(receivers_mutex_);

  std::map<uint64_t, Producer> producers_;
  uint64_t last_producer_ = 0;
  bool receiving_ = false;
  bool beat_turn_ = false;
  std::set<std::string> endpoints_;
};

}  // namespace ringback::handoff
