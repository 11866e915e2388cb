// main() of every program that serves: config from file, variables and flags, log, host, serve, exit code.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/runtime/config.h"
#include "core/runtime/host.h"

namespace ringback::runtime {

using RunFunction = absl::Status (*)(Host&);

// Keeps the resident memory of an idle program small, and its files the owner's own. Call first in main, before threads.
void PrepareProcess();

struct CommandLine {
  std::string config_file;  // --config, else RINGBACK_CONFIG
  std::vector<std::pair<std::string, std::string>> flags;  // "--mail.transport x", "--data-dir=x"
  bool help_config = false;
  bool help = false;
};
// INVALID_ARGUMENT for what is no flag, and for a flag without its value.
absl::StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);
// All RINGBACK_* variables of this process.
std::map<std::string, std::string> RingbackEnvironment();

// Runs every function on one host and serves. Returns 0 after a clean drain, 1 when it could not start or serve. Does
// not return (exit code 0) when work outlived drain_timeout and was given back. `ready` may be empty.
int ServeAll(const Config& config, const std::vector<RunFunction>& run, std::function<void(Host&)> ready);

// For the main of a single service: int main(int argc, char** argv) { return ServiceMain(argc, argv, {RunReminder}); }
// Also 2 for wrong usage or a wrong config, with the reason on standard error.
int ServiceMain(int argc, char** argv, const std::vector<RunFunction>& run);

}  // namespace ringback::runtime
