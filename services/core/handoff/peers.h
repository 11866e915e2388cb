// Where peers are: names become addresses, again and again, so that replicas that come and go (a headless service of
// Kubernetes) are connected and dropped. A thread of its own, since looking a name up blocks.
#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/mutex.h"

namespace ringback::handoff {

using ResolveFunction = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;

// The system's resolver: numeric addresses of every family.
absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host);

// "host:port" as "tcp://address:port" for each address. INVALID_ARGUMENT for what is no host and port.
absl::Status CheckPeer(const std::string& peer);

class Peers {
 public:
  // `found` gets all endpoints that stand behind `peers` whenever they change, on the thread of Peers. A name that
  // cannot be looked up keeps the addresses it had.
  Peers(std::vector<std::string> peers, std::chrono::milliseconds every, ResolveFunction resolve,
        std::function<void(std::set<std::string>)> found);
  ~Peers();

 private:
  void Run();
  std::set<std::string> EndpointsOf(const std::string& peer);

  const std::vector<std::string> peers_;
  const std::chrono::milliseconds every_;
  const ResolveFunction resolve_;
  const std::function<void(std::set<std::string>)> found_;
  std::vector<std::set<std::string>> last_;  // of the thread: per peer
  std::set<std::string> unknown_;            // of the thread: names that the log has said to mean nothing
  Mutex mutex_;
  CondVar wake_;
  bool stop_ RB_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace ringback::handoff
