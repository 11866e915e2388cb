// The client's side: channels, and what every call carries (token, deadline, traceparent).
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/ids.h"

namespace ringback::rpc {

struct ClientOptions {
  std::string target;           // "127.0.0.1:7420"; "https://host:port" or any PEM below means TLS
  std::string token;            // "rb_tk…"; "" sends none
  std::string ca_pem;           // whom to trust; "" and TLS: the system's
  std::string certificate_pem;  // shown to servers that ask for one
  std::string key_pem;
  std::string server_name;      // expected in the server's certificate; "": the target's host
  absl::Duration deadline = absl::Seconds(15);
};

// Thread-safe. Connects at the first call; calls wait for the connection until their deadline only when asked to.
class Client {
 public:
  // INVALID_ARGUMENT for options that do not fit together.
  static absl::StatusOr<std::unique_ptr<Client>> Create(ClientOptions options, Random* random);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  // For one call. `deadline` as given, else the options'; InfiniteDuration for streams without an end.
  std::unique_ptr<grpc::ClientContext> NewContext() const { return NewContext(options_.deadline); }
  std::unique_ptr<grpc::ClientContext> NewContext(absl::Duration deadline) const;

 private:
  Client(ClientOptions options, Random* random, std::shared_ptr<grpc::Channel> channel)
      : options_(std::move(options)), random_(random), channel_(std::move(channel)) {}

  const ClientOptions options_;
  Random* const random_;
  const std::shared_ptr<grpc::Channel> channel_;
};

// grpc.health.v1 of the whole server: true when SERVING. Needs no token. UNAVAILABLE when nobody answers in time.
absl::StatusOr<bool> CheckHealth(const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline);

}  // namespace ringback::rpc
