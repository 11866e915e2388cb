#include "core/handoff/zmq_worker.h"

#include <optional>
#include <utility>

#include "core/base/log.h"

namespace ringback::handoff {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kRetryBeats = 5;
constexpr int kMissedBeats = 10;  // a program that is replaced is back by then

}  // namespace

int ZmqWorker::Given(const std::string& stage) {
  MutexLock lock(&mutex_);
  return slots_.Given(stage);
}

void ZmqWorker::SetReceiver(const std::string& stage, std::function<void(Job)> receiver) {
  MutexLock lock(&receivers_mutex_);
  receivers_[stage] = std::move(receiver);
}

void ZmqWorker::RemoveReceiver(const std::string& stage) {
  MutexLock lock(&receivers_mutex_);  // held during calls, so that none is running from here on
  receivers_.erase(stage);
}

void ZmqWorker::AddStage(const std::string& stage) {
  {
    MutexLock lock(&mutex_);
    slots_.AddStage(stage);
  }
  receiving_ = true;
  Connect();
}

void ZmqWorker::RemoveStage(const std::string& stage) {
  Slots::Outgoing out;
  {
    MutexLock lock(&mutex_);
    slots_.RemoveStage(stage, &out);
  }
  Say(out);
}

void ZmqWorker::Announce(const std::string& stage, int free) {
  Slots::Outgoing out;
  {
    MutexLock lock(&mutex_);
    slots_.Announce(stage, free, &out);
  }
  Say(out);
}

void ZmqWorker::SetPeers(std::set<std::string> endpoints) {
  endpoints_ = std::move(endpoints);
  Connect();
}

// A dealer for each producer; none for those that vanished. With peers this process is one of their list.
void ZmqWorker::Connect() {
  if (!receiving_) return;
  std::set<std::string> wanted = endpoints_;
  if (alone_) wanted.insert(kInproc);
  for (auto each = producers_.begin(); each != producers_.end();) {
    if (wanted.erase(each->second.endpoint) > 0) {
      ++each;
      continue;
    }
    MutexLock lock(&mutex_);
    slots_.RemovePeer(each->first);
    each = producers_.erase(each);
  }
  for (const std::string& endpoint : wanted) {
    zmq::socket_t socket = sockets_.Dealer();
    try {
      socket.connect(endpoint);
    } catch (const zmq::error_t& error) {
      RB_LOG_WARN("hand-off: cannot connect to {}: {}", endpoint, error.what());
      continue;
    }
    const uint64_t id = ++last_producer_;
    const auto now = Steady::now();
    producers_.emplace(id, Producer{endpoint, std::move(socket), now + beat_ * kRetryBeats, now});
    Frame beat;
    {
      MutexLock lock(&mutex_);
      slots_.AddPeer(id);
      beat = slots_.Beat(id);
    }
    Say({{id, beat}});
  }
}

void ZmqWorker::Tick(Time now, Time silent) {
  beat_turn_ = !beat_turn_;
  Slots::Outgoing out;
  size_t lost = 0;
  {
    MutexLock lock(&mutex_);
    lost = slots_.GiveUpSilent(silent, &out).size();
    // One who does not answer is called twice as often: it may have come up just now.
    for (const auto& [id, producer] : producers_) {
      if (beat_turn_ || !slots_.Alive(id)) out.emplace_back(id, slots_.Beat(id));
    }
    slots_.Remind(&out);
  }
  RetryRefused(now);
  TellUnanswered(now);
  for (; lost > 0; --lost) trial_.Happened("lost_producer");
  Say(out);
}

// libzmq tries a lost connection again, but never one whose key was refused: the list may have it by now.
void ZmqWorker::RetryRefused(Time now) {
  for (auto& [id, producer] : producers_) {
    bool alive = false;
    {
      MutexLock lock(&mutex_);
      alive = slots_.Alive(id);
    }
    if (!alive && now < producer.retry_at) continue;
    producer.retry_at = now + beat_ * kRetryBeats;
    if (alive) continue;
    producer.socket = sockets_.Dealer();
    producer.socket.connect(producer.endpoint);  // which was an address before
  }
}

// All works without it, a second later per stage: nobody would notice a wrong address or key but by this.
void ZmqWorker::TellUnanswered(Time now) {
  for (auto& [id, producer] : producers_) {
    bool alive = false;
    {
      MutexLock lock(&mutex_);
      alive = slots_.Alive(id);
    }
    if (alive) {
      producer.answered = now;
      if (std::exchange(producer.missed, false)) RB_LOG_INFO("hand-off: {} answers", producer.endpoint);
    } else if (!producer.missed && now >= producer.answered + beat_ * kMissedBeats) {
      producer.missed = true;
      trial_.Happened("unanswered");
      RB_LOG_WARN("hand-off: {} does not answer: does a ringback hand jobs out there, with the same key of the installation, "
                  "and is this program's key on its list? Until it does, its jobs are found by looking, a second later",
                  producer.endpoint);
    }
  }
}

void ZmqWorker::Say(const Slots::Outgoing& out) {
  for (const auto& [id, frame] : out) {
    const auto found = producers_.find(id);
    if (found == producers_.end() || trial_.Drops(frame.type)) continue;
    Parts parts;
    parts.push_back(Message(Encode(frame)));
    TrySend(found->second.socket, std::move(parts));  // what is lost is found by the next beat's accounts
  }
}

void ZmqWorker::SendBack(const Job& job) {
  const auto found = producers_.find(job.from);
  if (found == producers_.end() || trial_.Drops(Frame::Type::kRefused)) return trial_.Happened("let_go");
  Parts parts;
  parts.push_back(Message(Encode(FrameOf(Frame::Type::kRefused, job))));
  if (job.payload != nullptr) parts.push_back(PayloadMessage(job.payload));
  if (TrySend(found->second.socket, std::move(parts)) != Sent::kYes) trial_.Happened("let_go");
}

void ZmqWorker::AddTo(std::vector<zmq_pollitem_t>& items) {
  for (auto& [id, producer] : producers_) items.push_back({producer.socket.handle(), 0, ZMQ_POLLIN, 0});
}

void ZmqWorker::Read() {
  // A frame may not change producers_: what it asks for is said after.
  for (auto& [id, producer] : producers_) {
    for (int i = 0; i < kBurst; ++i) {
      const Parts parts = TryReceive(producer.socket);
      if (parts.empty()) break;
      OnMessage(id, parts);
    }
  }
}

void ZmqWorker::OnMessage(uint64_t producer, const Parts& parts) {
  std::optional<Frame> frame = Decode(View(parts[0]));
  if (!frame) return trial_.Happened("ignored");
  Slots::Outgoing out;
  {
    MutexLock lock(&mutex_);
    slots_.OnFrame(producer, *frame, Steady::now(), &out);
  }
  if (frame->type == Frame::Type::kJob) {
    trial_.Happened("received");
    Job job = JobOf(*std::move(frame), parts, 1);
    job.from = producer;
    Deliver(std::move(job));
  }
  Say(out);
}

void ZmqWorker::Deliver(Job job) {
  {
    MutexLock lock(&receivers_mutex_);
    const auto found = receivers_.find(job.stage);
    if (found != receivers_.end()) return found->second(std::move(job));
  }
  SendBack(job);
}

}  // namespace ringback::handoff
