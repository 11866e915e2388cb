// Takes for the benches: clients with a connection of their own each, every one of whom takes a caller in, uploads a voice
// message and promises with it, one after the other. Prints, in microseconds since 1970, one line per take:
// "BEGIN END_OF_UPLOAD OK PROMISED RECORDING RECIPIENT", BEGIN and END_OF_UPLOAD being the upload's first and last byte, OK
// its answer and PROMISED that of the promise.
//
//   ringback-flood --target ADDRESS --token TOKEN --wav FILE [--clients 1] [--count 1] [--promise 1] [--ahead 0]
//
// --count is of all clients together; --promise 0 leaves the promise out; --ahead 1 takes all callers in before the first
// upload begins. Says nothing of a take whose call failed, but how many on standard error, and ends with 1 then.
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/base/ids.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"

namespace {

using namespace ringback::v1;  // NOLINT: a program of one file

constexpr size_t kChunk = 256 << 10;

struct Options {
  std::string target, token, wav;
  int clients = 1;
  int count = 1;
  bool promise = true;
  bool ahead = false;
};

// A caller who was taken in.
struct Waiting {
  std::string callback_id, recipient;
};

long long Micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// What is the same in every upload, made once: a client on the same cores should cost little.
struct Take {
  std::string sha256;
  std::vector<UploadRecordingRequest> chunks;
};

class Client {
 public:
  Client(const Options& options, const Take& take, int number)
      : options_(options), take_(take), random_(std::random_device{}()) {
    grpc::ChannelArguments arguments;
    arguments.SetInt("ringback.flood", number);  // a connection of its own
    const auto channel = grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(), arguments);
    callbacks_ = CallbackService::NewStub(channel);
    recordings_ = RecordingService::NewStub(channel);
  }

  bool TakeIn(Waiting* waiting) {
    CreateCallbackRequest request;
    request.set_request_id(NewRequestId());
    waiting->recipient = "m" + std::to_string(random_()) + "@example.com";
    request.mutable_caller()->set_name("Herr Müller");
    request.mutable_caller()->set_email(waiting->recipient);
    CreateCallbackResponse response;
    grpc::ClientContext context;
    Authorize(&context);
    if (!Good("create", callbacks_->CreateCallback(&context, request, &response))) return false;
    waiting->callback_id = response.callback().id();
    return true;
  }

  bool Send(const Waiting& waiting) {
    grpc::ClientContext context;
    Authorize(&context);
    UploadRecordingResponse response;
    UploadRecordingRequest header;
    header.mutable_header()->set_request_id(NewRequestId());
    header.mutable_header()->set_callback_id(waiting.callback_id);
    header.mutable_header()->set_sha256(take_.sha256);
    const long long begin = Micros();
    const auto stream = recordings_->UploadRecording(&context, &response);
    bool open = stream->Write(header);
    for (size_t i = 0; open && i < take_.chunks.size(); ++i) open = stream->Write(take_.chunks[i]);
    stream->WritesDone();
    const long long end_of_upload = Micros();
    if (!Good("upload", stream->Finish())) return false;
    const long long ok = Micros();
    long long promised = 0;
    if (options_.promise) {
      if (!Promise(waiting.callback_id, response.recording().id())) return false;
      promised = Micros();
    }
    std::printf("%lld %lld %lld %lld %s %s\n", begin, end_of_upload, ok, promised, response.recording().id().c_str(),
                waiting.recipient.c_str());
    return true;
  }

 private:
  bool Promise(const std::string& callback, const std::string& recording) {
    MakePromiseRequest request;
    request.set_request_id(NewRequestId());
    request.set_callback_id(callback);
    request.set_channel(PROMISE_CHANNEL_VOICE_MAIL);
    request.set_recording_id(recording);
    request.mutable_promised_time()->set_seconds(std::time(nullptr) + 7200);
    MakePromiseResponse response;
    grpc::ClientContext context;
    Authorize(&context);
    return Good("promise", callbacks_->MakePromise(&context, request, &response));
  }

  std::string NewRequestId() { return "flood-" + std::to_string(random_()); }
  void Authorize(grpc::ClientContext* context) { context->AddMetadata("authorization", "Bearer " + options_.token); }
  static bool Good(const char* what, const grpc::Status& status) {
    if (!status.ok()) std::fprintf(stderr, "%s: %s\n", what, status.error_message().c_str());
    return status.ok();
  }

  const Options& options_;
  const Take& take_;
  std::mt19937_64 random_;
  std::unique_ptr<CallbackService::Stub> callbacks_;
  std::unique_ptr<RecordingService::Stub> recordings_;
};

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const char* const value = argv[i + 1];
    if (flag == "--target") options->target = value;
    else if (flag == "--token") options->token = value;
    else if (flag == "--wav") options->wav = value;
    else if (flag == "--clients") options->clients = std::atoi(value);
    else if (flag == "--count") options->count = std::atoi(value);
    else if (flag == "--promise") options->promise = std::atoi(value) != 0;
    else if (flag == "--ahead") options->ahead = std::atoi(value) != 0;
    else return false;
  }
  return argc % 2 == 1 && !options->target.empty() && !options->token.empty() && options->clients > 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr, "usage: see the head of tests/load/flood_client.cc\n");
    return 2;
  }
  std::ifstream file(options.wav, std::ios::binary);
  const std::string wav((std::istreambuf_iterator<char>(file)), {});
  if (wav.empty()) {
    std::fprintf(stderr, "%s cannot be read\n", options.wav.c_str());
    return 2;
  }
  Take take{ringback::Sha256Hex(wav), {}};
  for (size_t at = 0; at < wav.size(); at += kChunk) take.chunks.emplace_back().set_chunk(wav.substr(at, kChunk));

  std::atomic<int> next{0}, failed{0};
  std::barrier all_taken_in(options.clients);
  std::vector<std::thread> threads;
  for (int i = 0; i < options.clients; ++i) {
    threads.emplace_back([&, i] {
      Client client(options, take, i);
      std::vector<Waiting> ahead;
      if (options.ahead) {
        for (int n = i; n < options.count; n += options.clients) {
          if (!client.TakeIn(&ahead.emplace_back())) ++failed;
        }
        all_taken_in.arrive_and_wait();
        for (const Waiting& waiting : ahead) failed += client.Send(waiting) ? 0 : 1;
        return;
      }
      while (next++ < options.count) {
        Waiting waiting;
        if (!client.TakeIn(&waiting) || !client.Send(waiting)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (failed > 0) std::fprintf(stderr, "%d of %d failed\n", failed.load(), options.count);
  return failed == 0 ? 0 : 1;
}
