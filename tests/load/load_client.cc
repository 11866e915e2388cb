// Load for the crash tests and the bench: threads that take callers in, promise, upload and log attempts over gRPC, and
// write down every answer that was OK. A call that got no answer is repeated with the same request_id until the server
// is back, as a careful client would. The journal is the other half of law 3: what stands in it must never be lost.
//
//   ringback-load --target ADDRESS --token TOKEN --journal FILE [--threads 8] [--seconds 60] [--wav FILE]
//                 [--promise-ms 1500] [--voice-promise-ms 1500] [--voice-one-in 8] [--pause-ms 50] [--seed N] [--strict 1]
//   ringback-load --target ADDRESS [--delivery-target ADDRESS] --token TOKEN --report FILE
//
// --strict 1 repeats nothing itself: what gRPC's own retries and round robin over the replicas (as an SDK sets them up) do
// not mend is written down as "failed", the call, its code and message. ADDRESS is "ipv4:HOST:PORT,HOST:PORT" then.
//
// --report reads a journal and prints what the server knows of each callback in it: "callback ID promises attempts
// overdue", for each alarm in its history "alarm ID revision alarms", and for each of its messages "delivery ID kind state
// accepted-tries Message-ID".
#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/ids.h"
#include "ringback/v1/callback_service.grpc.pb.h"
#include "ringback/v1/delivery_service.grpc.pb.h"
#include "ringback/v1/recording_service.grpc.pb.h"

namespace {

using namespace ringback::v1;  // NOLINT: a program of one file

struct Options {
  std::string target, delivery_target, token, journal, wav, report;
  int threads = 8;
  int seconds = 60;
  int promise_ms = 1500;
  int voice_promise_ms = 0;  // of promises with a voice message; 0: as the others
  int voice_one_in = 8;      // callbacks
  bool strict = false;
  int pause_ms = 50;  // between two callbacks of one thread
  unsigned seed = 1;
};

// What an SDK's channel carries: calls go to the replicas in turn, to none that says it is going down, and one that was
// not answered goes to the next.
constexpr char kServiceConfig[] = R"({
  "loadBalancingConfig": [{"round_robin": {}}],
  "healthCheckConfig": {"serviceName": ""},
  "methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5, "initialBackoff": "0.05s", "maxBackoff": "1s",
                    "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]}}]})";

class Journal {
 public:
  explicit Journal(const std::string& path) : file_(std::fopen(path.c_str(), "a")) {
    if (file_ == nullptr) {
      std::perror(path.c_str());
      std::exit(2);
    }
  }
  void Write(const char* what, const std::string& id, const std::string& detail) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::fprintf(file_, "%s %s %s\n", what, id.c_str(), detail.c_str());
    std::fflush(file_);
  }

 private:
  std::mutex mutex_;
  std::FILE* file_;
};

