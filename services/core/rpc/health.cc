// grpc.health.v1 from the client's side. Its messages are two bytes at most, so that no stub is needed for them.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>

#include "absl/time/clock.h"
#include "core/rpc/client.h"
#include "core/rpc/status.h"

namespace ringback::rpc {

absl::StatusOr<bool> CheckHealth(const std::shared_ptr<grpc::Channel>& channel, absl::Duration deadline) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  const grpc::Slice nothing;
  const grpc::ByteBuffer request(&nothing, 1);  // HealthCheckRequest{service: ""}
  const auto call = stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  grpc::ByteBuffer response;
  grpc::Status status;
  call->StartCall();
  call->Finish(&response, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  queue.Shutdown();
  if (!status.ok()) return FromGrpc(status);
  grpc::Slice slice;
  if (!response.DumpToSingleSlice(&slice).ok()) return absl::InternalError("a health answer that is none");
  // HealthCheckResponse{status: SERVING}: field 1, varint 1.
  return std::string(reinterpret_cast<const char*>(slice.begin()), slice.size()) == std::string("\x08\x01");
}

}  // namespace ringback::rpc
