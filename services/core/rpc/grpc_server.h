// The gRPC server: listens, bounds what a peer may do, reports health. It knows no service and no identity.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::rpc {

struct ServerTls {
  std::string certificate_pem;  // the server's chain
  std::string key_pem;
  std::string client_ca_pem;    // "": clients show no certificate
};
// Without encryption when both certificate and key are empty; INVALID_ARGUMENT when only one is.
absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(const ServerTls& tls);

struct ServerOptions {
  std::string listen;  // "127.0.0.1:7420"; port 0 takes a free one
  std::shared_ptr<grpc::ServerCredentials> credentials;
  int receive_bytes_max = 2 << 20;         // of one message: an upload's chunk is 1 MiB
  int64_t memory_bytes_max = 256 << 20;    // of all messages in flight
};

class GrpcServer {
 public:
  // UNAVAILABLE when the address cannot be bound. Serves at once, with health NOT_SERVING. `services` must outlive it.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const ServerOptions& options,
                                                           const std::vector<grpc::Service*>& services);
  ~GrpcServer();

  const std::string& address() const { return address_; }  // as bound: "127.0.0.1:40123"
  // For callers in this very program.
  std::shared_ptr<grpc::Channel> InProcessChannel();
  // grpc.health.v1, for every service and for "".
  void SetServing(bool serving);
  // Takes no new calls, lets running ones end, cancels what is left after `grace`. Returns when all have ended.
  void Shutdown(absl::Duration grace);

 private:
  GrpcServer() = default;

  grpc::CallbackGenericService nothing_;  // answers UNIMPLEMENTED; outlives server_
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace ringback::rpc