class Client {
 public:
  Client(const Options& options, Journal* journal, unsigned seed, std::chrono::steady_clock::time_point end)
      : options_(options), journal_(journal), random_(seed), end_(end) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
    arguments.SetInt("ringback.load", static_cast<int>(seed));  // a connection of its own
    if (options.strict) {
      arguments.SetServiceConfigJSON(kServiceConfig);
      arguments.SetInt(GRPC_ARG_PER_RPC_RETRY_BUFFER_SIZE, 4 << 20);  // an upload can be said again
    }
    auto channel = grpc::CreateCustomChannel(options.target, grpc::InsecureChannelCredentials(), arguments);
    callbacks_ = CallbackService::NewStub(channel);
    recordings_ = RecordingService::NewStub(channel);
  }

  void Run(const std::string& wav) {
    while (Going()) {
      OneCallback(wav);
      std::this_thread::sleep_for(std::chrono::milliseconds(options_.pause_ms));
    }
  }

 private:
  bool Going() const { return std::chrono::steady_clock::now() < end_; }
  std::string NewRequestId() {
    char id[40];
    std::snprintf(id, sizeof id, "load-%016lx%08lx", random_(), random_() & 0xffffffff);
    return id;
  }

  // Repeats `call` until it answers with something other than "no server there"; false when the run is over first, or
  // when it was refused (which is counted).
  template <typename Call>
  bool Persist(Call call, const char* what) {
    while (Going()) {
      grpc::ClientContext context;
      context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
      context.AddMetadata("authorization", "Bearer " + options_.token);
      const grpc::Status status = call(&context);
      if (status.ok()) return true;
      if (options_.strict) {
        journal_->Write("failed", what, std::to_string(status.error_code()) + " " + status.error_message());
        return false;
      }
      switch (status.error_code()) {
        case grpc::StatusCode::UNAVAILABLE:
        case grpc::StatusCode::DEADLINE_EXCEEDED:
        case grpc::StatusCode::ABORTED:
        case grpc::StatusCode::RESOURCE_EXHAUSTED:
        case grpc::StatusCode::CANCELLED:
        case grpc::StatusCode::UNKNOWN:  // the connection broke in the middle of an answer
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
          continue;
        default:
          // A promise that waited out a restart until its own time had come is rightly refused.
          journal_->Write(status.error_message().find("is not ahead") == std::string::npos ? "refused" : "too_late", what,
                          status.error_message());
          return false;
      }
    }
    return false;
  }

  void OneCallback(const std::string& wav) {
    CreateCallbackRequest create;
    create.set_request_id(NewRequestId());
    char phone[32];
    std::snprintf(phone, sizeof phone, "+4930%07lu", 1000000 + random_() % 9000000);
    create.mutable_caller()->set_name("Load");
    create.mutable_caller()->set_phone(phone);
    create.mutable_caller()->set_email("load" + create.request_id().substr(5) + "@example.com");
    CreateCallbackResponse created;
    if (!Persist([&](auto* context) { return callbacks_->CreateCallback(context, create, &created); }, "create")) return;
    const std::string id = created.callback().id();
    journal_->Write("created", id, create.request_id());

    MakePromiseRequest promise;
    promise.set_request_id(NewRequestId());
    promise.set_callback_id(id);
    promise.set_channel(PROMISE_CHANNEL_SPOKEN);
    int promise_ms = options_.promise_ms;
    if (!wav.empty() && random_() % options_.voice_one_in == 0) {
      std::string recording;
      if (!Upload(id, wav, &recording)) return;
      journal_->Write("uploaded", recording, id);
      promise.set_channel(PROMISE_CHANNEL_VOICE_MAIL);
      promise.set_recording_id(recording);
      if (options_.voice_promise_ms > 0) promise_ms = options_.voice_promise_ms;
    }
    const auto at = std::chrono::system_clock::now() + std::chrono::milliseconds(promise_ms);
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
    promise.mutable_promised_time()->set_seconds(since / 1000);
    promise.mutable_promised_time()->set_nanos(static_cast<int>(since % 1000) * 1000000);
    MakePromiseResponse promised;
    if (!Persist([&](auto* context) { return callbacks_->MakePromise(context, promise, &promised); }, "promise")) return;
    journal_->Write("promised", id, std::to_string(promised.callback().promises_size()));

    if (random_() % 4 != 0) return;  // the others become overdue
    LogAttemptRequest attempt;
    attempt.set_request_id(NewRequestId());
    attempt.set_callback_id(id);
    attempt.set_outcome(ATTEMPT_OUTCOME_REACHED);
    LogAttemptResponse logged;
    if (Persist([&](auto* context) { return callbacks_->LogAttempt(context, attempt, &logged); }, "attempt")) {
      journal_->Write("attempted", id, "reached");
    }
  }

  bool Upload(const std::string& callback, const std::string& wav, std::string* recording) {
    const std::string request_id = NewRequestId();
    return Persist(
        [&](grpc::ClientContext* context) {
          UploadRecordingResponse response;
          auto stream = recordings_->UploadRecording(context, &response);
          UploadRecordingRequest part;
          part.mutable_header()->set_request_id(request_id);
          part.mutable_header()->set_callback_id(callback);
          part.mutable_header()->set_sha256(ringback::Sha256Hex(wav));
          bool open = stream->Write(part);
          for (size_t at = 0; open && at < wav.size(); at += 256 << 10) {
            UploadRecordingRequest chunk;
            chunk.set_chunk(wav.substr(at, 256 << 10));
            open = stream->Write(chunk);
          }
          stream->WritesDone();
          const grpc::Status status = stream->Finish();
          if (status.ok()) *recording = response.recording().id();
          return status;
        },
        "upload");
  }

  const Options& options_;
  Journal* const journal_;
  std::mt19937_64 random_;
  const std::chrono::steady_clock::time_point end_;
  std::unique_ptr<CallbackService::Stub> callbacks_;
  std::unique_ptr<RecordingService::Stub> recordings_;
};

class Reporter {
 public:
  explicit Reporter(const Options& options) : options_(options) {
    const auto channel = [](const std::string& target) {
      return grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
    };
    callbacks_ = CallbackService::NewStub(channel(options.target));
    deliveries_ = DeliveryService::NewStub(
        channel(options.delivery_target.empty() ? options.target : options.delivery_target));
  }

