// The hand-off on ZeroMQ: one thread owns every socket, since they are not for sharing; all other threads leave
// commands for it. What the two sides keep account of is credits.h's and slots.h's.
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/handoff/credits.h"
#include "core/handoff/handoff.h"
#include "core/handoff/peers.h"
#include "core/handoff/slots.h"
#include "core/handoff/wire.h"
#include "core/handoff/zmq_sockets.h"

namespace ringback::handoff {
namespace {

using Steady = std::chrono::steady_clock;

constexpr char kInproc[] = "inproc://jobs";
constexpr uint32_t kRefusalsMax = 3;  // then a poll finds it
constexpr int kSilentBeats = 3;
constexpr int kRetryBeats = 5;
constexpr int kBurst = 1000;  // messages of one socket before the others get their turn
constexpr std::chrono::milliseconds kWantEvery{50};

std::string_view View(const zmq::message_t& part) { return {part.data<char>(), part.size()}; }

zmq::message_t Message(const std::string& bytes) { return zmq::message_t(bytes.data(), bytes.size()); }

// The payload's bytes are not copied: the message keeps them alive until it has left.
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

bool CrossesProcesses(const std::string& topic) {
  return absl::StartsWith(topic, "due/") || absl::StartsWith(topic, "changes/");
}

class ZmqHandoff : public Handoff {
 public:
  ZmqHandoff(Options options, std::optional<CurveSetUp> curve)
      : options_(std::move(options)), sockets_(std::move(curve)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  ~ZmqHandoff() override {
    job_peers_.reset();
    event_peers_.reset();
    if (thread_.joinable()) {
      {
        MutexLock lock(&mutex_);
        stop_ = true;
      }
      Wake();
      thread_.join();
    }
    close(wake_fd_);
  }

  absl::Status Start() {
    for (const auto* peers : {&options_.jobs_peers, &options_.events_peers}) {
      for (const std::string& peer : *peers) RB_RETURN_IF_ERROR(CheckPeer(peer));
    }
    if (options_.curve) {
      allowed_.emplace(options_.curve->allowed_keys_file);
      RB_RETURN_IF_ERROR(allowed_->Load());
      zap_ = sockets_.Zap();  // before anything that it is to guard
    }
    router_ = sockets_.Router();
    router_.bind(kInproc);
    if (!options_.jobs_listen.empty()) RB_RETURN_IF_ERROR(Bind(router_, options_.jobs_listen, &jobs_address_));
    pub_ = sockets_.Pub();
    if (!options_.events_listen.empty()) RB_RETURN_IF_ERROR(Bind(pub_, options_.events_listen, &events_address_));
    sub_ = sockets_.Sub();
    sub_refusals_ = sockets_.RefusalsOf(sub_);
    thread_ = std::thread([this] { Run(); });
    const ResolveFunction resolve = options_.resolve ? options_.resolve : ResolveHost;
    if (!options_.jobs_peers.empty()) {
      job_peers_ = std::make_unique<Peers>(options_.jobs_peers, options_.resolve_every, resolve, [this](auto found) {
        Post([this, found = std::move(found)] { SetJobPeers(found); });
      });
    }
    if (!options_.events_peers.empty()) {
      event_peers_ = std::make_unique<Peers>(options_.events_peers, options_.resolve_every, resolve, [this](auto found) {
        Post([this, found = std::move(found)] { SetEventPeers(found); });
      });
    }
    return absl::OkStatus();
  }

  std::string jobs_address() const override { return jobs_address_; }
  std::string events_address() const override { return events_address_; }
  Signals& signals() override { return signals_; }

  // --- the producer's side ----------------------------------------------------------------------------------------

  std::optional<Ticket> TakeCredit(const std::string& stage) override {
    MutexLock lock(&mutex_);
    std::optional<Ticket> ticket = credits_.Take(stage);
    if (!ticket && Steady::now() >= wanted_[stage] + kWantEvery) {
      wanted_[stage] = Steady::now();
      PostLocked([this, stage] { Want(stage); });
    }
    return ticket;
  }

  void ReturnCredit(const Ticket& ticket) override {
    MutexLock lock(&mutex_);
    credits_.Return(ticket);
  }

  void Send(const Ticket& ticket, Job job) override {
    if (job.payload != nullptr && job.payload->size() > kPayloadMax) job.payload.reset();
    Post([this, ticket, job = std::move(job)] { SendJob(ticket, job); });
  }

  int Held(const std::string& stage) override {
    MutexLock lock(&mutex_);
    return credits_.Held(stage);
  }

  // --- the worker's side ------------------------------------------------------------------------------------------

  void Receive(const std::string& stage, std::function<void(Job)> receiver) override {
    {
      MutexLock lock(&receivers_mutex_);
      receivers_[stage] = std::move(receiver);
    }
    Post([this, stage] {
      {
        MutexLock lock(&mutex_);
        slots_.AddStage(stage);
      }
      receiving_ = true;
      Connect();
    });
  }

  void StopReceiving(const std::string& stage) override {
    {
      MutexLock lock(&receivers_mutex_);  // held during calls, so that none is running from here on
      receivers_.erase(stage);
    }
    Post([this, stage] {
      Slots::Outgoing out;
      {
        MutexLock lock(&mutex_);
        slots_.RemoveStage(stage, &out);
      }
      Say(out);
    });
  }

  void Announce(const std::string& stage, int free) override {
    Post([this, stage, free] {
      Slots::Outgoing out;
      {
        MutexLock lock(&mutex_);
        slots_.Announce(stage, free, &out);
      }
      Say(out);
    });
  }

  void Refuse(Job job) override {
    Post([this, job = std::move(job)] { SendBack(job); });
  }

  int Given(const std::string& stage) override {
    MutexLock lock(&mutex_);
    return slots_.Given(stage);
  }

 private:
  // Local signals, with a wire to the peers.
  class NetSignals : public Signals {
   public:
    explicit NetSignals(ZmqHandoff* owner) : owner_(*owner), local_(NewLocalSignals()) {}
    void Notify(const std::string& topic) override {
      local_->Notify(topic);
      if (CrossesProcesses(topic) && !owner_.events_address_.empty()) owner_.Publish(topic);
    }
    uint64_t Seen(const std::string& topic) override { return local_->Seen(topic); }
    uint64_t Wait(const std::string& topic, uint64_t seen, int timeout_ms) override {
      return local_->Wait(topic, seen, timeout_ms);
    }
    uint64_t Subscribe(const std::string& prefix, std::function<void(const std::string&)> handler) override {
      const uint64_t handle = local_->Subscribe(prefix, std::move(handler));
      {
        MutexLock lock(&mutex_);
        prefixes_[handle] = prefix;
      }
      owner_.Post([this, prefix] { owner_.sub_.set(zmq::sockopt::subscribe, prefix); });
      return handle;
    }
    void Unsubscribe(uint64_t handle) override {
      local_->Unsubscribe(handle);
      MutexLock lock(&mutex_);
      const auto found = prefixes_.find(handle);
      if (found == prefixes_.end()) return;
      owner_.Post([this, prefix = found->second] { owner_.sub_.set(zmq::sockopt::unsubscribe, prefix); });
      prefixes_.erase(found);
    }
    void NotifyLocally(const std::string& topic) { local_->Notify(topic); }

   private:
    ZmqHandoff& owner_;
    const std::unique_ptr<Signals> local_;
    Mutex mutex_;
    std::map<uint64_t, std::string> prefixes_ RB_GUARDED_BY(mutex_);
  };

  struct Producer {
    std::string endpoint;
    zmq::socket_t socket;
    Steady::time_point retry_at;  // by then it has answered, or a new connection is tried
  };

  // --- commands ---------------------------------------------------------------------------------------------------

  void Post(std::function<void()> command) {
    MutexLock lock(&mutex_);
    PostLocked(std::move(command));
  }
  void PostLocked(std::function<void()> command) RB_REQUIRES(mutex_) {
    const bool first = commands_.empty() && topics_.empty();
    commands_.push_back(std::move(command));
    if (first) Wake();
  }
  void Publish(const std::string& topic) {
    MutexLock lock(&mutex_);
    const bool first = commands_.empty() && topics_.empty();
    topics_.insert(topic);  // a hundred changes of a team in one turn are one nudge
    if (first) Wake();
  }
  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);  // full means awake
  }

