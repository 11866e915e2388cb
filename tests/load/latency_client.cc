// From the end of an upload to the mail written, as a client sees it: one take at a time through a running server.
// Prints one line of milliseconds per take.
//
//   ringback-latency --target ADDRESS --token TOKEN --wav FILE [--count 5]
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "core/base/ids.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"

namespace {

using namespace ringback::v1;  // NOLINT: a program of one file
using SteadyClock = std::chrono::steady_clock;

void Fail(const char* what, const grpc::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
  std::exit(1);
}

double Millis(SteadyClock::time_point from) {
  return std::chrono::duration<double, std::milli>(SteadyClock::now() - from).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::string target, token, wav;
  int count = 5;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--target") target = argv[i + 1];
    if (flag == "--token") token = argv[i + 1];
    if (flag == "--wav") wav = argv[i + 1];
    if (flag == "--count") count = std::atoi(argv[i + 1]);
  }
  std::ifstream file(wav, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (target.empty() || token.empty() || bytes.empty()) {
    std::fprintf(stderr, "usage: see the head of tests/load/latency_client.cc\n");
    return 2;
  }
  auto channel = grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
  auto callbacks = CallbackService::NewStub(channel);
  auto recordings = RecordingService::NewStub(channel);
  std::mt19937_64 random(std::random_device{}());
  const auto request_id = [&] { return "latency-" + std::to_string(random()); };
  const auto authorize = [&](grpc::ClientContext* context) { context->AddMetadata("authorization", "Bearer " + token); };

  for (int n = 0; n < count; ++n) {
    // Each take its own bytes: the same content for the same caller would be the same recording.
    bytes[bytes.size() - 1] = static_cast<char>(n);
    CreateCallbackRequest create;
    create.set_request_id(request_id());
    create.mutable_caller()->set_name("Herr Müller");
    create.mutable_caller()->set_email("m" + std::to_string(random()) + "@example.com");
    CreateCallbackResponse created;
    {
      grpc::ClientContext context;
      authorize(&context);
      if (const auto status = callbacks->CreateCallback(&context, create, &created); !status.ok()) Fail("create", status);
    }
    const std::string id = created.callback().id();

    grpc::ClientContext watching;
    authorize(&watching);
    auto watch = callbacks->WatchCallbacks(&watching, WatchCallbacksRequest());
    WatchCallbacksResponse change;
    if (!watch->Read(&change)) Fail("watch", watch->Finish());

    std::string recording;
    SteadyClock::time_point end_of_upload;
    {
      grpc::ClientContext context;
      authorize(&context);
      UploadRecordingResponse response;
      auto stream = recordings->UploadRecording(&context, &response);
      UploadRecordingRequest header;
      header.mutable_header()->set_request_id(request_id());
      header.mutable_header()->set_callback_id(id);
      header.mutable_header()->set_sha256(ringback::Sha256Hex(bytes));
      stream->Write(header);
      for (size_t at = 0; at < bytes.size(); at += 256 << 10) {
        UploadRecordingRequest chunk;
        chunk.set_chunk(bytes.substr(at, 256 << 10));
        if (!stream->Write(chunk)) break;
      }
      stream->WritesDone();
      end_of_upload = SteadyClock::now();
      if (const auto status = stream->Finish(); !status.ok()) Fail("upload", status);
      recording = response.recording().id();
    }
    {
      grpc::ClientContext context;
      authorize(&context);
      MakePromiseRequest promise;
      promise.set_request_id(request_id());
      promise.set_callback_id(id);
      promise.set_channel(PROMISE_CHANNEL_VOICE_MAIL);
      promise.set_recording_id(recording);
      promise.mutable_promised_time()->set_seconds(std::time(nullptr) + 7200);
      MakePromiseResponse promised;
      if (const auto status = callbacks->MakePromise(&context, promise, &promised); !status.ok()) Fail("promise", status);
    }
    bool accepted = false;
    while (!accepted && watch->Read(&change)) {
      accepted = change.callback().id() == id && change.event().what() == "promise_accepted";
    }
    if (!accepted) Fail("watch", watch->Finish());
    std::printf("%.1f\n", Millis(end_of_upload));
    std::fflush(stdout);
    watching.TryCancel();
  }
  return 0;
}
