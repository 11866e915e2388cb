// A program that comes to the hand-off of a running pipeline as another program would, with the keys it is given, and
// tells on its output whatever it gets: one line for each "job KEY", "credit STAGE" and "nudge TOPIC". Runs until its
// input ends. Which keys should get nothing is the test's business (pipeline/credentials_test.py).
//
//   ringback-stranger --jobs ADDRESSES --events ADDRESSES [--jobs-listen ADDRESS]
//                     [--server-secret FILE --client-secret FILE --allowed FILE]
//
// It offers itself as a worker of the jobs of --jobs, listens to the nudges of --events, and on --jobs-listen waits for
// workers that would take jobs from it. Without key files it speaks in the clear.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "absl/strings/str_split.h"
#include "core/base/log.h"
#include "core/handoff/handoff.h"

namespace {

using ringback::handoff::CurveKeys;
using ringback::handoff::Handoff;
using ringback::handoff::Job;

const char* const kStages[] = {"transcode", "delivery", "promise"};

std::string FirstWord(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

void Tell(const char* what, const std::string& which) {
  std::printf("%s %s\n", what, which.c_str());
  std::fflush(stdout);
}

bool Parse(int argc, char** argv, ringback::handoff::Options* options) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i + 1 < argc; i += 2) flags[argv[i]] = argv[i + 1];
  if (argc % 2 != 1 || !flags.contains("--jobs") || !flags.contains("--events")) return false;
  options->jobs_peers = absl::StrSplit(flags["--jobs"], ',');
  options->events_peers = absl::StrSplit(flags["--events"], ',');
  options->jobs_listen = flags["--jobs-listen"];
  if (flags.contains("--server-secret")) {
    options->curve = CurveKeys{FirstWord(flags["--server-secret"]), FirstWord(flags["--client-secret"]), flags["--allowed"]};
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  ringback::SetUpLogging("info", ringback::LogFormat::kText);  // to standard error: the lines on standard output are answers
  ringback::handoff::Options options;
  if (!Parse(argc, argv, &options)) {
    std::fprintf(stderr, "usage: see the head of tests/strangers/handoff_stranger.cc\n");
    return 2;
  }
  auto handoff = Handoff::Create(std::move(options));
  if (!handoff.ok()) {
    std::fprintf(stderr, "%s\n", handoff.status().ToString().c_str());
    return 1;
  }
  const auto heard = (*handoff)->signals().Subscribe("", [](const std::string& topic) { Tell("nudge", topic); });
  for (const char* stage : kStages) {
    (*handoff)->Receive(stage, [](Job job) { Tell("job", job.key); });
    (*handoff)->Announce(stage, 32);  // some for each producer, also for one that wants for nothing
  }
  std::puts("here");
  std::fflush(stdout);
  char byte;
  // Asks for credits ten times a second, as often as a producer with work would.
  while (true) {
    fd_set input;
    FD_ZERO(&input);
    FD_SET(0, &input);
    timeval pause{0, 100'000};
    if (select(1, &input, nullptr, nullptr, &pause) > 0 && read(0, &byte, 1) <= 0) break;
    for (const char* stage : kStages) {
      if (const auto ticket = (*handoff)->TakeCredit(stage)) {
        Tell("credit", stage);
        (*handoff)->ReturnCredit(*ticket);
      }
    }
  }
  (*handoff)->signals().Unsubscribe(heard);
  return 0;
}