  // --- the thread -------------------------------------------------------------------------------------------------

  void Run() {
    Steady::time_point next_tick{};
    for (;;) {
      const bool stopping = RunCommands();
      if (stopping) break;
      if (const auto now = Steady::now(); now >= next_tick) {
        Tick(now);
        next_tick = now + options_.beat / 2;
      }
      Poll(std::chrono::ceil<std::chrono::milliseconds>(next_tick - Steady::now()));
      ReadWake();
      ReadZap();
      ReadRouter();
      ReadSub();
      ReadProducers();
      if (options_.turned) options_.turned();
    }
    producers_.clear();
    router_.close();
    pub_.close();
    sub_refusals_.close();
    sub_.close();
    zap_.close();
  }

  // True when it is time to end.
  bool RunCommands() {
    std::deque<std::function<void()>> commands;
    std::set<std::string> topics;
    bool stop = false;
    {
      MutexLock lock(&mutex_);
      commands.swap(commands_);
      topics.swap(topics_);
      stop = stop_;
    }
    for (const auto& command : commands) command();
    for (const std::string& topic : topics) {
      if (options_.drop != Options::Drop::kNone) continue;
      Parts parts;
      parts.push_back(Message(topic));
      TrySend(pub_, std::move(parts));
    }
    return stop;
  }

