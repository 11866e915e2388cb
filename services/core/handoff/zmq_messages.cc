#include "core/handoff/zmq_messages.h"

#include <atomic>
#include <utility>

namespace ringback::handoff {

zmq::message_t PayloadMessage(const std::shared_ptr<const std::string>& payload) {
  struct Kept {
    std::shared_ptr<const std::string> payload;
    // libzmq orders the two threads; ThreadSanitizer sees it by this.
    std::atomic<bool> handed_over{false};
  };
  auto* const kept = new Kept{payload};
  kept->handed_over.store(true, std::memory_order_release);
  const auto done = [](void*, void* hint) {
    auto* const left = static_cast<Kept*>(hint);
    if (left->handed_over.load(std::memory_order_acquire)) delete left;
  };
  return zmq::message_t(const_cast<char*>(payload->data()), payload->size(), done, kept);
}

Frame FrameOf(Frame::Type type, const Job& job) {
  Frame frame;
  frame.type = type;
  frame.stage = job.stage;
  frame.key = job.key;
  frame.traceparent = job.traceparent;
  frame.refusals = job.refusals;
  return frame;
}

Job JobOf(Frame frame, const Parts& parts, size_t payload_at) {
  Job job;
  job.stage = std::move(frame.stage);
  job.key = std::move(frame.key);
  job.traceparent = std::move(frame.traceparent);
  job.refusals = frame.refusals;
  if (parts.size() > payload_at) job.payload = std::make_shared<const std::string>(View(parts[payload_at]));
  return job;
}

}  // namespace ringback::handoff
