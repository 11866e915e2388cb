// What workers and producers say to each other, as bytes. One frame is one ZeroMQ message part; a job's payload is a
// second part. The first byte after the mark is the version: another one is ignored, and so is what a newer program
// appends to a frame, so that two versions run side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringback::handoff {

struct Frame {
  enum class Type : uint8_t {
    kBeat = 1,      // worker: I am here; epoch, stages with what was granted since the epoch began
    kBeatBack = 2,  // producer: heard; the epoch, count 1 if grants were lost, stages with what was spent
    kCredit = 3,    // worker: count more slots of the stage are yours
    kRecall = 4,    // worker: give count of them back
    kReturned = 5,  // producer: count come back
    kJob = 6,       // producer: do this; spends a credit
    kRefused = 7,   // worker: not this one; the job comes back with its payload
    kWanted = 8,    // producer: I could use a credit of this stage
  };
  Type type = Type::kBeat;
  uint64_t epoch = 0;
  std::string stage;
  uint32_t count = 0;
  uint32_t refusals = 0;
  std::string key;
  std::string traceparent;
  struct Account {
    std::string stage;
    uint64_t total = 0;
  };
  std::vector<Account> accounts;
};

std::string Encode(const Frame& frame);
// nullopt for what is no frame of this version, or of a type this version does not know.
std::optional<Frame> Decode(std::string_view bytes);

}  // namespace ringback::handoff