  void Poll(std::chrono::milliseconds timeout) {
    items_.clear();
    items_.push_back({nullptr, wake_fd_, ZMQ_POLLIN, 0});
    items_.push_back({router_.handle(), 0, ZMQ_POLLIN, 0});
    items_.push_back({sub_.handle(), 0, ZMQ_POLLIN, 0});
    items_.push_back({sub_refusals_.handle(), 0, ZMQ_POLLIN, 0});
    if (zap_) items_.push_back({zap_.handle(), 0, ZMQ_POLLIN, 0});
    for (auto& [id, producer] : producers_) items_.push_back({producer.socket.handle(), 0, ZMQ_POLLIN, 0});
    zmq_poll(items_.data(), static_cast<int>(items_.size()), std::max<long>(0, timeout.count()));
  }

  void ReadWake() {
    uint64_t count;
    [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
  }

  void Tick(Steady::time_point now) {
    beat_turn_ = !beat_turn_;
    Slots::Outgoing out;
    size_t lost_producers = 0, lost_workers = 0;
    {
      MutexLock lock(&mutex_);
      const auto silent = now - options_.beat * kSilentBeats;
      lost_producers = slots_.GiveUpSilent(silent, &out).size();
      lost_workers = credits_.ForgetSilent(silent).size();
      // One who does not answer is called twice as often: it may have come up just now.
      for (const auto& [id, producer] : producers_) {
        if (beat_turn_ || !slots_.Alive(id)) out.emplace_back(id, slots_.Beat(id));
      }
      slots_.Remind(&out);
    }
    RetryRefused(now);
    for (; lost_producers > 0; --lost_producers) Happened("lost_producer");
    for (; lost_workers > 0; --lost_workers) Happened("lost_worker");
    Say(out);
  }

  // libzmq tries a lost connection again, but never one whose key was refused: the list may have it by now.
  void RetryRefused(Steady::time_point now) {
    for (auto& [id, producer] : producers_) {
      bool alive = false;
      {
        MutexLock lock(&mutex_);
        alive = slots_.Alive(id);
      }
      if (!alive && now < producer.retry_at) continue;
      producer.retry_at = now + options_.beat * kRetryBeats;
      if (alive) continue;
      producer.socket = sockets_.Dealer();
      producer.socket.connect(producer.endpoint);  // which was an address before
    }
    if (refused_events_.empty() || now < retry_events_at_) return;
    retry_events_at_ = now + options_.beat * kRetryBeats;
    const std::set<std::string> all = event_endpoints_;
    std::set<std::string> without;
    for (const std::string& endpoint : all) {
      if (!refused_events_.contains(endpoint)) without.insert(endpoint);
    }
    refused_events_.clear();
    SetEventPeers(without);
    SetEventPeers(all);
  }

  void Happened(const char* what) {
    if (options_.happened) options_.happened(what);
  }

  bool Drops(Frame::Type type) const {
    return options_.drop == Options::Drop::kAll || (options_.drop == Options::Drop::kJobs && type == Frame::Type::kJob);
  }

  // --- the thread, as producer ------------------------------------------------------------------------------------

  void SendJob(const Ticket& ticket, const Job& job) {
    {
      MutexLock lock(&mutex_);
      credits_.Spend(ticket);
    }
    Frame frame;
    frame.type = Frame::Type::kJob;
    frame.epoch = ticket.epoch;
    frame.stage = job.stage;
    frame.key = job.key;
    frame.traceparent = job.traceparent;
    frame.refusals = job.refusals;
    switch (Tell(ticket.worker, frame, job.payload)) {
      case Sent::kYes: return Happened("sent");
      case Sent::kNo: return Happened("let_go");
      case Sent::kUnreachable: return Offer(job);
    }
  }

  // To another worker, if one is free and it has not been tried too often.
  void Offer(Job job) {
    std::optional<Ticket> ticket;
    {
      MutexLock lock(&mutex_);
      if (++job.refusals <= kRefusalsMax) ticket = credits_.Take(job.stage);
    }
    if (!ticket) return Happened("let_go");
    SendJob(*ticket, job);
  }

  Sent Tell(const std::string& worker, const Frame& frame, const std::shared_ptr<const std::string>& payload = nullptr) {
    if (Drops(frame.type)) return Sent::kYes;
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

  void Want(const std::string& stage) {
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

  void ReadRouter() {
    for (int i = 0; i < kBurst; ++i) {
      Parts parts = TryReceive(router_);
      if (parts.empty()) return;
      std::optional<Frame> frame;
      if (parts.size() >= 2) frame = Decode(View(parts[1]));
      if (!frame) {
        Happened("ignored");
        continue;
      }
      const std::string worker(View(parts[0]));
      if (frame->type == Frame::Type::kRefused) {
        Happened("refused");
        Offer(JobOf(*std::move(frame), parts, 2));
        continue;
      }
      std::optional<Frame> answer;
      {
        MutexLock lock(&mutex_);
        answer = credits_.OnFrame(worker, *frame, Steady::now());
      }
      if (answer) Tell(worker, *answer);
      if (frame->type == Frame::Type::kCredit) Happened("credit");
    }
  }

  static Job JobOf(Frame frame, const Parts& parts, size_t payload_at) {
    Job job;
    job.stage = std::move(frame.stage);
    job.key = std::move(frame.key);
    job.traceparent = std::move(frame.traceparent);
    job.refusals = frame.refusals;
    if (parts.size() > payload_at) job.payload = std::make_shared<const std::string>(View(parts[payload_at]));
    return job;
  }

  // --- the thread, as worker --------------------------------------------------------------------------------------

  void SetJobPeers(std::set<std::string> endpoints) {
    job_endpoints_ = std::move(endpoints);
    Connect();
  }

  // A dealer for each producer; none for those that vanished. Without peers this process is its own and only one; with
  // them it is one of the list.
  void Connect() {
    if (!receiving_) return;
    std::set<std::string> wanted = job_endpoints_;
    if (options_.jobs_peers.empty()) wanted.insert(kInproc);
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
      producers_.emplace(id, Producer{endpoint, std::move(socket), Steady::now() + options_.beat * kRetryBeats});
      Frame beat;
      {
        MutexLock lock(&mutex_);
        slots_.AddPeer(id);
        beat = slots_.Beat(id);
      }
      Say({{id, beat}});
    }
  }

  void Say(const Slots::Outgoing& out) {
    for (const auto& [id, frame] : out) {
      const auto found = producers_.find(id);
      if (found == producers_.end() || Drops(frame.type)) continue;
      Parts parts;
      parts.push_back(Message(Encode(frame)));
      TrySend(found->second.socket, std::move(parts));  // what is lost is found by the next beat's accounts
    }
  }

  void SendBack(const Job& job) {
    const auto found = producers_.find(job.from);
    if (found == producers_.end() || Drops(Frame::Type::kRefused)) return Happened("let_go");
    Frame frame;
    frame.type = Frame::Type::kRefused;
    frame.stage = job.stage;
    frame.key = job.key;
    frame.traceparent = job.traceparent;
    frame.refusals = job.refusals;
    Parts parts;
    parts.push_back(Message(Encode(frame)));
    if (job.payload != nullptr) parts.push_back(PayloadMessage(job.payload));
    if (TrySend(found->second.socket, std::move(parts)) != Sent::kYes) Happened("let_go");
  }

  void ReadProducers() {
    // A frame may not change producers_: what it asks for is said after.
    for (auto& [id, producer] : producers_) {
      for (int i = 0; i < kBurst; ++i) {
        Parts parts = TryReceive(producer.socket);
        if (parts.empty()) break;
        OnProducersMessage(id, parts);
      }
    }
  }

  void OnProducersMessage(uint64_t id, const Parts& parts) {
    std::optional<Frame> frame = Decode(View(parts[0]));
    if (!frame) return Happened("ignored");
    Slots::Outgoing out;
    {
      MutexLock lock(&mutex_);
      slots_.OnFrame(id, *frame, Steady::now(), &out);
    }
    if (frame->type == Frame::Type::kJob) {
      Happened("received");
      Job job = JobOf(*std::move(frame), parts, 1);
      job.from = id;
      Deliver(std::move(job));
    }
    Say(out);
  }

  void Deliver(Job job) {
    {
      MutexLock lock(&receivers_mutex_);
      const auto found = receivers_.find(job.stage);
      if (found != receivers_.end()) return found->second(std::move(job));
    }
    SendBack(job);
  }

  // --- the thread, as subscriber and doorkeeper -------------------------------------------------------------------

  void SetEventPeers(const std::set<std::string>& endpoints) {
    try {
      for (const std::string& endpoint : event_endpoints_) {
        if (!endpoints.contains(endpoint)) sub_.disconnect(endpoint);
      }
      for (const std::string& endpoint : endpoints) {
        if (!event_endpoints_.contains(endpoint)) sub_.connect(endpoint);
      }
    } catch (const zmq::error_t& error) {
      RB_LOG_WARN("hand-off: an address of the events' peers is of no use: {}", error.what());
    }
    event_endpoints_ = endpoints;
  }

  void ReadSub() {
    for (Parts refusal = TryReceive(sub_refusals_); refusal.size() >= 2; refusal = TryReceive(sub_refusals_)) {
      refused_events_.insert(std::string(View(refusal[1])));
    }
    for (int i = 0; i < kBurst; ++i) {
      const Parts parts = TryReceive(sub_);
      if (parts.empty()) return;
      const std::string topic(View(parts[0]));
      if (CrossesProcesses(topic)) signals_.NotifyLocally(topic);
    }
  }

  // ZAP (RFC 27): version, request, domain, address, routing id, mechanism, credentials.
  void ReadZap() {
    while (zap_) {
      const Parts ask = TryReceive(zap_);
      if (ask.empty()) return;
      const bool admitted = ask.size() >= 7 && View(ask[5]) == "CURVE" && allowed_->Allows(View(ask[6]));
      if (!admitted && ask.size() >= 4) {
        RB_LOG_WARN("hand-off: a stranger from {} was turned away", std::string(View(ask[3])));
        Happened("turned_away");
      }
      Parts answer;
      answer.push_back(Message("1.0"));
      answer.push_back(Message(ask.size() >= 2 ? std::string(View(ask[1])) : ""));
      answer.push_back(Message(admitted ? "200" : "400"));
      answer.push_back(Message(admitted ? "OK" : "not allowed"));
      answer.emplace_back();
      answer.emplace_back();
      TrySend(zap_, std::move(answer));
    }
  }

  const Options options_;
  Sockets sockets_;
  const int wake_fd_;
  std::string jobs_address_, events_address_;
  NetSignals signals_{this};

  Mutex mutex_;
  std::deque<std::function<void()>> commands_ RB_GUARDED_BY(mutex_);
  std::set<std::string> topics_ RB_GUARDED_BY(mutex_);
  bool stop_ RB_GUARDED_BY(mutex_) = false;
  Credits credits_ RB_GUARDED_BY(mutex_);
  Slots slots_ RB_GUARDED_BY(mutex_);
  std::map<std::string, Steady::time_point> wanted_ RB_GUARDED_BY(mutex_);

  Mutex receivers_mutex_;
  std::map<std::string, std::function<void(Job)>> receivers_ RB_GUARDED_BY(receivers_mutex_);

  // Of the thread alone, once it runs.
  std::optional<AllowedKeys> allowed_;
  zmq::socket_t router_, pub_, sub_, sub_refusals_, zap_;
  std::map<uint64_t, Producer> producers_;
  uint64_t last_producer_ = 0;
  bool receiving_ = false;
  bool beat_turn_ = false;
  size_t want_turn_ = 0;
  std::set<std::string> job_endpoints_, event_endpoints_, refused_events_;
  Steady::time_point retry_events_at_{};
  std::vector<zmq_pollitem_t> items_;

  std::thread thread_;
  std::unique_ptr<Peers> job_peers_, event_peers_;
};

absl::StatusOr<std::optional<CurveSetUp>> SetUp(const std::optional<CurveKeys>& keys) {
  if (!keys) return std::nullopt;
  CurveSetUp curve;
  curve.server_secret = keys->server_secret;
  curve.client_secret = keys->client_secret;
  RB_ASSIGN_OR_RETURN(curve.server_public, PublicKeyOf(keys->server_secret));
  RB_ASSIGN_OR_RETURN(curve.client_public, PublicKeyOf(keys->client_secret));
  return curve;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Handoff>> Handoff::Create(Options options) {
  RB_ASSIGN_OR_RETURN(std::optional<CurveSetUp> curve, SetUp(options.curve));
  try {
    auto handoff = std::make_unique<ZmqHandoff>(std::move(options), std::move(curve));
    RB_RETURN_IF_ERROR(handoff->Start());
    return handoff;
  } catch (const zmq::error_t& error) {
    return absl::InternalError(absl::StrCat("ZeroMQ: ", error.what()));
  }
}

}  // namespace ringback::handoff
