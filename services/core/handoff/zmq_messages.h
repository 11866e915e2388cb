// What both sides of the hand-off do with ZeroMQ messages: bytes in and out, a job's payload without a copy.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/handoff/handoff.h"
#include "core/handoff/wire.h"
#include "core/handoff/zmq_sockets.h"

namespace ringback::handoff {

inline constexpr char kInproc[] = "inproc://jobs";
inline constexpr int kBurst = 1000;  // messages of one socket before the others get their turn

inline std::string_view View(const zmq::message_t& part) { return {part.data<char>(), part.size()}; }
inline zmq::message_t Message(const std::string& bytes) { return zmq::message_t(bytes.data(), bytes.size()); }
// The payload's bytes are not copied: the message keeps them alive until it has left.
zmq::message_t PayloadMessage(const std::shared_ptr<const std::string>& payload);

// A frame that carries a job, and the job of one; its payload is a part of its own, behind the frame.
Frame FrameOf(Frame::Type type, const Job& job);
Job JobOf(Frame frame, const Parts& parts, size_t payload_at);

// What a test may ask for, and what it is told.
class Trial {
 public:
  explicit Trial(const Options& options) : drop_(options.drop), happened_(options.happened) {}
  bool Drops(Frame::Type type) const {
    return drop_ == Options::Drop::kAll ||
           (drop_ == Options::Drop::kJobs && type == Frame::Type::kJob);
  }
  bool DropsEvents() const { return drop_ != Options::Drop::kNone; }
  void Happened(const char* what) const {
    if (happened_) happened_(what);
  }

 private:
  const Options::Drop drop_;
  const std::function<void(const char*)> happened_;
};

}  // namespace ringback::handoff
