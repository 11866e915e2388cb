// Mails per second of the delivery service's own way out (the words, GMime, libcurl) with an attachment of a given size,
// and what one costs. scripts/bench mail sets it beside nodemailer. Obeys lines on standard input, "COUNT", each with a
// line of JSON.
//
//   ringback-mail-bench PORT [--connections 4] [--bytes 200000]
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "core/base/ids.h"
#include "core/domain/team.h"
#include "core/rpc/translate.h"
#include "core/runtime/service_main.h"
#include "delivery/wires.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

// A voice message to a customer, as the worker loads it.
struct Message {
  record::TeamRecord team;
  record::CallbackRecord callback;
  record::DeliveryRecord delivery;
};

Message MakeMessage() {
  const absl::Time now = absl::Now();
  Message message;
  message.team = domain::NewTeam("tm07sales", "Vertrieb", "Europe/Berlin", "de", now);
  record::Member& member = *message.team.add_members();
  member.set_id("mb07anna");
  member.set_name("Anna Schmidt");
  member.set_email("anna@example.com");
  message.callback.set_id("cb07abc");
  message.callback.set_assignee_id(member.id());
  message.callback.mutable_caller()->set_name("Herr Müller");
  message.callback.set_page_token("pg07abc");
  *message.callback.mutable_create_time() = rpc::ToProto(now);
  record::PromiseRecord& promise = *message.callback.add_promises();
  promise.set_revision(1);
  promise.set_channel(record::PromiseRecord::CHANNEL_VOICE_MAIL);
  promise.set_state(record::PromiseRecord::STATE_PENDING);
  *promise.mutable_promised_time() = rpc::ToProto(now + absl::Hours(2));
  message.delivery.set_kind(record::DeliveryRecord::KIND_VOICE_MESSAGE);
  message.delivery.set_promise_revision(1);
  record::Channel& channel = *message.delivery.add_channels();
  channel.set_kind(record::Channel::KIND_MAIL);
  channel.set_address("mueller@example.com");
  return message;
}

double CpuSeconds() {
  rusage used;
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void SendMany(Wires& wires, const std::string& mp3, int count, int connections) {
  std::atomic<int> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&] {
      Message message = MakeMessage();
      for (int n = next++; n < count; n = next++) {
        message.delivery.set_id(absl::StrCat("dl07bench", n));
        ComposeInput input;
        input.delivery = &message.delivery;
        input.callback = &message.callback;
        input.team = &message.team;
        input.mail_domain = "example.com";
        input.now = absl::Now();
        input.mp3 = mp3;
        Laps laps;
        const SendOutcome outcome = wires.Send(input, nullptr, &laps);
        RB_CHECK(outcome.result == SendResult::kAccepted);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

int Run(int port, int connections, size_t bytes) {
  const auto clock = NewSystemClock();
  runtime::Config config;
  config.mail_transport = absl::StrCat("smtp://127.0.0.1:", port);
  const auto wires = Wires::Create(config, clock.get()).value();
  std::string mp3(bytes, '\0');
  NewSeededRandom(1)->Fill(mp3.data(), mp3.size());
  int count = 0;
  while (std::cin >> count) {
    const auto begin = std::chrono::steady_clock::now();
    const double cpu = CpuSeconds();
    SendMany(*wires, mp3, count, connections);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("{\"per_s\": %.1f, \"cpu_ms\": %.3f}\n", count / took.count(), 1000 * (CpuSeconds() - cpu) / count);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace ringback::delivery

int main(int argc, char** argv) {
  int connections = 4;
  size_t bytes = 200'000;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--connections") connections = std::atoi(argv[i + 1]);
    if (std::string(argv[i]) == "--bytes") bytes = static_cast<size_t>(std::atoll(argv[i + 1]));
  }
  if (argc < 2) {
    std::fprintf(stderr, "usage: see the head of services/delivery/mail_bench.cc\n");
    return 2;
  }
  ringback::runtime::PrepareProcess();
  return ringback::delivery::Run(std::atoi(argv[1]), connections, bytes);
}
