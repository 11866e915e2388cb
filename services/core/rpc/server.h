// gRPC handlers as plain functions on runtime's pool: a reactor that authenticates, checks the permission table, runs
// the handler where blocking is allowed, and translates its absl::Status into gRPC's with google.rpc details (once, here).
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/rpc/identity.h"
#include "core/rpc/status.h"
#include "core/store/store.h"

namespace ringback::rpc {

// Runs functions on a bounded number of threads; the seam to runtime's pool.
class Executor {
 public:
  virtual ~Executor() = default;
  // False when the queue is full or draining: the call is answered RESOURCE_EXHAUSTED with RetryInfo.
  virtual bool Submit(std::function<void()> work) = 0;
};

// What every handler shares. Owned by the host, outlives the server.
struct Environment {
  store::Store* store = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  // Called with method, status code and duration of every finished call (metrics).
  std::function<void(std::string_view method, absl::StatusCode code, absl::Duration took)> finished;
  std::unique_ptr<KnownTokens> known = std::make_unique<KnownTokens>();
};

struct Call {
  Principal principal;
  std::string method;       // "/ringback.v1.CallbackService/MakePromise"
  std::string trace_id;     // W3C traceparent's, or a new one
  absl::Time now;           // the store's
  grpc::CallbackServerContext* context = nullptr;
};

template <typename Request, typename Response>
using UnaryHandler = std::function<absl::Status(const Call&, const Request&, Response*)>;

// Runs `handler` for a unary method on the pool. Returns the reactor gRPC wants. A call that was cancelled or ran out of
// time before its turn is not begun.
template <typename Request, typename Response>
grpc::ServerUnaryReactor* Unary(Environment& environment, grpc::CallbackServerContext* context, const char* method,
                                const Request* request, Response* response,
                                std::type_identity_t<UnaryHandler<Request, Response>> handler);

// The principal behind a streaming call, or the error to finish it with. Blocks on the store: call on the pool.
absl::StatusOr<Call> Admit(Environment& environment, grpc::CallbackServerContext* context, const char* method);

// One write, once. `decide` loads, decides and fills `commit` and the response (both empty at each run); it runs again
// when the commit was ABORTED by a concurrent change (at most 10 times), so it must have no effect of its own. The
// request's id (1 to 64 printable ASCII characters) makes a repeat return the first response for 7 days; the same id with
// another body or method is refused (INVALID_ARGUMENT, "request_id", REQUEST_ID_REUSED), an empty one too
// (REQUEST_ID_MISSING). Errors are not remembered. An UNAVAILABLE commit is repeated once under the same commit_id.
// `commit->shard` is set beforehand and stays: the principal's team's; for operators that of the first id in the request
// (id, team_id, … or those of the messages in it), and for a request without any (CreateTeam) one derived from the
// request id, in which the new ids must be made.
// The stored response is encrypted with a key that only the repeated request holds, so that a secret or a caller in it
// cannot be read from the store.
template <typename Request, typename Response>
absl::Status Once(Environment& environment, const Call& call, const Request& request, Response* response,
                  std::type_identity_t<std::function<absl::Status(store::Commit* commit, Response* response)>> decide);

// page_size as asked for: 0 becomes 50, above 500 becomes 500, negative is INVALID_ARGUMENT.
absl::StatusOr<int> PageSize(int asked);
// Page tokens are opaque (base64url of the store's `after`); INVALID_ARGUMENT for what is none.
std::string EncodePageToken(const std::string& after);
absl::StatusOr<std::string> DecodePageToken(const std::string& token);

}  // namespace ringback::rpc

#include "core/rpc/server_inl.h"