  // 0: all is known and told; 1: something is lost, or was not told.
  int Run() {
    std::ifstream journal(options_.report);
    std::string what, id, detail;
    std::set<std::string> seen;
    bool good = true;
    while (journal >> what >> id && std::getline(journal, detail)) {
      // Two requests by one number are one callback that rang twice.
      if (what == "created" && seen.insert(id).second) good = One(id) && good;
    }
    return good ? 0 : 1;
  }

 private:
  bool One(const std::string& id) {
    GetCallbackRequest get;
    get.set_id(id);
    GetCallbackResponse got;
    const grpc::Status status = callbacks_->GetCallback(Authorized().get(), get, &got);
    if (!status.ok()) {
      std::printf("lost %s %s\n", id.c_str(), status.error_message().c_str());
      return false;
    }
    std::printf("callback %s %d %d %d\n", id.c_str(), got.callback().promises_size(), got.callback().attempts_size(),
                got.callback().overdue() ? 1 : 0);
    return Alarms(id) && Deliveries(id);
  }

  bool Alarms(const std::string& id) {
    ListHistoryRequest list;
    list.set_callback_id(id);
    list.set_page_size(500);
    do {
      ListHistoryResponse page;
      if (!callbacks_->ListHistory(Authorized().get(), list, &page).ok()) return false;
      for (const HistoryEvent& event : page.events()) {
        if (event.what() != "alarm") continue;
        const auto revision = event.details().find("revision");
        std::printf("alarm %s %s %s\n", id.c_str(), revision == event.details().end() ? "0" : revision->second.c_str(),
                    event.details().at("alarm").c_str());
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    return true;
  }

  bool Deliveries(const std::string& id) {
    ListDeliveriesRequest list;
    list.set_callback_id(id);
    list.set_page_size(500);
    do {
      ListDeliveriesResponse page;
      if (!deliveries_->ListDeliveries(Authorized().get(), list, &page).ok()) return false;
      for (const Delivery& delivery : page.deliveries()) {
        const auto accepted = std::count_if(delivery.tries().begin(), delivery.tries().end(),
                                            [](const Delivery::Try& made) { return made.accepted(); });
        std::printf("delivery %s %s %s %d %s\n", id.c_str(), Delivery::Kind_Name(delivery.kind()).c_str(),
                    Delivery::State_Name(delivery.state()).c_str(), static_cast<int>(accepted),
                    delivery.message_id().c_str());
      }
      list.set_page_token(page.next_page_token());
    } while (!list.page_token().empty());
    return true;
  }

  std::unique_ptr<grpc::ClientContext> Authorized() const {
    auto context = std::make_unique<grpc::ClientContext>();
    context->AddMetadata("authorization", "Bearer " + options_.token);
    return context;
  }

  const Options& options_;
  std::unique_ptr<CallbackService::Stub> callbacks_;
  std::unique_ptr<DeliveryService::Stub> deliveries_;
};

bool Parse(int argc, char** argv, Options* options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const std::string value = argv[i + 1];
    if (flag == "--target") options->target = value;
    else if (flag == "--delivery-target") options->delivery_target = value;
    else if (flag == "--voice-promise-ms") options->voice_promise_ms = std::atoi(value.c_str());
    else if (flag == "--voice-one-in") options->voice_one_in = std::max(1, std::atoi(value.c_str()));
    else if (flag == "--token") options->token = value;
    else if (flag == "--journal") options->journal = value;
    else if (flag == "--wav") options->wav = value;
    else if (flag == "--threads") options->threads = std::atoi(value.c_str());
    else if (flag == "--seconds") options->seconds = std::atoi(value.c_str());
    else if (flag == "--report") options->report = value;
    else if (flag == "--pause-ms") options->pause_ms = std::atoi(value.c_str());
    else if (flag == "--promise-ms") options->promise_ms = std::atoi(value.c_str());
    else if (flag == "--strict") options->strict = value == "1";
    else if (flag == "--seed") options->seed = static_cast<unsigned>(std::atoi(value.c_str()));
    else return false;
  }
  return argc % 2 == 1 && !options->target.empty() && !options->token.empty() &&
         options->journal.empty() != options->report.empty();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr, "usage: see the head of tests/load/load_client.cc\n");
    return 2;
  }
  if (!options.report.empty()) return Reporter(options).Run();
  std::string wav;
  if (!options.wav.empty()) {
    std::ifstream file(options.wav, std::ios::binary);
    wav.assign(std::istreambuf_iterator<char>(file), {});
    if (wav.empty()) {
      std::fprintf(stderr, "%s cannot be read\n", options.wav.c_str());
      return 2;
    }
  }
  Journal journal(options.journal);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options.seconds);
  std::vector<std::thread> threads;
  for (int i = 0; i < options.threads; ++i) {
    threads.emplace_back([&, i] { Client(options, &journal, options.seed * 1000 + i, end).Run(wav); });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}
