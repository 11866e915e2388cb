// The hand-off on ZeroMQ: one thread owns every socket, since they are not for sharing; all other threads leave commands
// for it. What the sockets say is zmq_producer's, zmq_worker's, zmq_events' and zmq_doorkeeper's.
#include <sys/eventfd.h>
#include <unistd.h>

#include <deque>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/handoff/handoff.h"
#include "core/handoff/peers.h"
#include "core/handoff/zmq_doorkeeper.h"
#include "core/handoff/zmq_events.h"
#include "core/handoff/zmq_producer.h"
#include "core/handoff/zmq_worker.h"

namespace ringback::handoff {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kSilentBeats = 3;

// Says which of the options an error is about.
absl::StatusOr<std::string> Of(const char* option, absl::StatusOr<std::string> address) {
  if (address.ok()) return address;
  return absl::Status(address.status().code(), absl::StrCat(option, ": ", std::string(address.status().message())));
}

class ZmqHandoff : public Handoff {
 public:
  ZmqHandoff(Options options, std::optional<CurveSetUp> curve)
      : options_(std::move(options)),
        trial_(options_),
        sockets_(std::move(curve)),
        wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        producer_(trial_),
        worker_(sockets_, trial_, options_.jobs_peers.empty(), options_.beat),
        events_(trial_, options_.beat, [this](const std::string& topic) { signals_.NotifyLocally(topic); }) {}

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
      auto opened = ZmqDoorkeeper::Open(sockets_, options_.curve->allowed_keys_file);
      RB_RETURN_IF_ERROR(opened.status());
      doorkeeper_.emplace(*std::move(opened));
    }
    RB_ASSIGN_OR_RETURN(jobs_address_, Of("jobs_listen", producer_.Open(sockets_, options_.jobs_listen)));
    RB_ASSIGN_OR_RETURN(events_address_, Of("events_listen", events_.Open(sockets_, options_.events_listen)));
    thread_ = std::thread([this] { Run(); });
    const ResolveFunction resolve = options_.resolve ? options_.resolve : ResolveHost;
    if (!options_.jobs_peers.empty()) {
      job_peers_ = std::make_unique<Peers>(options_.jobs_peers, options_.resolve_every, resolve, [this](auto found) {
        Post([this, found = std::move(found)] { worker_.SetPeers(found); });
      });
    }
    if (!options_.events_peers.empty()) {
      event_peers_ = std::make_unique<Peers>(options_.events_peers, options_.resolve_every, resolve, [this](auto found) {
        Post([this, found = std::move(found)] { events_.SetPeers(found); });
      });
    }
    return absl::OkStatus();
  }

  std::string jobs_address() const override { return jobs_address_; }
  std::string events_address() const override { return events_address_; }
  Signals& signals() override { return signals_; }

  std::optional<Ticket> TakeCredit(const std::string& stage) override {
    return producer_.TakeCredit(stage, [&] { Post([this, stage] { producer_.Want(stage); }); });
  }
  void ReturnCredit(const Ticket& ticket) override { producer_.ReturnCredit(ticket); }
  void Send(const Ticket& ticket, Job job) override {
    if (job.payload != nullptr && job.payload->size() > kPayloadMax) job.payload.reset();
    Post([this, ticket, job = std::move(job)] { producer_.SendJob(ticket, job); });
  }
  int Held(const std::string& stage) override { return producer_.Held(stage); }

  void Receive(const std::string& stage, std::function<void(Job)> receiver) override {
    worker_.SetReceiver(stage, std::move(receiver));
    Post([this, stage] { worker_.AddStage(stage); });
  }
  void StopReceiving(const std::string& stage) override {
    worker_.RemoveReceiver(stage);
    Post([this, stage] { worker_.RemoveStage(stage); });
  }
  void Announce(const std::string& stage, int free) override {
    Post([this, stage, free] { worker_.Announce(stage, free); });
  }
  void Refuse(Job job) override {
    Post([this, job = std::move(job)] { worker_.SendBack(job); });
  }
  int Given(const std::string& stage) override { return worker_.Given(stage); }

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
      owner_.Post([this, prefix] { owner_.events_.Subscribe(prefix); });
      return handle;
    }
    void Unsubscribe(uint64_t handle) override {
      local_->Unsubscribe(handle);
      MutexLock lock(&mutex_);
      const auto found = prefixes_.find(handle);
      if (found == prefixes_.end()) return;
      owner_.Post([this, prefix = found->second] { owner_.events_.Unsubscribe(prefix); });
      prefixes_.erase(found);
    }
    void NotifyLocally(const std::string& topic) { local_->Notify(topic); }

   private:
    ZmqHandoff& owner_;
    const std::unique_ptr<Signals> local_;
    Mutex mutex_;
    std::map<uint64_t, std::string> prefixes_ RB_GUARDED_BY(mutex_);
  };

  void Post(std::function<void()> command) {
    MutexLock lock(&mutex_);
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
    while (!RunCommands()) {
      if (const auto now = Steady::now(); now >= next_tick) {
        const auto silent = now - options_.beat * kSilentBeats;
        worker_.Tick(now, silent);
        producer_.Tick(silent);
        events_.Tick(now);
        next_tick = now + options_.beat / 2;
      }
      Poll(std::chrono::ceil<std::chrono::milliseconds>(next_tick - Steady::now()));
      uint64_t count;
      [[maybe_unused]] const ssize_t got = read(wake_fd_, &count, sizeof count);
      if (doorkeeper_) doorkeeper_->Read(trial_);
      producer_.Read();
      events_.Read();
      worker_.Read();
      if (options_.turned) options_.turned();
    }
    worker_.Close();
    producer_.Close();
    events_.Close();
    if (doorkeeper_) doorkeeper_->Close();
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
    events_.Publish(topics);
    return stop;
  }

  void Poll(std::chrono::milliseconds timeout) {
    items_.clear();
    items_.push_back({nullptr, wake_fd_, ZMQ_POLLIN, 0});
    items_.push_back({producer_.socket().handle(), 0, ZMQ_POLLIN, 0});
    if (doorkeeper_) items_.push_back({doorkeeper_->socket().handle(), 0, ZMQ_POLLIN, 0});
    events_.AddTo(items_);
    worker_.AddTo(items_);
    zmq_poll(items_.data(), static_cast<int>(items_.size()), std::max<long>(0, timeout.count()));
  }

  const Options options_;
  const Trial trial_;
  Sockets sockets_;
  const int wake_fd_;
  std::string jobs_address_, events_address_;
  NetSignals signals_{this};

  Mutex mutex_;
  std::deque<std::function<void()>> commands_ RB_GUARDED_BY(mutex_);
  std::set<std::string> topics_ RB_GUARDED_BY(mutex_);
  bool stop_ RB_GUARDED_BY(mutex_) = false;

  ZmqProducer producer_;
  ZmqWorker worker_;
  ZmqEvents events_;
  std::optional<ZmqDoorkeeper> doorkeeper_;
  std::vector<zmq_pollitem_t> items_;  // of the thread

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
