// The hand-off: a job goes to a worker that announced a free slot, with its bytes where they are small; nudges go to
// whoever listens. ZeroMQ is the fast path only: whatever is lost here is still due in the store, where a poll finds it
// within a second. This room knows no store: a stage is a word, a key is bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/handoff/curve.h"
#include "core/handoff/signals.h"

namespace ringback::handoff {

// Larger payloads stay behind: the worker fetches them from the blob store.
inline constexpr size_t kPayloadMax = size_t{4} << 20;

struct Job {
  std::string stage;        // "transcode"
  std::string key;          // what the worker has or claims it by; opaque here
  std::string traceparent;  // W3C trace context; "" for none
  std::shared_ptr<const std::string> payload;  // nullptr: none travelled
  // The hand-off's own: whence it came, and how often it was refused.
  uint64_t from = 0;
  uint32_t refusals = 0;
};

// One free slot of one worker, taken for one job.
struct Ticket {
  std::string stage;
  std::string worker;
  uint64_t epoch = 0;
};

struct Options {
  // "127.0.0.1:7431", port 0 takes a free one; "": only this process reaches it (inproc).
  std::string jobs_listen;
  std::string events_listen;
  // "host:port" of all producers, this one included when it makes jobs for its own workers; none: this one alone. A name
  // stands for all its addresses and is looked up again every `resolve_every`: new ones are connected, vanished ones
  // dropped.
  std::vector<std::string> jobs_peers;
  std::vector<std::string> events_peers;
  std::optional<CurveKeys> curve;  // nullopt: neither encrypted nor checked; for loopback

  std::chrono::milliseconds beat{1000};   // a peer not heard of for three of them is lost
  std::chrono::milliseconds resolve_every{5000};
  // The addresses behind a name, without ports ("10.1.2.3", "fd00::1"). Default: the system's resolver. Blocks.
  std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)> resolve;

  // Tests prove with it that nothing is lost: kJobs drops jobs and events on their way, kAll every message.
  enum class Drop { kNone, kJobs, kAll } drop = Drop::kNone;

  // Called on the hand-off's thread for what happens: "sent", "received", "refused", "let_go", "credit", "lost_worker",
  // "lost_producer", "unanswered" (a producer that is called in vain), "turned_away", "ignored". Must not block nor call
  // back.
  std::function<void(const char* what)> happened;
  // Called on the hand-off's thread after each of its turns: what tests wait for.
  std::function<void()> turned;
};

// Thread-safe. Nothing here blocks on the network.
class Handoff {
 public:
  // UNAVAILABLE when an address cannot be bound, and names the option that has it; INVALID_ARGUMENT for addresses and keys
  // that are none.
  static absl::StatusOr<std::unique_ptr<Handoff>> Create(Options options);
  virtual ~Handoff() = default;

  // As bound: "127.0.0.1:40123"; "" where nothing listens.
  virtual std::string jobs_address() const = 0;
  virtual std::string events_address() const = 0;

  // Nudges within the process, and to and from the peers: what is notified here on "due/…" and "changes/…" is published,
  // what peers publish under a prefix subscribed to here arrives as if notified here. Published once, never onwards.
  virtual Signals& signals() = 0;

  // --- The producer's side. Take the credit before the commit (so that the entry is born leased), then send the job
  // after it or return the credit.
  virtual std::optional<Ticket> TakeCredit(const std::string& stage) = 0;  // nullopt: nobody is free, now
  virtual void Send(const Ticket& ticket, Job job) = 0;
  virtual void ReturnCredit(const Ticket& ticket) = 0;

  // --- The worker's side. `receiver` is called on the hand-off's thread and must not block; a job it does not want goes
  // to Refuse. One receiver per stage.
  virtual void Receive(const std::string& stage, std::function<void(Job)> receiver) = 0;
  // Waits for a running call of the receiver; never call it from there.
  virtual void StopReceiving(const std::string& stage) = 0;
  // How many jobs the receiver could take now. Credits of all producers together never exceed it when they are given;
  // given ones beyond it are called back. Each received job counts it down by one until it is announced anew.
  virtual void Announce(const std::string& stage, int free) = 0;
  // Back to its producer, who tries another worker, or lets it go to be found by a poll.
  virtual void Refuse(Job job) = 0;

  // Credits that producers of other processes or this one hold from this process's receivers, and credits that workers
  // have given to this process: for metrics and tests.
  virtual int Given(const std::string& stage) = 0;
  virtual int Held(const std::string& stage) = 0;
};

}  // namespace ringback::handoff
