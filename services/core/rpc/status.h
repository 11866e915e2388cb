// absl::Status to gRPC's status with google.rpc details and back. The only place where errors are translated.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace ringback::rpc {

// Status with BadRequest, ErrorInfo and RetryInfo in the trailing metadata (grpc-status-details-bin), made from
// domain::DetailOf and RetryAfterOf. ErrorInfo's reason is the error's own, else the code's name. INTERNAL, UNKNOWN and
// DATA_LOSS keep their words in the log and out of the answer, which names the trace id instead.
grpc::Status ToGrpc(const absl::Status& status);

// The reverse, for clients: code, message, field, reason and when to try again.
absl::Status FromGrpc(const grpc::Status& status);

// The status, saying when to try again (RetryInfo). UNAVAILABLE, RESOURCE_EXHAUSTED and ABORTED without it say 1 s.
absl::Status RetryAfter(absl::Status status, absl::Duration after);
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);
// The answer to a call for which the pool has no room.
absl::Status TooBusy();

}  // namespace ringback::rpc
