// The producer's side on ZeroMQ: a router to which workers come, and the book of the credits they gave. TakeCredit,
// ReturnCredit and Held are for any thread; everything else is for the thread that owns the sockets.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/base/mutex.h"
#include "core/handoff/credits.h"
#include "core/handoff/zmq_messages.h"

namespace ringback::handoff {

class ZmqProducer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit ZmqProducer(const Trial& trial) : trial_(trial) {}
  // Binds within the process, and to `listen` unless it is empty; returns the address as bound.
  absl::StatusOr<std::string> Open(Sockets& sockets, const std::string& listen);
  void Close() { router_.close(); }
  zmq::socket_t& socket() { return router_; }

  // `want` is called with the stage when no credit is there and its workers should be asked for one.
  std::optional<Ticket> TakeCredit(const std::string& stage, const std::function<void()>& want);
  void ReturnCredit(const Ticket& ticket);
  int Held(const std::string& stage);

  void SendJob(const Ticket& ticket, const Job& job);
  void Want(const std::string& stage);
  void Read();
  // Forgets workers not heard of since `silent`.
  void Tick(Time silent);

 private:
  Sent Tell(const std::string& worker, const Frame& frame, const std::shared_ptr<const std::string>& payload = nullptr);
  void Offer(Job job);

  const Trial& trial_;
  zmq::socket_t router_;
  size_t want_turn_ = 0;
  Mutex mutex_;
  Credits credits_ RB_GUARDED_BY(mutex_);
  std::map<std::string, Time> wanted_ RB_GUARDED_BY(mutex_);
};

}  // namespace ringback::handoff
