#include "core/rpc/client.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/log.h"
#include "core/rpc/trace.h"

namespace ringback::rpc {

absl::StatusOr<std::unique_ptr<Client>> Client::Create(ClientOptions options, Random* random) {
  bool tls = !options.ca_pem.empty() || !options.certificate_pem.empty();
  if (absl::StartsWith(options.target, "https://")) {
    tls = true;
    options.target.erase(0, sizeof("https://") - 1);
  } else if (absl::StartsWith(options.target, "http://")) {
    if (tls) return absl::InvalidArgumentError("the target says http, the certificates say TLS: use https://");
    options.target.erase(0, sizeof("http://") - 1);
  }
  while (absl::EndsWith(options.target, "/")) options.target.pop_back();
  if (options.target.empty()) return absl::InvalidArgumentError("no target; it looks like 127.0.0.1:7420");
  if (options.certificate_pem.empty() != options.key_pem.empty()) {
    return absl::InvalidArgumentError("a client's certificate needs its key, and the key its certificate");
  }

  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(16 << 20);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  // A server that has just come up is found at once: any start order.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  // Who takes a connection and says nothing (stopped, or behind a cable that is out) holds a call up no longer than this;
  // then the next of several addresses is tried. Two lost packets of the TCP handshake fit in.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  // Connections of its own: a new server at an address must not inherit the back-off that an earlier one's end left.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (tls) {
    if (!options.server_name.empty()) arguments.SetSslTargetNameOverride(options.server_name);
    credentials = grpc::SslCredentials({options.ca_pem, options.key_pem, options.certificate_pem});
  }
  auto channel = grpc::CreateCustomChannel(options.target, credentials, arguments);
  return std::unique_ptr<Client>(new Client(std::move(options), random, std::move(channel)));
}

std::unique_ptr<grpc::ClientContext> Client::NewContext(absl::Duration deadline) const {
  auto context = std::make_unique<grpc::ClientContext>();
  if (!options_.token.empty()) context->AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
  const std::string& current = TraceScope::Current();
  context->AddMetadata("traceparent", TraceParent(current.empty() ? NewTraceId(*random_) : current, *random_));
  if (deadline != absl::InfiniteDuration()) context->set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  return context;
}

}  // namespace ringback::rpc
