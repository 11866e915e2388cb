#include "core/handoff/zmq_producer.h"

#include <utility>
#include <vector>

#include "core/base/status_macros.h"

namespace ringback::handoff {
namespace {

constexpr uint32_t kRefusalsMax = 3;  // then a poll finds it
constexpr std::chrono::milliseconds kWantEvery{50};

}  // namespace

absl::StatusOr<std::string> ZmqProducer::Open(Sockets& sockets, const std::string& listen) {
  router_ = sockets.Router();
  router_.bind(kInproc);
  std::string address;
  if (!listen.empty()) RB_RETURN_IF_ERROR(Bind(router_, listen, &address));
  return address;
}

std::optional<Ticket> ZmqProducer::TakeCredit(const std::string& stage, const std::function<void()>& want) {
  MutexLock lock(&mutex_);
  std::optional<Ticket> ticket = credits_.Take(stage);
  const Time now = std::chrono::steady_clock::now();
  if (!ticket && now >= wanted_[stage] + kWantEvery) {
    wanted_[stage] = now;
    want();
  }
  return ticket;
}

void ZmqProducer::ReturnCredit(const Ticket& ticket) {
  MutexLock lock(&mutex_);
  credits_.Return(ticket);
}

int ZmqProducer::Held(const std::string& stage) {
  MutexLock lock(&mutex_);
  return credits_.Held(stage);
}

void ZmqProducer::SendJob(const Ticket& ticket, const Job& job) {
  {
    MutexLock lock(&mutex_);
    credits_.Spend(ticket);
  }
  Frame frame = FrameOf(Frame::Type::kJob, job);
  frame.epoch = ticket.epoch;
  switch (Tell(ticket.worker, frame, job.payload)) {
    case Sent::kYes: return trial_.Happened("sent");
    case Sent::kNo: return trial_.Happened("let_go");
    case Sent::kUnreachable: return Offer(job);
  }
}

// To another worker, if one is free and it has not been tried too often.
void ZmqProducer::Offer(Job job) {
  std::optional<Ticket> ticket;
  {
    MutexLock lock(&mutex_);
    if (++job.refusals <= kRefusalsMax) ticket = credits_.Take(job.stage);
  }
  if (!ticket) return trial_.Happened("let_go");
  SendJob(*ticket, job);
}

Sent ZmqProducer::Tell(const std::string& worker, const Frame& frame, const std::shared_ptr<const std::string>& payload) {
  if (trial_.Drops(frame.type)) return Sent::kYes;
  Parts parts;
  parts.push_back(Message(worker));
  parts.push_back(Message(Encode(frame)));
  if (payload != nullptr) parts.push_back(PayloadMessage(payload));
  const Sent sent = TrySend(router_, std::move(parts));
  if (sent == Sent::kUnreachable) {
    MutexLock lock(&mutex_);
    credits_.Forget(worker);
  }
  return sent;
}

void ZmqProducer::Want(const std::string& stage) {
  std::vector<std::string> workers;
  {
    MutexLock lock(&mutex_);
    workers = credits_.WorkersOf(stage);
  }
  if (workers.empty()) return;
  // One after the other: all of them at once would take away from the other producers what they live on.
  Frame frame;
  frame.type = Frame::Type::kWanted;
  frame.stage = stage;
  Tell(workers[want_turn_++ % workers.size()], frame);
}

void ZmqProducer::Read() {
  for (int i = 0; i < kBurst; ++i) {
    Parts parts = TryReceive(router_);
    if (parts.empty()) return;
    std::optional<Frame> frame;
    if (parts.size() >= 2) frame = Decode(View(parts[1]));
    if (!frame) {
      trial_.Happened("ignored");
      continue;
    }
    const std::string worker(View(parts[0]));
    if (frame->type == Frame::Type::kRefused) {
      trial_.Happened("refused");
      Offer(JobOf(*std::move(frame), parts, 2));
      continue;
    }
    std::optional<Frame> answer;
    {
      MutexLock lock(&mutex_);
      answer = credits_.OnFrame(worker, *frame, std::chrono::steady_clock::now());
    }
    if (answer) Tell(worker, *answer);
    if (frame->type == Frame::Type::kCredit) trial_.Happened("credit");
  }
}

void ZmqProducer::Tick(Time silent) {
  size_t lost = 0;
  {
    MutexLock lock(&mutex_);
    lost = credits_.ForgetSilent(silent).size();
  }
  for (; lost > 0; --lost) trial_.Happened("lost_worker");
}

}  // namespace ringback::handoff
