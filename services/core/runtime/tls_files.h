// The server's certificate, key and client CAs, read from the files that the configuration names and checked there: gRPC
// itself says no more than that it cannot listen.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/rpc/grpc_server.h"
#include "core/runtime/config.h"

namespace ringback::runtime {

struct TlsFiles {
  rpc::ServerTls pem;                            // all empty: without TLS
  absl::Time expires = absl::InfiniteFuture();   // when the certificate ends
};

// Of gRPC, and of the pages (without client CAs). INVALID_ARGUMENT, naming key and file, for a file that cannot be read, a certificate or CA that is no PEM, a key that
// others may read or that belongs to another certificate.
absl::StatusOr<TlsFiles> ReadTlsFiles(const Config& config);
absl::StatusOr<TlsFiles> ReadWebTlsFiles(const Config& config);
// web.services_ca_file; "" when it is not set.
absl::StatusOr<std::string> ReadWebServicesCa(const Config& config);

}  // namespace ringback::runtime
