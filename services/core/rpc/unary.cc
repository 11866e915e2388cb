// Unary calls on the pool, and who may make them.
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/server.h"
#include "core/rpc/trace.h"

namespace ringback::rpc {
namespace {

std::string_view Metadata(const grpc::CallbackServerContext& context, const char* key) {
  const auto found = context.client_metadata().find(key);
  return found == context.client_metadata().end() ? std::string_view()
                                                  : std::string_view(found->second.data(), found->second.size());
}

// "Bearer rb_tk…"; the scheme in any case (RFC 9110, 11.1).
std::string_view BearerToken(const grpc::CallbackServerContext& context) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = Metadata(context, "authorization");
  if (value.size() < kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if (absl::ascii_tolower(static_cast<unsigned char>(value[i])) != kScheme[i]) return {};
  }
  return value.substr(kScheme.size());
}

std::string TraceIdFor(Environment& environment, const grpc::CallbackServerContext& context) {
  std::string id = TraceIdOf(Metadata(context, "traceparent"));
  return id.empty() ? NewTraceId(*environment.random) : id;
}

absl::StatusOr<Call> AdmitTraced(Environment& environment, grpc::CallbackServerContext* context, const char* method,
                                 const std::string& trace_id) {
  Call call;
  call.method = method;
  call.trace_id = trace_id;
  call.context = context;
  RB_ASSIGN_OR_RETURN(Authenticated caller, Authenticate(*environment.store, *environment.known, BearerToken(*context)));
  call.principal = std::move(caller.principal);
  call.now = caller.now;
  if (!Allowed(call.principal.role, method)) {
    return absl::PermissionDeniedError(absl::StrCat("this token's role may not call ", method));
  }
  return call;
}

struct UnaryJob {
  Environment& environment;
  grpc::CallbackServerContext* const context;
  const char* const method;
  const std::function<absl::Status(const Call&)> work;
  grpc::ServerUnaryReactor* const reactor;
  const absl::Time begin = absl::Now();

  absl::Status Work(const std::string& trace_id) const {
    if (context->IsCancelled()) return absl::CancelledError("the caller has gone");
    if (std::chrono::system_clock::now() > context->deadline()) {
      return absl::DeadlineExceededError("the call's time was over before its turn came");
    }
    RB_ASSIGN_OR_RETURN(const Call call, AdmitTraced(environment, context, method, trace_id));
    return work(call);
  }

  // Last of all: from Finish on, context and messages may be gone.
  void Finish(const absl::Status& status) const {
    if (environment.finished) environment.finished(method, status.code(), absl::Now() - begin);
    reactor->Finish(ToGrpc(status));
  }

  void Run() const {
    const TraceScope trace(TraceIdFor(environment, *context));
    Finish(Work(TraceScope::Current()));
  }
};

}  // namespace

absl::StatusOr<Call> Admit(Environment& environment, grpc::CallbackServerContext* context, const char* method) {
  return AdmitTraced(environment, context, method, TraceIdFor(environment, *context));
}

namespace internal {

grpc::ServerUnaryReactor* RunUnary(Environment& environment, grpc::CallbackServerContext* context, const char* method,
                                   std::function<absl::Status(const Call&)> work) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto job = std::make_shared<UnaryJob>(UnaryJob{environment, context, method, std::move(work), reactor});
  if (!environment.executor->Submit([job] { job->Run(); })) {
    job->Finish(TooBusy());
  }
  return reactor;
}

}  // namespace internal
}  // namespace ringback::rpc
